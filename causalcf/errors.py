"""Errors that users can cause; each names the culprit, what is allowed and the nearest match.
Commands print a `CausalCFError` and exit with code 2; any other exception is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 100  # letters of a name that is compared with others and shown


class CausalCFError(ValueError):
    """Base class of all errors that bad input causes.

    Examples:
        >>> from causalcf import load_graph
        >>> try:
        ...     load_graph({"Young": ["Young"]})
        ... except CausalCFError as error:
        ...     print(f"{type(error).__name__}: {error}")
        GraphError: self-loop Young -> Young: a node cannot be its own parent; leave it out
    """


class GraphError(CausalCFError):
    """A causal graph that is malformed or does not fit the data.

    Examples:
        >>> from causalcf import CausalGraph
        >>> CausalGraph({"Young": ["Young"]})
        Traceback (most recent call last):
        causalcf.errors.GraphError: self-loop Young -> Young: a node cannot be its own parent; leave it out
    """


class ImpossibleWorldError(CausalCFError):
    """Facts or an antecedent of probability zero.

    Examples:
        >>> from causalcf import CausalGraph, LabelSCM
        >>> scm = LabelSCM.from_probabilities(CausalGraph({"Male": []}), {"Male": 1.0})
        >>> scm.probability({"Male": 1}, given={"Male": 0})
        Traceback (most recent call last):
        causalcf.errors.ImpossibleWorldError: given Male=0: an event of probability zero; ask about other labels
    """


class IntractableError(CausalCFError):
    """An exact query that is too large to compute.

    Examples:
        >>> import torch
        >>> from causalcf.labels import empirical_joint
        >>> empirical_joint(torch.zeros(3, 40))
        Traceback (most recent call last):
        causalcf.errors.IntractableError: the joint table of 40 labels has 2^40 cells: take at most 24 labels
    """


class DataError(CausalCFError):
    """A data set that is missing, broken or does not match its tables.

    Examples:
        >>> from causalcf import load_data
        >>> load_data("celeba")
        Traceback (most recent call last):
        causalcf.errors.DataError: data 'celeba' needs data_root: the folder its images lie in
    """


class RecipeError(CausalCFError):
    """A training recipe with an unknown key or a value out of range.

    Examples:
        >>> from causalcf import Recipe
        >>> Recipe(batch=0).validate()
        Traceback (most recent call last):
        causalcf.errors.RecipeError: batch is 0; it must be at least 2
    """


class RunError(CausalCFError):
    """A run directory that cannot be used.

    Examples:
        >>> from causalcf import load_run
        >>> load_run("nowhere/mine")
        Traceback (most recent call last):
        causalcf.errors.RunError: no run directory nowhere/mine. Runs there: none; see python -m causalcf.train
    """


class WriteError(CausalCFError):
    """A file that cannot be written, for example on a full disk or in a read-only folder."""


class ProcessError(CausalCFError):
    """Processes of one training that do not fit together, or of which one has stopped."""


class UnreachedError(CausalCFError):
    """A condition on images that too few draws satisfied within the budget.

    Examples:
        >>> from causalcf import sample_where
        >>> black = lambda noise: noise.new_zeros(len(noise), 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> sample_where(black, bright, {"Bright": 1}, 1, attributes=["Bright"], noise_dim=1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        causalcf.errors.UnreachedError: 0 of 1 images with Bright=1 among the ...
    """


class QueryError(CausalCFError):
    """A question that cannot be parsed, or that a run cannot answer.

    Examples:
        >>> from causalcf import Query
        >>> Query({}, {"Male": 2})
        Traceback (most recent call last):
        causalcf.errors.QueryError: antecedent: Male=2; expected 0 or 1
    """


class StatementError(QueryError):
    """A counterfactual statement that cannot be parsed, or whose attributes are not labels of the model.

    Examples:
        >>> from causalcf import Statement
        >>> Statement({}, {"Young": 0}, "might", {})
        Traceback (most recent call last):
        causalcf.errors.StatementError: the consequent is empty; say what might or would be so
    """


def nearest(name: str, allowed: Iterable[str], n: int = 3) -> list[str]:
    """Return up to `n` of the allowed names that are most similar to `name`, best first, ignoring case."""
    if len(str(name)) > _LONGEST:  # no name looks like a page of text, and comparing it would take minutes
        return []
    by_lower: dict[str, str] = {}
    for candidate in (one for one in allowed if len(str(one)) <= _LONGEST):
        by_lower.setdefault(str(candidate).lower(), str(candidate))
    found = difflib.get_close_matches(str(name).lower(), list(by_lower), n=n, cutoff=0.5)
    return [by_lower[key] for key in found]


def unknown(what: str, name: str, allowed: Iterable[str]) -> str:
    """Return the error message for an unknown name: the name, the nearest match and what is allowed."""
    allowed = [str(a) for a in allowed]
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..."
    return f"unknown {what} {shown!r}{did_you_mean(name, allowed)} Allowed: {', '.join(allowed)}"


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: its nearest matches, if there are any."""
    close = nearest(name, allowed)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."

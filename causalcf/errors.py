"""The errors a user can cause, and the sentence they read.

Every error names the offending thing, what was allowed and the nearest match. The command lines catch
`CausalCFError`, print its sentence on stderr and exit with code 2; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 100  # letters of a name that is compared with others and shown


class CausalCFError(ValueError):
    """Base of all errors that bad input causes."""


class GraphError(CausalCFError):
    """A causal graph that is malformed or does not fit the data."""


class ImpossibleWorldError(CausalCFError):
    """Facts or an antecedent of probability zero."""


class IntractableError(CausalCFError):
    """An exact query that would be too large to answer."""


class DataError(CausalCFError):
    """A data set that is missing, broken or does not match its tables."""


class RecipeError(CausalCFError):
    """A training recipe with an unknown key or a value out of range."""


class RunError(CausalCFError):
    """A run directory that cannot be used."""


class WriteError(CausalCFError):
    """A file that cannot be written, as on a full disk or in a read-only folder."""


class ProcessError(CausalCFError):
    """Processes of one training that do not fit together, or one of which is gone."""


class UnreachedError(CausalCFError):
    """A condition on images that too few draws satisfied within the budget."""


class QueryError(CausalCFError):
    """A question that cannot be understood, or that a run cannot be asked."""


class StatementError(QueryError):
    """A counterfactual statement that cannot be understood, or that a model lacks the labels for."""


def nearest(name: str, allowed: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` of the allowed names that look most like `name`, best first (case is ignored)."""
    if len(str(name)) > _LONGEST:  # no name looks like a page of text, and comparing it would take minutes
        return []
    by_lower: dict[str, str] = {}
    for candidate in (one for one in allowed if len(str(one)) <= _LONGEST):
        by_lower.setdefault(str(candidate).lower(), str(candidate))
    found = difflib.get_close_matches(str(name).lower(), list(by_lower), n=n, cutoff=0.5)
    return [by_lower[key] for key in found]


def unknown(what: str, name: str, allowed: Iterable[str]) -> str:
    """The sentence for a name that is not allowed: the culprit, the nearest match and what was allowed.

    Example:
        >>> unknown("attribute", "Smilling", ["Male", "Smiling"])
        "unknown attribute 'Smilling'; did you mean 'Smiling'? Allowed: Male, Smiling"
    """
    allowed = [str(a) for a in allowed]
    close = nearest(name, allowed)
    hint = f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else "."
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..."
    return f"unknown {what} {shown!r}{hint} Allowed: {', '.join(allowed)}"

"""What a user may write into a `DiscreteSCM` and its queries: names, values, laws of exogenous variables."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from .errors import CausalCFError, ImpossibleWorldError, unknown

Law = dict[Any, float]  # value -> its probability, all positive

TOLERANCE = 1e-9  # how far a law's probabilities may miss a sum of one by rounding


def as_value(what: str, value: Any) -> Any:
    """A value in the form in which values are compared: True counts as 1, False as 0, numpy's scalars as Python's.

    Args:
        what: how the error calls it, as in "do S".
        value: anything hashable that equals itself.

    Raises:
        CausalCFError: None, a function, an array or tensor, NaN, or anything else that cannot be looked up.

    Example:
        >>> as_value("do S", True), as_value("do S", "red")
        (1, 'red')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    try:
        hash(value)
        itself = value == value
    except Exception:  # a list, an array; or whatever a class of the user's own raises
        itself = False
    if value is None or callable(value) or itself is not True:
        raise CausalCFError(f"{what} is {reprlib.repr(value)}: expected a number, a string or another hashable value")
    return value


def check_model(exogenous: Any, equations: Any) -> None:
    """Refuse what cannot be a model's exogenous variables and equations, before any law or equation is looked into.

    Raises:
        CausalCFError: no mappings, no variable at all, a name that is no string or used twice, an equation that is no
            function.
    """
    for what, mapping in (("exogenous", exogenous), ("equations", equations)):
        if not isinstance(mapping, Mapping):
            raise CausalCFError(f"{what}={reprlib.repr(mapping)}: expected a mapping from the variables' names")
    if not exogenous and not equations:
        raise CausalCFError("a model without variables: expected at least one, exogenous or with an equation")
    for name in (*exogenous, *equations):
        if not isinstance(name, str):
            raise CausalCFError(f"the variable {name!r}: expected a string for its name")
    for name, equation in equations.items():
        if name in exogenous:
            raise CausalCFError(f"{name!r} is exogenous and has an equation: expected one of the two")
        if not callable(equation):
            raise CausalCFError(f"the equation of {name!r} is {equation!r}: expected a function of the earlier values")


def as_stickiness(value: Any) -> float:
    """A stickiness, checked.

    Raises:
        CausalCFError: no number in [0, 1].
    """
    if not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0:
        raise CausalCFError(f"stickiness={reprlib.repr(value)}: expected a number in [0, 1]")
    return float(value)


def check_agree(what: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Refuse two assignments that give one variable two values.

    Raises:
        ImpossibleWorldError: names the variable.
    """
    for name in first:
        if name in second and first[name] != second[name]:
            raise ImpossibleWorldError(f"{what} contradict each other about {name!r}")


def assignment(names: tuple[str, ...], what: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The named values of a query, checked.

    Args:
        names: the variables allowed.
        what: how the error calls the mapping: "facts", "do", ...
        values: {name: value}, or None for none.

    Raises:
        CausalCFError: no mapping, an unknown name, or what no variable can be.
    """
    if values is not None and not isinstance(values, Mapping):
        raise CausalCFError(f"{what}={values!r}: expected a mapping such as {{{names[0]!r}: 1}}")
    checked = {}
    for name, value in (values or {}).items():
        if name not in names:
            raise CausalCFError(f"{what}: " + unknown("variable", name, names))
        checked[name] = as_value(f"{what} {name}", value)
    return checked


def describe(values: Mapping[str, Any]) -> str:
    """An assignment as a reader writes it: "B=1, S=0"."""
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "nothing"


def as_law(name: str, law: Any) -> Law:
    """The law of one exogenous variable.

    Args:
        name: the variable.
        law: the probability of 1 against 0, or {value: probability}.

    Returns:
        The values of positive probability, in the order given.

    Raises:
        CausalCFError: a number outside [0, 1], or probabilities that do not sum to one (up to 1e-9, for rounding).

    Example:
        >>> as_law("uB", 0.25), as_law("dice", {"six": 0.25, "other": 0.75, "edge": 0})
        ({0: 0.75, 1: 0.25}, {'six': 0.25, 'other': 0.75})
    """
    if not isinstance(law, Mapping):
        one = _probability(f"exogenous {name!r}", law)
        return {value: p for value, p in ((0, 1.0 - one), (1, one)) if p > 0}
    listed = {}
    for value, p in law.items():
        listed[as_value(f"a value of exogenous {name!r}", value)] = _probability(f"P({name}={value!r})", p)
    total = math.fsum(listed.values())
    if abs(total - 1.0) > TOLERANCE:
        raise CausalCFError(f"exogenous {name!r}: the probabilities sum to {total:.12g}; expected a sum of 1")
    return {value: p / total for value, p in listed.items() if p > 0}


def _probability(what: str, p: Any) -> float:
    if not isinstance(p, Real) or not 0.0 <= float(p) <= 1.0:
        raise CausalCFError(f"{what}={reprlib.repr(p)}: expected a probability, a number in [0, 1]")
    return float(p)

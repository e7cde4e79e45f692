"""How figures of a report are written: rates and effects to three decimals, "–" for what is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = "–"


def number(value: float | None, form: str = ".3f") -> str:
    """A figure in a format of Python's; a negative zero loses its sign.

    Example:
        >>> number(-0.0001), number(0.25, "+.3f"), number(None)
        ('0.000', '+0.250', '–')
    """
    if value is None:
        return NOTHING
    written = format(value, form)
    return format(0.0, form) if float(written) == 0 and "e" not in written else written


def effect(value: float | None) -> str:
    """An effect, with its sign."""
    return number(value, "+.3f")


def interval(ends: Sequence[float | None] | None, form: str = "+.3f") -> str:
    """An interval in brackets."""
    if ends is None or None in ends:
        return NOTHING
    return f"[{number(ends[0], form)}, {number(ends[1], form)}]"


def with_interval(value: float | None, ends: Sequence[float | None] | None, form: str = "+.3f") -> str:
    """A figure and its interval, of which there may be none.

    Example:
        >>> with_interval(-0.04, [-0.05, -0.03])
        '-0.040 [-0.050, -0.030]'
    """
    told = interval(ends, form)
    return number(value, form) if told == NOTHING or value is None else f"{number(value, form)} {told}"


def estimate(found: Mapping[str, Any] | None, form: str = ".3f") -> str:
    """{"value", "low", "high"} in words."""
    return NOTHING if found is None else with_interval(found["value"], (found["low"], found["high"]), form)


def is_estimate(found: object) -> bool:
    """Whether this is an {"value", "low", "high"}."""
    return isinstance(found, Mapping) and {"value", "low", "high"} <= set(found)


def p_value(p: float | None) -> str:
    """Two digits.

    Example:
        >>> p_value(0.0123), p_value(0.0)
        ('0.012', '< 1e-300')
    """
    if p is None:
        return NOTHING
    return "< 1e-300" if p < 1e-300 else f"{p:.2g}"


def count(n: int | None) -> str:
    """A number of things, in groups of thousands."""
    return NOTHING if n is None else f"{n:,}"


def anything(found: object) -> str:
    """A value of a kind not known beforehand: four digits for fractions, lists and mappings in words."""
    if found is None or found == "":
        return NOTHING
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, float):
        return number(found, ".4g")
    if isinstance(found, Mapping):
        return estimate(found, ".4g") if is_estimate(found) else conditions(found) or NOTHING
    if isinstance(found, (list, tuple)):
        return ", ".join(map(anything, found)) or NOTHING
    return str(found)


def conditions(values: Mapping[str, Any]) -> str:
    """Labels and their values.

    Example:
        >>> conditions({"Male": 1, "Young": 0})
        'Male = 1, Young = 0'
    """
    return ", ".join(f"{name} = {anything(value)}" for name, value in values.items())

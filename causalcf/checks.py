"""Checks of arguments and options: each error names the value, what is allowed and the nearest match."""

from __future__ import annotations

import math
import os
import reprlib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from .errors import CausalCFError, RecipeError, unknown

MAX_HELD = 2**31  # numbers in one array: 8 GiB in single precision
# torch's CPU generator heeds a seed's low 32 bits alone: a larger one would draw what a smaller one draws.
SEEDS = 2**32
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def check(ok: bool, name: str, value: object, allowed: str, error: type[CausalCFError] = CausalCFError) -> None:
    """Raise `error` with the argument's name, its value and what is allowed, unless `ok`."""
    if not ok:
        raise error(f"{name} is {' '.join(reprlib.repr(value).split())}; it must be {allowed}")


def check_count(
    name: str, value: Any, least: int = 1, error: type[CausalCFError] = CausalCFError, each: int = 0
) -> None:
    """Check a whole number of at least `least`; with `each` numbers per item, at most 2^31 numbers."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    check(whole and value >= least, name, value, f"a whole number, at least {least}", error)
    most = MAX_HELD // each if each else 2**63 - 1
    why = f", as each takes {each:,} numbers" if each else ""
    check(value <= most, name, value, f"at most {most:,}{why}", error)


def check_choice(name: str, value: Any, allowed: Iterable[str], error: type[CausalCFError] = CausalCFError) -> str:
    """Return a name that is one of those allowed; anything else, a list too, is refused with the nearest."""
    names = list(allowed)
    if not isinstance(value, str):
        raise error(f"{name} is {reprlib.repr(value)}; it must be one of {', '.join(names)}")
    if value not in names:
        raise error(unknown(name, value, names))
    return value


def is_share(value: Any) -> bool:
    """Return whether a value is a real number in [0, 1]."""
    return isinstance(value, Real) and 0.0 <= float(value) <= 1.0


def as_names(name: str, value: Iterable[str], error: type[CausalCFError] = CausalCFError) -> tuple[str, ...]:
    """Return a list of names as a tuple; a single string is an error."""
    listed = isinstance(value, Iterable) and not isinstance(value, str)
    names = tuple(value) if listed else ()
    check(listed and all(isinstance(one, str) for one in names), name, value, "a list of names", error)
    return names


def check_path(name: str, value: Any, error: type[CausalCFError]) -> None:
    """Check that a value is a path: a string or path object without null characters."""
    check(isinstance(value, (str, os.PathLike)) and "\0" not in str(value), name, value, "a path", error)


def check_floats(name: str, value: Any, shape: tuple[int | None, ...], said: str) -> None:
    """Check a float tensor and its shape; None in `shape` is any size, `said` the shape in words."""
    import torch

    if not isinstance(value, torch.Tensor):
        array = "; torch.from_numpy makes one" if type(value).__name__ == "ndarray" else ""
        raise CausalCFError(f"{name} is a {type(value).__name__}; expected a tensor of shape {said}{array}")
    if value.ndim != len(shape) or not all(a in (None, b) for a, b in zip(shape, value.shape, strict=True)):
        raise CausalCFError(f"{name} have shape {tuple(value.shape)}; expected {said}")
    if not value.is_floating_point():
        of_bytes = " (of bytes x, x / 255)" if value.dtype == torch.uint8 else ""
        raise CausalCFError(f"{name} are {str(value.dtype).removeprefix('torch.')}; expected floats{of_bytes}")


def _check_type(name: str, value: Any, hint: Any, error: type[CausalCFError]) -> None:
    """Check a value's type; an int may stand for a float."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if any(_is_a(value, kind) for kind in kinds):
        return
    names = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if names and isinstance(value, str):
        raise error(unknown(name, value, names))
    raise error(f"{name} is {reprlib.repr(value)}; it must be {' or '.join(map(_said, kinds))}")


def _is_a(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    if kind is float and type(value) is int:
        return abs(value) < 2**1000  # what a float can hold
    if isinstance(get_origin(kind) or kind, type) and kind not in _WORDS:
        return isinstance(value, get_origin(kind) or kind)
    return type(value) is kind


def _said(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return "a list of names" if get_origin(kind) is tuple else _WORDS.get(kind, str(kind))


def require(ok: bool, name: str, value: object, allowed: str) -> None:
    """Raise a `RecipeError` that names the option and what is allowed, unless `ok`."""
    if not ok:
        raise RecipeError(f"{name} is {value}; it must be {allowed}")


def option(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    **flag: Any,
) -> Any:
    """Return a field of an `Options` class: its default, its help text, its range and the form of its flag.

    Args:
        low, high: the smallest and the largest value allowed.
        above, below: the same, but excluded.
        flag: `name` ("--json"), `metavar`, `nargs`, `const`, `choices`, `action`; `switches` {"--do": ("do", help)}
            sets the field to a constant each; `parse` turns what was typed into the value.
    """
    bounds = (low, high, above, below)
    return field(default=default, metadata={"help": text, "bounds": bounds, "flag": flag})


@dataclass(frozen=True)
class Options:
    """Base of recipes and of the commands' options: each is declared once, as a field made by `option`.

    `_error` is raised for bad values. `_GROUPS` orders the help. `_RENAMED` maps an old key to its new name and to a
    function from the old value, and all values given, to the new value.
    """

    _error: ClassVar[type[CausalCFError]] = RecipeError
    _GROUPS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    _RENAMED: ClassVar[Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], Any]]]] = {}

    @classmethod
    def _shown(cls, name: str) -> str:
        """Return an option as error messages name it."""
        return name


def option_names(options: type[Options]) -> list[str]:
    """Return the names of all options of a class."""
    return [f.name for f in fields(options) if "help" in f.metadata]


def with_new_names(
    options: type[Options], values: Mapping[str, Any], context: Mapping[str, Any], warn: bool = True
) -> dict[str, Any]:
    """Return values under today's names; `context` holds all values that are known."""
    found = {}
    for name, value in values.items():
        new, convert = options._RENAMED.get(name, (name, None))
        if convert is not None:
            old, today = options._shown(name), options._shown(new)
            if new in values:
                raise options._error(f"{old} is the old name of {today}; leave it out")
            try:
                value = convert(value, context)
            except RecipeError as error:
                raise options._error(f"{old}: {error}") from None
            if warn:
                text = f"{old} is now {today}, here {value}; the old name goes in the next release"
                warnings.warn(text, FutureWarning, stacklevel=2)
        found[new] = value
    return found


def check_options(options: Options) -> None:
    """Check types and ranges of all options; the first that is wrong is an error."""
    hints = get_type_hints(type(options))
    for name in option_names(type(options)):
        _check_type(name, getattr(options, name), hints[name], options._error)
    for f in fields(options):
        value = getattr(options, f.name)
        if "bounds" in f.metadata and isinstance(value, (int, float)) and not isinstance(value, bool):
            real = isinstance(f.default, float) or isinstance(value, float)
            allowed = _broken(value, real, *f.metadata["bounds"])
            if allowed:
                raise options._error(f"{options._shown(f.name)} is {value}; it must be {allowed}")


def _broken(
    value: float, real: bool, low: float | None, high: float | None, above: float | None, below: float | None
) -> str:
    """Return what is allowed if the value is not, else ""."""
    finite = isinstance(value, int) or math.isfinite(value)  # a whole number may be too long for a float
    within = finite and not (
        (low is not None and value < low)
        or (high is not None and value > high)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
    )
    if within:
        return ""
    if below is not None or (real and high is not None):
        end = f"{'2^32' if below == SEEDS else f'{below:g}'})" if below is not None else f"{high:g}]"
        return f"in {'[' if low is not None else '('}{low if low is not None else above:g}, {end}"
    if above is not None:
        return f"a finite number above {above:g}"
    if real:
        return f"a finite number, at least {low:g}"
    if low is not None and value < low:
        return f"at least {low}"
    return f"at most {high:,}"

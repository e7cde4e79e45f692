"""Checks of arguments and options: each error names the value, what is allowed and the nearest match."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from numbers import Integral, Real
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import CausalCFError, RecipeError, unknown

if TYPE_CHECKING:
    from torch import Tensor

MAX_HELD = 2**31  # numbers in one array: 8 GiB in single precision
# torch's CPU generator heeds a seed's low 32 bits alone: a larger one would draw what a smaller one draws.
SEEDS = 2**32


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
    """Return a name that is one of those allowed; anything else, a list too, is refused with the nearest.

    Raises:
        CausalCFError: (or `error`)

    Example:
        >>> check_choice("prior", "unifrom", ["uniform", "normal"])
        Traceback (most recent call last):
        causalcf.errors.CausalCFError: unknown prior 'unifrom'; did you mean 'uniform'? Allowed: uniform, normal
    """
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
        raise CausalCFError(f"{name} is a {type(value).__name__}; expected a tensor of shape {said}")
    check_shape(name, value, shape, said)
    if not value.is_floating_point():
        raise CausalCFError(f"{name} are {str(value.dtype).removeprefix('torch.')}; expected floats")


def check_shape(name: str, value: Tensor, shape: tuple[int | None, ...], said: str) -> None:
    """Check a tensor's shape as `check_floats` does, for any dtype."""
    fits = value.ndim == len(shape) and all(a in (None, b) for a, b in zip(shape, value.shape, strict=True))
    if not fits:
        raise CausalCFError(f"{name} have shape {tuple(value.shape)}; expected {said}")


_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def check_types(options: Any, error: type[CausalCFError]) -> None:
    """Check the types of all fields of a dataclass; an int may stand for a float."""
    for name, hint in get_type_hints(type(options)).items():
        value, kinds = getattr(options, name), get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        if any(_is_a(value, kind) for kind in kinds):
            continue
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
    return type(value) is kind


def _said(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    return "a list of names" if get_origin(kind) is tuple else _WORDS[kind]


# Above these a run fits no machine; a recipe from elsewhere may ask for anything.
MAX: Mapping[str, int] = {
    **dict.fromkeys(("images", "tick", "statement_from", "statement_every"), 2**40),
    **dict.fromkeys(("batch", "statement_group", "noise_dim"), 2**16),
    **dict.fromkeys(("width", "labeler_width"), 1024),
    "data_size": 2**24,
}


def option(default: Any, text: str) -> Any:
    """Return a dataclass field with its default and its help text."""
    return field(default=default, metadata={"help": text})


def require(ok: bool, name: str, value: object, allowed: str) -> None:
    """Raise a `RecipeError` that names the option and what is allowed, unless `ok`."""
    if not ok:
        raise RecipeError(f"{name} is {value}; it must be {allowed}")

"""What a function's arguments must be, each refused with its name and what is allowed."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from .errors import CausalCFError, unknown

if TYPE_CHECKING:
    from torch import Tensor

MOST_HELD = 2**31  # numbers in one array: 8 GiB in single precision
# torch's CPU generator heeds a seed's low 32 bits alone: a larger one would draw what a smaller one draws.
SEEDS = 2**32


def check(ok: bool, name: str, value: object, allowed: str, error: type[CausalCFError] = CausalCFError) -> None:
    """Refuse an argument unless `ok`.

    Raises:
        CausalCFError: (or `error`) what the argument is, shortened to one line, and what it must be.

    Example:
        >>> check(False, "draws", 0.5, "a whole number, at least 1")
        Traceback (most recent call last):
        causalcf.errors.CausalCFError: draws is 0.5; it must be a whole number, at least 1
    """
    if not ok:
        raise error(f"{name} is {' '.join(reprlib.repr(value).split())}; it must be {allowed}")


def check_count(
    name: str, value: Any, least: int = 1, error: type[CausalCFError] = CausalCFError, each: int = 0
) -> None:
    """Refuse a count that is no whole number from `least`, or of more than could be held at once.

    Args:
        each: numbers that one of them takes, where an array holds them all; 0 where none does.

    Raises:
        CausalCFError: (or `error`) names it.

    Example:
        >>> check_count("draws", 10**6, each=3 * 64 * 64)
        Traceback (most recent call last):
        causalcf.errors.CausalCFError: draws is 1000000; it must be at most 174,762, as each takes 12,288 numbers
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    check(whole and value >= least, name, value, f"a whole number, at least {least}", error)
    most = MOST_HELD // each if each else 2**63 - 1
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
    """Whether it is a number in [0, 1]."""
    return isinstance(value, Real) and 0.0 <= float(value) <= 1.0


def as_names(name: str, value: Iterable[str], error: type[CausalCFError] = CausalCFError) -> tuple[str, ...]:
    """A list of names as a tuple; one text is no list of names, as its letters would be taken for them.

    Raises:
        CausalCFError: (or `error`)
    """
    listed = isinstance(value, Iterable) and not isinstance(value, str)
    names = tuple(value) if listed else ()
    check(listed and all(isinstance(one, str) for one in names), name, value, "a list of names", error)
    return names


def check_path(name: str, value: Any, error: type[CausalCFError]) -> None:
    """Refuse what is no path.

    Raises:
        CausalCFError: (`error`)
    """
    check(isinstance(value, (str, os.PathLike)) and "\0" not in str(value), name, value, "a path", error)


def check_floats(name: str, value: Any, shape: tuple[int | None, ...], said: str) -> None:
    """Refuse what is no floating-point tensor of a shape; None in it is any size.

    Args:
        said: the shape in words, such as "(n, 3, 64, 64)".

    Raises:
        CausalCFError: says what was found.
    """
    import torch

    if not isinstance(value, torch.Tensor):
        raise CausalCFError(f"{name} is a {type(value).__name__}; expected a tensor of shape {said}")
    check_shape(name, value, shape, said)
    if not value.is_floating_point():
        raise CausalCFError(f"{name} are {str(value.dtype).removeprefix('torch.')}; expected floats")


def check_shape(name: str, value: Tensor, shape: tuple[int | None, ...], said: str) -> None:
    """Refuse a tensor of another shape, as `check_floats` does.

    Raises:
        CausalCFError: says what was found.
    """
    fits = value.ndim == len(shape) and all(a in (None, b) for a, b in zip(shape, value.shape, strict=True))
    if not fits:
        raise CausalCFError(f"{name} have shape {tuple(value.shape)}; expected {said}")

"""Whether a recipe's fields have the types that they are annotated with: a checkpoint or a program may hold any."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import field
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import CausalCFError, RecipeError, unknown

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def check_types(options: Any, error: type[CausalCFError]) -> None:
    """Refuse a dataclass with a field of another type; a whole number may stand for a float.

    Args:
        options: its fields are texts, numbers, booleans, `Literal`s of texts, tuples of texts, or None.
        error: what is raised.

    Raises:
        CausalCFError: (`error`) names the field, what is allowed and, of names, the nearest.
    """
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
MOST: Mapping[str, int] = {
    **dict.fromkeys(("images", "tick", "statement_from", "statement_every"), 2**40),
    **dict.fromkeys(("batch", "statement_group", "noise_dim"), 2**16),
    **dict.fromkeys(("width", "labeler_width"), 1024),
    "data_size": 2**24,
}


def option(default: Any, text: str) -> Any:
    """A field with its default and the text that `--help` shows."""
    return field(default=default, metadata={"help": text})


def require(ok: bool, name: str, value: object, allowed: str) -> None:
    """Raises a `RecipeError` that says what an option is and what it must be, unless `ok`."""
    if not ok:
        raise RecipeError(f"{name} is {value}; it must be {allowed}")

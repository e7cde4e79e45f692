"""The keys of a comparison in a recipe file, and the flags over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from .classifiers.recipe import ClassifierRecipe
from .comparison_recipe import KEYS, ROLES, Comparison, comparison_from_dict, refuse_single
from .errors import RecipeError, unknown
from .flags import Flags
from .recipe import option_names

LISTS: Mapping[str, tuple[type, str]] = {
    "approaches": (str, "[causalgan, dcgan]"),
    "seeds": (int, "[0, 1]"),
    "told": (str, "[none, faces-true]"),
}
FLAGS = (*LISTS, "told_from")


def add_comparison_flags(parser: Flags) -> None:
    """--approaches, --seeds, --told and --told-from; the classifiers' settings stand in the file alone."""
    text = "what a comparison trains, a recipe with this key such as compare"
    parser.add_argument("--approaches", nargs="+", type=str, default=None, metavar="NAME", help=text)
    text = "a comparison's seeds; every approach is trained with each"
    parser.add_argument("--seeds", nargs="+", type=int, default=None, metavar="SEED", help=text)
    text = "a comparison's arms, which share a beginning: none, or the statements told (a YAML file, or a preset)"
    parser.add_argument("--told", nargs="+", type=str, default=None, metavar="NAME", help=text)
    parser.add_argument(
        "--told-from", type=int, default=0, metavar="IMAGES", help="length of that beginning, in images"
    )


def take_comparison(in_file: dict[str, Any]) -> dict[str, Any] | None:
    """Takes a comparison's own keys out of a recipe file, types checked; None for a file of one training.

    Raises:
        RecipeError: a key of a comparison in another recipe, an unknown key (naming the nearest) or a wrong type.
    """
    found = {key: in_file.pop(key) for key in KEYS if key in in_file}
    if "approaches" not in found:
        for key in found:
            raise RecipeError(f"{key} belongs to a comparison: a recipe with the key approaches")
        return None
    for key in in_file:
        refuse_single(key)
        if key not in option_names():
            raise RecipeError(unknown("key", key, [*option_names(), *KEYS]))
    for key in found:
        check = _section if key in ROLES else _list if key in LISTS else _number
        found[key] = check(key, found[key])
    return found


def compared(taken: Mapping[str, Any] | None, shared: Mapping[str, Any], flags: Mapping[str, Any]) -> Comparison | None:
    """The comparison that a recipe file and flags describe; None where the file holds none.

    Args:
        taken: the comparison's own keys in the file, or None.
        shared: keys of a `Recipe`, from file and flags.
        flags: the values of the flags on the command line, by name.

    Raises:
        RecipeError: a flag that does not go with the recipe, or a value out of range.
    """
    given = {key: flags[key] for key in FLAGS if key in flags}
    if taken is None:
        for key in given:
            raise RecipeError(f"--{key.replace('_', '-')} belongs to a comparison, such as --recipe compare")
        return None
    for key in flags:
        refuse_single(key, "--")
    if "resume" in flags:
        raise RecipeError("--resume goes on with one run; a comparison goes on when its command is given again")
    return comparison_from_dict({**shared, **taken, **given})


def _list(key: str, value: Any) -> list[Any]:
    kind, example = LISTS[key]
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        raise RecipeError(f"{key} is {value!r}; it must be a list, such as {example}")
    return value


def _number(key: str, value: Any) -> int:
    if type(value) is not int:
        raise RecipeError(f"{key} is {value!r}; it must be a number of images, such as 40960")
    return value


def _section(role: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecipeError(f"{role} is {value!r}; it must be a mapping from a classifier's options to values")
    parser, types = Flags(refuse=RecipeError), get_type_hints(ClassifierRecipe)
    for option in fields(ClassifierRecipe):
        parser.add_argument("--" + option.name.replace("_", "-"), type=types[option.name], default=option.default)
    try:
        return vars(parser.parse_object(value, defaults=False))
    except RecipeError as error:
        raise RecipeError(f"{role}: {error}") from None

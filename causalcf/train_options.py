"""The command line of `python -m causalcf.train`: a recipe file, and every key of a recipe as a flag over it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NoReturn, get_type_hints

import yaml
from jsonargparse import ArgumentParser

from .errors import RecipeError, nearest
from .presets import find_preset, preset_names
from .recipe import Recipe, option_names, recipe_from_dict
from .yaml_tree import FileKind, read_mapping

DEFAULT = "faces"
RECIPE = FileKind("a recipe", "from options to values", RecipeError)
EXAMPLES = """examples:
  python -m causalcf.train --graph graphs/celeba.yaml
  python -m causalcf.train --data celeba --data-root PATH
  python -m causalcf.train --approach dcgan --images 50000
  python -m causalcf.train --resume runs/latest
"""


@dataclass(frozen=True)
class TrainOptions:
    """What a command line asks for.

    Args:
        recipe: the resolved recipe.
        given: the options set by flags, which override a resumed run's recipe.
        resume: the run to resume, or None.
        dry_run: only print the resolved recipe.
    """

    recipe: Recipe
    given: dict[str, Any]
    resume: str | None
    dry_run: bool


class _Parser(ArgumentParser):
    """Reports every mistake as a `RecipeError` that names the nearest option."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise RecipeError(_explain(message))


def parse_options(arguments: Sequence[str]) -> TrainOptions:
    """Defaults, then the recipe file, then the flags, whatever their order on the command line.

    Raises:
        RecipeError: an unknown key or flag (naming the nearest), or a value of the wrong type or out of range.
    """
    parser = _parser()
    flags = parser.parse_args(list(arguments))
    given = {name: flags[name] for name in _named(arguments) if name in option_names()}
    path = find_preset("train", flags.recipe, RecipeError)
    try:
        in_file = vars(parser.parse_object(read_mapping(path, RECIPE), defaults=False))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    for name in set(in_file) - set(option_names()):
        raise RecipeError(f"{path}: {name} belongs on the command line, not in a recipe")
    recipe = recipe_from_dict({**in_file, **given})
    return TrainOptions(recipe, given, flags.resume, flags.dry_run)


def resolved(recipe: Recipe) -> str:
    """The recipe as YAML."""
    return yaml.safe_dump(recipe.to_dict(), sort_keys=False)


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m causalcf.train",
        description="Train a GAN whose labels follow a causal graph.",
        epilog=EXAMPLES,
        allow_abbrev=False,
        default_env=False,
    )
    presets = ", ".join(preset_names("train"))
    parser.add_argument("--recipe", type=str, default=DEFAULT, help=f"recipe: a YAML file or one of {presets}")
    parser.add_argument("--resume", type=str | None, default=None, help="go on with an interrupted run directory")
    parser.add_argument("--dry-run", action="store_true", help="print the resolved recipe and stop")
    types = get_type_hints(Recipe)
    for option in fields(Recipe):
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, type=types[option.name], default=option.default, help=option.metadata["help"])
    return parser


def _named(arguments: Sequence[str]) -> list[str]:
    """Options that the command line names."""
    flags = [argument for argument in arguments if argument.startswith("--")]
    return [flag[2:].split("=")[0].replace("-", "_") for flag in flags]


def _explain(message: str) -> str:
    """jsonargparse's message as one sentence, with the nearest option where it names an unknown one."""
    wrong = re.search(r"[Uu]nrecognized arguments: (\S+)", message)
    if wrong:
        flags = ["--" + name.replace("_", "-") for name in [*option_names(), "recipe", "resume", "dry_run"]]
        return _unknown("option", wrong.group(1).split("=")[0], flags)
    wrong = re.search(r"Option '(.+)' is not accepted", message)
    if wrong:
        return _unknown("key", wrong.group(1), option_names())
    return " ".join(message.replace("Parser key", "option").split())


def _unknown(what: str, name: str, allowed: Sequence[str]) -> str:
    close = nearest(name, allowed)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(allowed)}"
    return f"unknown {what} {name}; {hint}"

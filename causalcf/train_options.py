"""The command line of `python -m causalcf.train`: a recipe file, and every key of a recipe as a flag over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import yaml

from .errors import RecipeError
from .flags import Flags
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


def _parser() -> Flags:
    parser = Flags(
        refuse=RecipeError,
        prog="python -m causalcf.train",
        description="Train a GAN whose labels follow a causal graph.",
        epilog=EXAMPLES,
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

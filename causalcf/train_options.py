"""The command line of `python -m causalcf.train`: a recipe file, and every key of a recipe as a flag over it."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import yaml

from .comparison_options import add_comparison_flags, compared, take_comparison
from .comparison_recipe import Comparison
from .errors import RecipeError
from .flags import Flags
from .presets import find_preset, preset_names
from .recipe import Recipe, option_names, recipe_from_dict
from .yaml_tree import FileKind, read_mapping

DEFAULT, PHOTOGRAPHS = "faces", "celeba-cpu"  # recipes taken where none is named
RECIPE = FileKind("a recipe", "from options to values", RecipeError)
DESCRIPTION = """Train a GAN whose labels follow a causal graph.

A recipe sets options anew: --dry-run prints what it comes to."""
EXAMPLES = """examples:
  python -m causalcf.train --graph graphs/celeba.yaml
  python -m causalcf.train --data celeba --data-root PATH
  python -m causalcf.train --approach dcgan --images 50000
  python -m causalcf.train --resume runs/latest
  python -m causalcf.train --recipe compare
"""


@dataclass(frozen=True)
class TrainOptions:
    """What a command line asks for.

    Args:
        recipe: the resolved recipe; of a comparison, what all its trainings share.
        given: the options set by flags, which override a resumed run's recipe.
        resume: the run to resume, or None.
        dry_run: only print what was resolved.
        changed_data: resume although the images have changed.
        comparison: the comparison to train, or None.
    """

    recipe: Recipe
    given: dict[str, Any]
    resume: str | None
    dry_run: bool
    comparison: Comparison | None = None
    changed_data: bool = False


def parse_options(arguments: Sequence[str]) -> TrainOptions:
    """Defaults, then the recipe file, then the flags, whatever their order on the command line.

    Raises:
        RecipeError: an unknown key or flag (naming the nearest), or a value of the wrong type or out of range.
    """
    parser = _parser()
    flags = parser.parse_args(list(arguments))
    named = {name: flags[name] for name in _named(arguments) if name in flags}
    given = {name: value for name, value in named.items() if name in option_names()}
    if flags.changed_data and flags.resume is None:
        raise RecipeError("--changed-data has a meaning only with --resume: a new run takes whatever images there are")
    usual = DEFAULT if flags.data == DEFAULT else PHOTOGRAPHS
    path = find_preset("train", usual if flags.recipe is None else flags.recipe, RecipeError)
    try:
        mapping = read_mapping(path, RECIPE)
        taken = take_comparison(mapping)
        in_file = vars(parser.parse_object(mapping, defaults=False))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    for name in set(in_file) - set(option_names()):
        raise RecipeError(f"{path}: {name} belongs on the command line, not in a recipe")
    comparison = compared(taken, {**in_file, **given}, named)
    recipe = recipe_from_dict({**in_file, **given}) if comparison is None else comparison.recipe
    return TrainOptions(recipe, given, flags.resume, flags.dry_run, comparison, flags.changed_data)


def resolved(recipe: Recipe | Comparison) -> str:
    """The recipe as YAML, from which the same can be trained."""
    return yaml.safe_dump(recipe.to_dict(), sort_keys=False)


def _parser() -> Flags:
    parser = Flags(
        refuse=RecipeError,
        prog="python -m causalcf.train",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    presets = ", ".join(preset_names("train"))
    usual = f"{DEFAULT}, or with --data celeba or folder {PHOTOGRAPHS}"
    parser.add_argument(
        "--recipe", type=str | None, default=None, help=f"a YAML file or one of {presets}; where left out, {usual}"
    )
    parser.add_argument(
        "--resume",
        type=str | None,
        default=None,
        help="go on with an interrupted run directory, or from a checkpoint in it",
    )
    parser.add_argument(
        "--changed-data", action="store_true", help="with --resume: go on although the images have changed"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the resolved recipe and stop; with --resume, the run's"
    )
    types = get_type_hints(Recipe)
    for option in fields(Recipe):
        flag = "--" + option.name.replace("_", "-")
        parser.add_argument(flag, type=types[option.name], default=option.default, help=option.metadata["help"])
    add_comparison_flags(parser)
    return parser


def _named(arguments: Sequence[str]) -> list[str]:
    """Options that the command line names."""
    flags = [argument for argument in arguments if argument.startswith("--")]
    return [flag[2:].split("=")[0].replace("-", "_") for flag in flags]

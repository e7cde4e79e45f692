"""`python -m causalcf.classify`: train a calibrated classifier of face attributes and write a report."""

from __future__ import annotations

import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import get_type_hints

from .classifiers.recipe import ClassifierRecipe, classifier_recipe, option_names
from .cli.command import run
from .cli.parser import Flags
from .errors import RecipeError

ALL = "all"
EXAMPLES = """examples:
  python -m causalcf.classify --data faces
  python -m causalcf.classify --data celeba --data-root PATH
  python -m causalcf.classify --data celeba --data-root PATH --network alexnet --attributes Male Smiling
  python -m causalcf.classify --data faces --role judge --seed 1
  python -m causalcf.classify --report-only runs/classifier-celeba
"""


@dataclass(frozen=True)
class ClassifyOptions:
    """Parsed command line; with `report_only`, only `device` and `data_root` of the recipe count."""

    recipe: ClassifierRecipe
    report_only: str | None


def parse_options(arguments: Sequence[str]) -> ClassifyOptions:
    """Parse the flags; an unknown flag is a `RecipeError` that names the nearest one."""
    flags = _parser().parse_args(list(arguments))
    if flags.report_only is not None:
        _only_for_a_report(arguments)
        return ClassifyOptions(
            replace(ClassifierRecipe(), device=flags.device, data_root=flags.data_root), flags.report_only
        )
    values = {name: flags[name] for name in option_names()}
    if values["attributes"] == [ALL]:
        values["attributes"] = None
    return ClassifyOptions(classifier_recipe(values), None)


def _parser() -> Flags:
    parser = Flags(
        refuse=RecipeError,
        prog="python -m causalcf.classify",
        description="Train a classifier that reads attributes off faces; calibrate it, and report on unseen images.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    types = get_type_hints(ClassifierRecipe)
    for option in fields(ClassifierRecipe):
        text = option.metadata["help"]
        if option.name == "attributes":
            parser.add_argument(_flag(option.name), nargs="+", type=str, default=None, metavar="NAME", help=text)
        else:
            parser.add_argument(_flag(option.name), type=types[option.name], default=option.default, help=text)
    text = "write the report of a finished classifier anew, on the device and data root given here"
    parser.add_argument("--report-only", type=str | None, default=None, metavar="FOLDER", help=text)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _only_for_a_report(arguments: Sequence[str]) -> None:
    """Refuse flags that have no effect beside --report-only."""
    allowed = {"--report-only", "--device", "--data-root"}
    for argument in arguments:
        name = argument.split("=")[0]
        if name.startswith("--") and name not in allowed:
            raise RecipeError(f"{name} has no meaning beside --report-only; there are {', '.join(sorted(allowed))}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are parsed."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    from .classifiers.experiment import make_classifier, report_again

    if options.report_only is not None:
        report_again(options.report_only, options.recipe.device, options.recipe.data_root)
    else:
        make_classifier(options.recipe)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))

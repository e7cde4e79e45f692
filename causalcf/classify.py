"""`python -m causalcf.classify`: train a calibrated classifier of face attributes and write a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .classifiers.recipe import ClassifierRecipe
from .cli.command import run
from .cli.parser import Flags, flag_of, named_options
from .errors import RecipeError

EXAMPLES = """examples:
  python -m causalcf.classify --data faces
  python -m causalcf.classify --data celeba --data-root PATH
  python -m causalcf.classify --data celeba --data-root PATH --network residual --attributes Male Smiling
  python -m causalcf.classify --data faces --role judge
  python -m causalcf.classify --report-only runs/classifier-celeba
"""


@dataclass(frozen=True)
class ClassifyOptions:
    """Parsed command line; with `report_only`, only `device` and `data_root` of the recipe count."""

    recipe: ClassifierRecipe
    report_only: str | None


def parse_options(arguments: Sequence[str]) -> ClassifyOptions:
    """Parse the flags; an unknown flag is a `RecipeError` that names the nearest one."""
    parser = _parser()
    if "report_only" not in named_options(arguments):
        return ClassifyOptions(parser.parse_options(ClassifierRecipe, arguments).validate(), None)
    flags, allowed = parser.parse_args(list(arguments)), ("data_root", "device", "report_only")
    for name in named_options(arguments):
        if name not in allowed:
            options = ", ".join(map(flag_of, allowed))
            raise RecipeError(f"{flag_of(name)} has no meaning beside --report-only; there are {options}")
    recipe = replace(ClassifierRecipe(), device=flags.device, data_root=flags.data_root)
    return ClassifyOptions(recipe, flags.report_only)


def _parser() -> Flags:
    parser = Flags(
        refuse=RecipeError,
        prog="python -m causalcf.classify",
        description="Train a classifier of face attributes, calibrate it, and report its scores on unseen images.",
        epilog=EXAMPLES,
    )
    text = "only write the report of a finished classifier again, with --device and --data-root"
    parser.add_argument("--report-only", type=str | None, default=None, metavar="FOLDER", help=text)
    parser.add_options(ClassifierRecipe)
    return parser


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

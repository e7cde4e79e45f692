"""`python -m causalcf.train`: train a causal GAN from a causal graph, with one command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .checks import option_names, require, with_new_names
from .cli.command import launched, run_together, say
from .cli.parser import Flags, named_options
from .errors import RecipeError, RunError
from .io.yaml import FileKind, find_preset, preset_names, read_mapping
from .runs.recipe import Recipe, recipe_from_dict
from .training.comparison_recipe import Comparison, add_comparison_flags, compared, take_comparison

PAGE = "page.html"  # in the folder of a finished run
DEFAULT, PHOTOGRAPHS, BEGAN = "faces", "celeba-cpu", "causalbegan"  # recipes taken where none is named
RECIPE = FileKind("a recipe", "from options to values", RecipeError)
DESCRIPTION = """Train a GAN whose labels follow a causal graph.

Options come from their defaults, then from the recipe, then from the flags. --dry-run prints the result."""
EXAMPLES = """examples:
  python -m causalcf.train --graph graphs/celeba.yaml
  python -m causalcf.train --data celeba --data-root PATH
  python -m causalcf.train --approach dcgan --images 50000
  python -m causalcf.train --resume runs/latest
  python -m causalcf.train --recipe compare
"""


@dataclass(frozen=True)
class TrainOptions:
    """Parsed options: the recipe (of a comparison what its trainings share), and what of it flags have `given`."""

    recipe: Recipe
    given: dict[str, Any]
    resume: str | None
    dry_run: bool
    comparison: Comparison | None = None
    changed_data: bool = False


def parse_options(arguments: Sequence[str]) -> TrainOptions:
    """Resolve the options: defaults, then the recipe file, then the flags, in any order of flags."""
    parser = _parser()
    flags = parser.parse_args(list(arguments))
    named = {name: flags[name] for name in named_options(arguments) if name in flags}
    if flags.changed_data and flags.resume is None:
        raise RecipeError("--changed-data has a meaning only with --resume: a new run takes whatever images there are")
    require(flags.resume != "", "--resume", "empty", "a run directory, or one of its checkpoints")
    usual = BEGAN if flags.approach == BEGAN else DEFAULT if flags.data == DEFAULT else PHOTOGRAPHS
    resumes = flags.resume is not None
    path = find_preset("train", usual if flags.recipe is None else flags.recipe, RecipeError)
    try:
        mapping = {} if resumes and flags.recipe is None else read_mapping(path, RECIPE)
        names = mapping.get("generator_labels")
        is_list = names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names))
        require(is_list, "generator_labels", repr(names), "a list of names")  # which the parser takes for granted
        taken = take_comparison(mapping)
        in_file = vars(parser.parse_object(mapping, defaults=False))
        in_file = with_new_names(Recipe, in_file, in_file)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
    for name in set(in_file) - set(option_names(Recipe)):
        raise RecipeError(f"{path}: {name} belongs on the command line, not in a recipe")
    recipe_flags = {name: value for name, value in named.items() if name in (*option_names(Recipe), *Recipe._RENAMED)}
    given = with_new_names(Recipe, recipe_flags, {**in_file, **recipe_flags})
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    comparison = compared(taken, {**in_file, **given}, named)
    require(not (resumes and flags.recipe), "--recipe", flags.recipe, "left out with --resume: a run keeps its own")
    if comparison is not None:
        recipe = comparison.recipe
    else:  # a resumed run has a recipe of its own, which its flags are checked against
        recipe = Recipe() if resumes else recipe_from_dict({**in_file, **given})
    return TrainOptions(recipe, given, flags.resume, flags.dry_run, comparison, flags.changed_data)


def resolved(recipe: Recipe | Comparison) -> str:
    """Return the recipe as YAML that trains the same again."""
    return yaml.safe_dump(recipe.to_dict(), sort_keys=False)


def _parser() -> Flags:
    parser = Flags(refuse=RecipeError, prog="python -m causalcf.train", description=DESCRIPTION, epilog=EXAMPLES)
    add, text = parser.add_argument, str | None
    presets = ", ".join(preset_names("train"))
    usual = f"{DEFAULT}; with --data celeba or folder, {PHOTOGRAPHS}; with --approach {BEGAN}, {BEGAN}"
    add("--recipe", type=text, default=None, help=f"a YAML file of options, or one of {presets}. Default: {usual}")
    add("--resume", type=text, default=None, help="continue an interrupted run directory, or one of its checkpoints")
    add("--changed-data", action="store_true", help="with --resume: continue although the images have changed")
    add("--dry-run", action="store_true", help="check the names of graph, data and statements; print the recipe; stop")
    parser.add_options(Recipe)
    add_comparison_flags(parser)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only when there is something to train."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    recipe, comparison = options.recipe, options.comparison
    if options.dry_run:
        from .graph.files import load_graph
        from .training.experiment import check_inputs, graph_of, resumed_recipe

        if options.resume is None:
            check_inputs(recipe)
        else:  # by its own graph and statements
            recipe = resumed_recipe(options.resume, options.given)
        if comparison is not None:
            given = graph_of(recipe).nodes if recipe.partial else None
            comparison.arms.load(load_graph(recipe.graph).nodes, given)
        print(resolved(comparison or recipe), end="")
        return 0
    if comparison is not None:
        if launched() > 1:
            raise RecipeError(
                f"recipe {recipe.name} is a comparison, which one process trains; start it without torchrun"
            )
        from .training.comparison import run_comparison

        return run_comparison(comparison)
    from .training.experiment import resume_run, start_run

    if options.resume:
        return resume_run(options.resume, options.given, options.changed_data, _write_page)
    return start_run(recipe, _write_page)


def _write_page(folder: Path) -> None:
    """Write the page of a finished run into its folder; one that a page cannot hold is no error."""
    from .page import write_page
    from .runs.loading import load_run

    try:
        path = write_page(load_run(folder, "cpu"), folder / PAGE)
    except RunError as error:
        say(f"no page was written: {error}")
    else:
        say(f"ask it in a browser: {path}")


if __name__ == "__main__":
    sys.exit(run_together(main))

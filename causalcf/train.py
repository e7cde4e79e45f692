"""`python -m causalcf.train`: from a causal graph to a trained causal GAN, with one command."""

from __future__ import annotations

import sys

from .comparison_recipe import Comparison
from .distributed.environment import launched
from .distributed.launch import run_together
from .errors import RecipeError
from .recipe import Recipe
from .train_options import TrainOptions, parse_options, resolved


def main(arguments: list[str] | None = None) -> int:
    """Parse, then train; torch is imported only once there is something to train."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    if options.dry_run:
        planned = _planned(options)
        _check_inputs(planned)
        print(resolved(planned), end="")
        return 0
    if options.comparison is not None:
        if launched() > 1:
            raise RecipeError(
                f"recipe {options.comparison.recipe.name} is a comparison, which one process trains; start it without "
                "torchrun"
            )
        from .comparison import run_comparison

        return run_comparison(options.comparison)
    from .experiment import resume_run, start_run

    if options.resume:
        return resume_run(options.resume, options.given, options.changed_data)
    return start_run(options.recipe)


def _check_inputs(planned: Recipe | Comparison) -> None:
    from .experiment import check_inputs, graph_of

    check_inputs(planned if isinstance(planned, Recipe) else planned.recipe)
    if isinstance(planned, Comparison):
        planned.told.load(graph_of(planned.recipe).nodes)


def _planned(options: TrainOptions) -> Recipe | Comparison:
    """What would be trained; of a run to be resumed its own recipe, which only its checkpoint tells."""
    if options.comparison is not None or options.resume is None:
        return options.comparison or options.recipe
    from .resuming import resumed_recipe

    return resumed_recipe(options.resume, options.given)


if __name__ == "__main__":
    sys.exit(run_together(main))

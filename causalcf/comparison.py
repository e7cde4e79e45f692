"""Trains a comparison, one training after the other; the same command again goes on where the last one stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from .classifiers.experiment import make_classifier, report_again
from .classifiers.recipe import ClassifierRecipe
from .classifiers.reporting import JSON
from .command import INTERRUPTED
from .comparison_found import find_trained_classifier, find_training
from .comparison_recipe import Comparison
from .comparison_told import Told
from .data.images import ImageData
from .errors import RecipeError, RunError
from .experiment import graph_of, resume_run, start_run, training_data
from .graph import CausalGraph
from .inert import escaped
from .precision import choose_device
from .recipe import Recipe
from .runs import FinishedRun

Say = Callable[[str], None]  # tells what becomes of one training, beside which one it is
Part = tuple[str, Callable[[Say], int]]  # a training and what it is called


def run_comparison(comparison: Comparison) -> int:
    """Trains every approach with every seed, the classifier and the judge.

    The classifier comes first where statements are told, because it reads images for them; else after the approaches.
    What is finished in the runs folder, with exactly the same recipe on the same graph and data, is not trained again;
    a training that was interrupted goes on.

    Args:
        comparison: what to train.

    Returns:
        0 when all of it is finished, 130 when it is interrupted.

    Raises:
        CausalCFError: whatever is wrong with the graph, the data, the device or an attribute, before anything long
            starts; or a training that diverged.
    """
    graph, recipe = graph_of(comparison.recipe), comparison.recipe
    choose_device(recipe.device)
    try:
        data = training_data(recipe, graph)
        comparison.told.load(graph.nodes)
        for classifier in (comparison.classifier, comparison.judge):
            _check_attributes(classifier, graph, data)
        for part in _parts(comparison, data.fingerprint):
            if part() == INTERRUPTED:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        _say("the comparison is interrupted; the same command goes on from here")
        return INTERRUPTED
    _say(f"the comparison is finished; its runs and classifiers are in {recipe.runs}")
    return 0


def _parts(comparison: Comparison, fingerprint: str) -> list[Callable[[], int]]:
    """The trainings, in order; each says which of how many it is."""
    told = comparison.told
    trainings = [part for recipe in comparison.recipes() for part in _trainings(recipe, told, fingerprint)]
    classifiers: list[Part] = [
        (f"{recipe.role}, seed {recipe.seed}", partial(_classify, recipe))
        for recipe in (comparison.classifier, comparison.judge)
    ]
    classifier, judge = classifiers
    parts = [classifier, *trainings, judge] if told.anything else [*trainings, classifier, judge]
    return [
        partial(part, partial(_tell, f"{number} of {len(parts)}: {name}"))
        for number, (name, part) in enumerate(parts, 1)
    ]


def _trainings(recipe: Recipe, told: Told, fingerprint: str) -> list[Part]:
    """One training of an approach and seed; where anything is told, its arms after their common beginning."""
    name = f"{recipe.approach}, seed {recipe.seed}"
    if not told.anything:
        return [(name, partial(_train, recipe, fingerprint))]
    base = told.base(recipe)
    beginning: Part = (f"{name}, beginning", partial(_train, base, fingerprint))
    arms = [(f"{name}, told {e}", partial(_train_arm, told, e, recipe, base, fingerprint)) for e in told.entries]
    return [beginning, *arms]


def _train_arm(told: Told, entry: str, recipe: Recipe, base: Recipe, fingerprint: str, say: Say) -> int:
    beginning = find_training(base, fingerprint)
    if not isinstance(beginning, FinishedRun):  # removed since it was trained or found
        raise RunError(f"the beginning of {recipe.approach}, seed {recipe.seed}, is gone from {recipe.runs}")
    return _train(told.arm(entry, recipe, beginning.folder.name), fingerprint, say)


def _train(recipe: Recipe, fingerprint: str, say: Say) -> int:
    found = find_training(recipe, fingerprint)
    if isinstance(found, FinishedRun):
        say(f"; finished before, in {found.folder}")
        return 0
    if found is None:
        say("")
        return start_run(recipe)
    say(f"; goes on in {found.folder}")
    return resume_run(str(found.folder), {"images": recipe.images})


def _classify(recipe: ClassifierRecipe, say: Say) -> int:
    folder = find_trained_classifier(recipe)
    if folder is None:
        say("")
        make_classifier(recipe)
    elif (folder / JSON).is_file():
        say(f"; finished before, in {folder}")
    else:
        say(f"; trained before, its report is still to be written; {folder}")
        report_again(str(folder), recipe.device)
    return 0


def _check_attributes(recipe: ClassifierRecipe, graph: CausalGraph, data: ImageData) -> None:
    """Refuses a classifier that does not read what the approaches are compared by."""
    if recipe.attributes is None:
        return
    data.select(recipe.attributes)
    missing = [node for node in graph.nodes if node not in recipe.attributes]
    if missing:
        raise RecipeError(f"{recipe.role}: attributes lacks {', '.join(missing)}; it must name every node of the graph")


def _tell(which: str, what: str) -> None:
    _say(which + what)


def _say(text: str) -> None:
    print(escaped(text), file=sys.stderr)

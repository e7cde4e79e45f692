"""Trainings of a comparison, one after the other; finished ones are found and not trained again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..checks import with_new_names
from ..classifiers.experiment import make_classifier, report_again
from ..classifiers.recipe import ClassifierRecipe
from ..classifiers.report import JSON
from ..classifiers.splits import split_data
from ..classifiers.storage import NAME as CLASSIFIER
from ..cli.command import INTERRUPTED, say
from ..data.images import ImageData
from ..errors import GraphError, RecipeError, RunError, StatementError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph
from ..io.folders import META, folders_in, read_meta
from ..language.lists import load_statements
from ..networks.precision import choose_device
from ..runs.directory import CHECKPOINT, GRAPH, STATEMENTS, FinishedRun, StoredRun, stored_runs
from ..runs.recipe import UNCOMPARED, Recipe
from .comparison_recipe import Arms, Comparison
from .experiment import graph_of, resume_run, start_run, training_data


def find_training(recipe: Recipe, fingerprint: str) -> StoredRun | None:
    """Return a recipe's newest finished run, else the unfinished one with the most images, else None."""
    same = [run for run in stored_runs(recipe.runs_dir) if _matches(run, recipe, fingerprint)]
    finished = [run for run in same if isinstance(run, FinishedRun)]
    if finished:
        return finished[-1]
    started = [run for run in same if (run.folder / CHECKPOINT).is_file()]
    return max(started, key=lambda run: run.images, default=None)


def find_trained_classifier(recipe: ClassifierRecipe) -> Path | None:
    """Return the newest classifier of a resolved recipe, trained on the current data, or None."""
    metas = {folder: read_meta(folder) for folder in folders_in(recipe.runs_dir) if (folder / CLASSIFIER).is_file()}
    same = [
        folder for folder, meta in metas.items() if _is_same(_classifier_today(meta.get("recipe")), recipe.to_dict())
    ]
    if not same:
        return None
    now = {kind: part.data.fingerprint for kind, part in vars(split_data(recipe)).items()}
    same = [folder for folder in same if _fingerprints(metas[folder]) == now]
    return max(same, key=lambda folder: (folder / META).stat().st_mtime, default=None)


def _matches(run: StoredRun, recipe: Recipe, fingerprint: str) -> bool:
    if not _is_same(_today(run.recipe), _today(recipe.to_dict())) or run.meta.get("data_fingerprint") != fingerprint:
        return False
    if run.images >= recipe.images + recipe.batch:  # resumed to train for longer: another budget
        return False
    try:  # files may have been edited since
        return load_graph(run.folder / GRAPH) == graph_of(recipe) and _has_statements(run, recipe)
    except (GraphError, StatementError):
        return False


def _has_statements(run: StoredRun, recipe: Recipe) -> bool:
    if recipe.statements is None:
        return True
    return load_statements(run.folder / STATEMENTS) == load_statements(recipe.statements)


def _today(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored recipe with today's keys; an older run was trained with the default of a newer option."""
    values = {**Recipe().to_dict(), **with_new_names(Recipe, stored, stored, warn=False)}
    return {**values, "r1": replace(Recipe(), r1=values["r1"], objective=values["objective"]).r1_weight}


def _classifier_today(stored: Any) -> Any:
    return with_new_names(ClassifierRecipe, stored, stored, warn=False) if isinstance(stored, dict) else stored


def _is_same(stored: Any, wanted: Mapping[str, Any]) -> bool:
    """Return whether two recipes are equal, apart from keys that do not affect training."""
    if not isinstance(stored, dict):
        return False
    one, other = ({k: v for k, v in recipe.items() if k not in UNCOMPARED} for recipe in (stored, wanted))
    return one == other


def _fingerprints(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return {kind: images["fingerprint"] for kind, images in meta["images"].items()}
    except (KeyError, TypeError, AttributeError):
        return None


Say = Callable[[str], None]  # tells what becomes of one training, beside which one it is
Part = tuple[str, Callable[[Say], int]]  # a training and what it is called


def run_comparison(comparison: Comparison) -> int:
    """Train what is missing: approaches, seeds, classifier, judge; return 0, or 130 if interrupted."""
    graph, recipe = graph_of(comparison.recipe), comparison.recipe
    choose_device(recipe.device)
    try:
        data = training_data(recipe, graph)
        comparison.arms.load(graph.nodes)
        for classifier in (comparison.classifier, comparison.judge):
            _check_attributes(classifier, graph, data)
        for part in _parts(comparison, data.fingerprint):
            if part() == INTERRUPTED:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        say("the comparison is interrupted; the same command goes on from here")
        return INTERRUPTED
    say(f"the comparison is finished; its runs and classifiers are in {recipe.runs_dir}")
    return 0


def _parts(comparison: Comparison, fingerprint: str) -> list[Callable[[], int]]:
    """Return the trainings in order; each prints its number and the total."""
    arms = comparison.arms
    trainings = [part for recipe in comparison.recipes() for part in _trainings(recipe, arms, fingerprint)]
    classifiers: list[Part] = [
        (f"{recipe.role}, seed {recipe.seed}", partial(_classify, recipe))
        for recipe in (comparison.classifier, comparison.judge)
    ]
    classifier, judge = classifiers
    parts = [classifier, *trainings, judge] if arms.anything else [*trainings, classifier, judge]
    return [
        partial(part, partial(_tell, f"{number} of {len(parts)}: {name}"))
        for number, (name, part) in enumerate(parts, 1)
    ]


def _trainings(recipe: Recipe, arms: Arms, fingerprint: str) -> list[Part]:
    """Return the training of an approach and seed; with statements, the common start and then its arms."""
    name = f"{recipe.approach}, seed {recipe.seed}"
    if not arms.anything:
        return [(name, partial(_train, recipe, fingerprint))]
    base = arms.base(recipe)
    beginning: Part = (f"{name}, beginning", partial(_train, base, fingerprint))
    trainings = [(f"{name}, told {e}", partial(_train_arm, arms, e, recipe, base, fingerprint)) for e in arms.entries]
    return [beginning, *trainings]


def _train_arm(arms: Arms, entry: str, recipe: Recipe, base: Recipe, fingerprint: str, say: Say) -> int:
    beginning = find_training(base, fingerprint)
    if not isinstance(beginning, FinishedRun):  # removed since it was trained or found
        raise RunError(f"the beginning of {recipe.approach}, seed {recipe.seed}, is gone from {recipe.runs_dir}")
    return _train(arms.arm(entry, recipe, beginning.folder.name), fingerprint, say)


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
    """Check that a classifier's attributes include every node of the graph."""
    if recipe.attributes is None:
        return
    data.select(recipe.attributes)
    missing = [node for node in graph.nodes if node not in recipe.attributes]
    if missing:
        raise RecipeError(f"{recipe.role}: attributes lacks {', '.join(missing)}; it must name every node of the graph")


def _tell(which: str, what: str) -> None:
    say(which + what)

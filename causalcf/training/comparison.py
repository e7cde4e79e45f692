"""Trainings of a comparison, one after the other; finished ones are found and not trained again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
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
from ..runs.recipe import UNCOMPARED, Recipe, stored_recipe
from .comparison_recipe import NONE, Comparison
from .experiment import graph_of, resume_run, start_run, training_data

Part = tuple[str, Callable[[str], int]]  # a training's name, and the function that trains; it prints the title it gets


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
    same = [folder for folder, meta in metas.items() if _learned_by(meta.get("recipe"), recipe)]
    if not same:
        return None
    now = {kind: images["fingerprint"] for kind, images in split_data(recipe).to_dict().items()}
    same = [folder for folder in same if _fingerprints(metas[folder]) == now]
    return max(same, key=lambda folder: (folder / META).stat().st_mtime, default=None)


def _learned_by(stored: Any, recipe: ClassifierRecipe) -> bool:
    """Return whether a classifier's stored recipe is this one; a newer option had its default."""
    if not isinstance(stored, dict):
        return False
    wanted, usual = (_compared(one.to_dict()) for one in (recipe, ClassifierRecipe()))
    with suppress(RecipeError):
        return usual | _compared(with_new_names(ClassifierRecipe, stored, stored, warn=False)) == wanted
    return False


def _matches(run: StoredRun, recipe: Recipe, fingerprint: str) -> bool:
    try:
        stored = stored_recipe(run.recipe)
    except RecipeError:  # of another version, or damaged
        return False
    if _trained_by(stored) != _trained_by(recipe) or run.meta.get("data_fingerprint") != fingerprint:
        return False
    if run.images >= recipe.images + recipe.batch:  # resumed to train for longer: another budget
        return False
    try:  # files may have been edited since
        same_graph, ours = load_graph(run.folder / GRAPH) == graph_of(recipe), recipe.statements
        return same_graph and (ours is None or load_statements(run.folder / STATEMENTS) == load_statements(ours))
    except (GraphError, StatementError):
        return False


def _trained_by(recipe: Recipe) -> dict[str, Any]:
    """Return what two recipes of the same training have in common."""
    classifier = Path(recipe.statement_classifier).name if recipe.statement_classifier else None
    return {**_compared(recipe.to_dict()), "r1": recipe.r1_weight, "statement_classifier": classifier}


def _compared(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in UNCOMPARED}


def _fingerprints(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return {kind: images["fingerprint"] for kind, images in meta["images"].items()}
    except (KeyError, TypeError, AttributeError):
        return None


def run_comparison(comparison: Comparison) -> int:
    """Train what is missing: approaches, seeds, classifier, judge; return 0, or 130 if interrupted."""
    recipe = comparison.recipe
    graph, whole = graph_of(recipe), load_graph(recipe.graph)
    choose_device(recipe.device)
    try:
        data = training_data(recipe, whole)
        comparison.arms.load(whole.nodes, graph.nodes if recipe.partial else None)
        for classifier in (comparison.classifier, comparison.judge):
            _check_attributes(classifier, whole, data)
        parts = _parts(comparison, data.fingerprint)
        for number, (name, part) in enumerate(parts, 1):
            if part(f"{number} of {len(parts)}: {name}") == INTERRUPTED:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        say("the comparison is interrupted; the same command goes on from here")
        return INTERRUPTED
    say(f"the comparison is finished; its runs and classifiers are in {recipe.runs_dir}")
    return 0


def _parts(comparison: Comparison, fingerprint: str) -> list[Part]:
    """Return the trainings in order; the arms of an approach and seed follow their common start."""
    arms, trainings = comparison.arms, list[Part]()
    classifier, judge = (
        (f"{recipe.role}, seed {recipe.seed}", partial(_classify, recipe))
        for recipe in (comparison.classifier, comparison.judge)
    )
    for recipe in comparison.recipes():
        name = f"{recipe.approach}, seed {recipe.seed}"
        if not arms.anything:
            trainings.append((name, partial(_train, recipe, fingerprint)))
            continue
        trainings.append((f"{name}, beginning", partial(_train, arms.base(recipe), fingerprint)))
        for entry in arms.entries:
            train_arm = partial(_train_arm, comparison, entry, recipe, fingerprint)
            trainings.append((f"{name}, told {entry}", train_arm))
    return [classifier, *trainings, judge] if arms.anything else [*trainings, classifier, judge]


def _train_arm(comparison: Comparison, entry: str, recipe: Recipe, fingerprint: str, title: str) -> int:
    arms = comparison.arms
    beginning = find_training(arms.base(recipe), fingerprint)
    if not isinstance(beginning, FinishedRun):  # removed since it was trained or found
        lost = f"the beginning of {recipe.approach}, seed {recipe.seed}, is gone from {recipe.runs_dir}"
        raise RunError(f"{lost}; give the command again")
    arm = arms.arm(entry, recipe, beginning.folder.name)
    if entry != NONE and arm.statement_classifier is None:  # all arms have the comparison's, not the newest
        classifier = find_trained_classifier(comparison.classifier)
        arm = replace(arm, statement_classifier=str(classifier) if classifier else None)
    return _train(arm, fingerprint, title)


def _train(recipe: Recipe, fingerprint: str, title: str) -> int:
    found = find_training(recipe, fingerprint)
    if isinstance(found, FinishedRun):
        say(f"{title}; finished before, in {found.folder}")
        return 0
    if found is None:
        say(title)
        return start_run(recipe)
    say(f"{title}; goes on in {found.folder}")
    return resume_run(str(found.folder), {"images": recipe.images})


def _classify(recipe: ClassifierRecipe, title: str) -> int:
    folder = find_trained_classifier(recipe)
    if folder is None:
        say(title)
        make_classifier(recipe)
    elif (folder / JSON).is_file():
        say(f"{title}; finished before, in {folder}")
    else:
        say(f"{title}; trained before, its report is still to be written; {folder}")
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

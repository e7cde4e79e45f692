"""What of a comparison is there already: the run or classifier of exactly one recipe, on the same data and graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .checkpoint import NAME as CHECKPOINT
from .classifiers.experiment import META
from .classifiers.parts import split_data
from .classifiers.recipe import ClassifierRecipe
from .classifiers.storage import NAME as CLASSIFIER
from .errors import GraphError, StatementError
from .experiment import graph_of
from .graph_io import load_graph
from .recipe import NO_MATTER, Recipe
from .runs import STATEMENTS, FinishedRun, StoredRun, stored_runs
from .folders import folders_in, read_meta
from .statement_file import load_statements


def find_training(recipe: Recipe, fingerprint: str) -> StoredRun | None:
    """The run of a recipe: the newest finished one, else the unfinished one that has come furthest.

    Args:
        recipe: what the run must have been trained with, but for the name of the folder it lies in.
        fingerprint: of the data that it must have been trained on.
    """
    same = [run for run in stored_runs(recipe.runs) if _is_training(run, recipe, fingerprint)]
    finished = [run for run in same if isinstance(run, FinishedRun)]
    if finished:
        return finished[-1]
    started = [run for run in same if (run.folder / CHECKPOINT).is_file()]
    return max(started, key=lambda run: run.images, default=None)


def find_trained_classifier(recipe: ClassifierRecipe) -> Path | None:
    """The newest trained classifier of a resolved recipe, on the data as they are now."""
    metas = {folder: read_meta(folder) for folder in folders_in(recipe.runs) if (folder / CLASSIFIER).is_file()}
    same = [folder for folder, meta in metas.items() if _is_same(meta.get("recipe"), recipe.to_dict())]
    if not same:
        return None
    now = {kind: part.data.fingerprint for kind, part in vars(split_data(recipe)).items()}
    same = [folder for folder in same if _fingerprints(metas[folder]) == now]
    return max(same, key=lambda folder: (folder / META).stat().st_mtime, default=None)


def _is_training(run: StoredRun, recipe: Recipe, fingerprint: str) -> bool:
    stored = {**Recipe().to_dict(), **run.recipe}  # a run older than an option was trained as its default has it
    if not _is_same(stored, recipe.to_dict()) or run.meta.get("data_fingerprint") != fingerprint:
        return False
    if run.images >= recipe.images + recipe.batch:  # resumed to train for longer: another budget
        return False
    try:  # files may have been edited since
        return load_graph(run.folder / "graph.yaml") == graph_of(recipe) and _was_told_so(run, recipe)
    except (GraphError, StatementError):
        return False


def _was_told_so(run: StoredRun, recipe: Recipe) -> bool:
    if recipe.statements is None:
        return True
    return load_statements(run.folder / STATEMENTS) == load_statements(recipe.statements)


def _is_same(stored: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether two recipes are the same, but for what makes no difference to a training."""
    if not isinstance(stored, dict):
        return False
    one, other = ({k: v for k, v in recipe.items() if k not in NO_MATTER} for recipe in (stored, wanted))
    return one == other


def _fingerprints(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return {kind: images["fingerprint"] for kind, images in meta["images"].items()}
    except (KeyError, TypeError, AttributeError):
        return None

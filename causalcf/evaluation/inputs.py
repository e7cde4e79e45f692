"""Run selection, and all inputs of an evaluation, loaded before any long computation starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..classifiers.recipe import ClassifierRecipe
from ..classifiers.storage import load_classifier
from ..data import attribute_names, load_data
from ..data.images import ImageData
from ..distributed.group import first_of_machine_first, from_first
from ..errors import DataError, RunError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph, check_attributes
from ..io.files import of_file, of_weights
from ..labels import fit_label_scm
from ..labels.reference import Reference
from ..runs.directory import CHECKPOINT, FinishedRun, finished_runs
from ..runs.recipe import APPROACHES, Recipe
from ..runs.run import Run, load_run
from .judge import Judge, load_judge


def newest_runs(base: str | Path) -> tuple[list[Path], list[str]]:
    """Return the newest finished run of each kind on the newest run's data, and notes on runs left out."""
    finished = finished_runs(base)
    if not finished:
        raise RunError(f"no finished run in {base}; train one with python -m causalcf.train, or name some with --run")
    same = [run for run in finished if _data_of(run) == _data_of(finished[-1])]
    newest = {run.kind: run for run in same}
    left_out = [text for run in newest.values() if (text := _other_statements(run, same))]
    if other := {run.kind for run in finished} - set(newest):
        name = finished[-1].folder.name
        left_out.append(f"left out: {', '.join(sorted(other))}, whose runs are of other data than {name}")
    ordered = sorted(newest.values(), key=lambda run: (APPROACHES.index(run.approach), run.kind))
    return [run.folder for run in ordered], left_out


def _other_statements(run: FinishedRun, runs: list[FinishedRun]) -> str:
    """Return a note on runs of the same kind with other statement constraints, or ""."""
    text = run.recipe.get("statements")
    others = {}
    for other in runs:
        if other.kind == run.kind and other.recipe.get("statements") != text:
            others[other.recipe.get("statements")] = other.folder.name  # the newest of each
    if not others:
        return ""
    named = ", ".join(f"{name} ({statements})" for statements, name in others.items())
    return (
        f"of the {run.kind} runs the newest is asked, {run.folder.name}, which was told {text}; left out are those "
        f"told other statements: {named}; name them with --run"
    )


def _data_of(run: FinishedRun) -> tuple[object, ...]:
    return tuple(run.recipe.get(key) for key in ("data", "data_root", "data_size"))


@dataclass(frozen=True)
class Inputs:
    """Inputs of an evaluation: runs, data, graphs, reference, judge and fingerprints."""

    runs: dict[str, Run]
    data: ImageData
    held_out: ImageData | None
    graph: CausalGraph
    true_graph: CausalGraph
    reference: Reference
    judge: Judge
    fingerprints: dict[str, Any]


def load_runs(paths: Sequence[str | Path], device: str, classifier: str | None) -> dict[str, Run]:
    """Load runs of the same data and labels, keyed by folder name, or by path if names repeat."""
    reader = None if classifier is None else load_classifier(classifier, device)
    runs = tuple(load_run(path, device, reader) for path in paths)
    folders = [run.folder for run in runs]
    for folder in folders:
        if folders.count(folder) > 1:
            raise RunError(f"--run names {folder} twice")
    first = runs[0]
    for run in runs[1:]:
        for what in ("data", "data_root", "data_size"):
            ours, theirs = getattr(first.recipe, what), getattr(run.recipe, what)
            if ours != theirs:
                text = f"{first.folder.name} has {ours}, {run.folder.name} has {theirs}"
                raise RunError(f"the runs cannot be compared: their {what} differs ({text}); name others with --run")
        if set(run.graph.nodes) != set(first.graph.nodes):
            missing = sorted(set(first.graph.nodes) ^ set(run.graph.nodes))
            raise RunError(
                f"the runs cannot be compared: {first.folder.name} and {run.folder.name} do not both have the labels "
                f"{', '.join(missing)}; name others with --run"
            )
    names = [folder.name for folder in folders]
    return {run.folder.name if names.count(run.folder.name) == 1 else str(run.folder): run for run in runs}


def load_inputs(
    runs: dict[str, Run], graph: str | None, judge: str | None, data_root: str | None, device: str
) -> Inputs:
    """Data, graph, reference and judge of loaded runs.

    Args:
        runs: of one data set, by name.
        graph: a graph file or preset to hold the runs against; None takes the one they were trained by.
        judge: its folder, or the name of its data; None takes the one beside the runs, trained first if there is none.
        data_root: where the images lie now, if not where they were.
        device: where everything runs.

    Raises:
        CausalCFError: whatever is missing or does not fit.
    """
    first, *_ = runs.values()
    recipe = replace(first.recipe, data_root=data_root or first.recipe.data_root)
    assumed = _graph(tuple(runs.values()), graph)
    check_attributes(assumed, attribute_names(recipe.data, recipe.data_root), recipe.data)
    with first_of_machine_first():
        data = _load(recipe, "train")
    reference = _reference(recipe, assumed, data)
    known = reference.kind == "truth" and set(reference.scm.graph.nodes) == set(assumed.nodes)
    true_graph = reference.scm.graph if known else assumed
    named = judge or from_first(lambda: _judge_of(first.folder.parent, recipe, device))
    reader = load_judge(named, assumed.nodes, device, first.folder.parent)
    fingerprints = _fingerprints(runs, reader)
    return Inputs(runs, data, _held_out(recipe), assumed, true_graph, reference, reader, fingerprints)


def _fingerprints(runs: dict[str, Run], judge: Judge) -> dict[str, Any]:
    """Return fingerprints of the judge's and runs' files, and of the weights of antecedent classifiers."""
    antecedent_classifiers = {
        name: run.antecedent_classifier
        for name, run in runs.items()
        if run.labels is None and run.antecedent_classifier is not None
    }
    return {
        "judge": judge.fingerprint,
        "runs": {name: of_file(run.folder / CHECKPOINT) for name, run in runs.items()},
        "classifiers": {
            name: of_weights(antecedent_classifier.network)
            for name, antecedent_classifier in antecedent_classifiers.items()
        },
    }


def _graph(runs: tuple[Run, ...], named: str | None) -> CausalGraph:
    """Return the assumed graph: the one named, else the runs' own (conditional runs have no edges)."""
    kept = [run for run in runs if run.recipe.approach != "conditional"]
    graph = load_graph(named) if named else kept[0].graph if kept else load_graph(runs[0].recipe.graph)
    if set(graph.nodes) != set(runs[0].graph.nodes):
        other = ", ".join(sorted(set(graph.nodes) ^ set(runs[0].graph.nodes)))
        raise RunError(f"the graph {graph.name} does not have the labels of the runs; they differ in {other}")
    for run in kept:
        if not named and run.recipe.data != "faces" and set(run.graph.edges) != set(graph.edges):
            raise RunError(
                f"{kept[0].folder.name} and {run.folder.name} were trained by different graphs, and the reference can "
                "follow one; name it with --graph"
            )
    return graph


def _reference(recipe: Recipe, graph: CausalGraph, data: ImageData) -> Reference:
    if recipe.data == "faces":
        from ..data.faces import true_scm

        return Reference(true_scm(), graph.nodes, "truth")
    return Reference(fit_label_scm(graph, data.select(graph.nodes)), graph.nodes, "fitted")


def _judge_of(base: Path, recipe: Recipe, device: str) -> Path:
    """Return the judge of these data in the runs' folder; train it if there is none."""
    link = base / f"judge-{recipe.data}"
    if not link.exists():
        import sys

        from ..classifiers.experiment import make_classifier

        print(f"no judge of {recipe.data} in {base}; training one, once", file=sys.stderr)
        shared: dict[str, Any] = {"data": recipe.data, "data_root": recipe.data_root, "device": device}
        make_classifier(ClassifierRecipe(role="judge", runs_dir=str(base), **shared))
    return link


def _held_out(recipe: Recipe) -> ImageData | None:
    with first_of_machine_first():
        try:
            return _load(recipe, "valid")
        except DataError:  # the same folder and tables just gave "train": all that can be amiss is an empty split
            return None


def _load(recipe: Recipe, split: str) -> ImageData:
    sized: dict[str, Any] = {"n": recipe.data_size} if recipe.data == "faces" and split == "train" else {}
    return load_data(recipe.data, recipe.data_root, split=split, **sized)

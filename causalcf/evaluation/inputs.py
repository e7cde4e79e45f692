"""Run selection, and all inputs of an evaluation, loaded before any long computation starts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..classifiers.classifier import AttributeClassifier, data_caveat
from ..classifiers.experiment import make_classifier
from ..classifiers.recipe import ClassifierRecipe
from ..classifiers.storage import find_classifier, load_classifier
from ..cli.command import say
from ..data import SOURCE_OPTIONS, attribute_names, load_source
from ..data.images import DataSource, ImageData
from ..distributed.group import first_of_machine_first, from_first
from ..errors import DataError, RunError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph, check_attributes
from ..io.files import of_file, of_weights
from ..io.yaml import PRETRAINED
from ..labels import fit_label_scm
from ..labels.reference import Reference
from ..runs.directory import FinishedRun, finished_runs, stored_weights, whole_graph
from ..runs.loading import load_run
from ..runs.recipe import APPROACHES, Recipe
from ..runs.run import Run
from .judge import Judge, load_judge


def newest_runs(base: str | Path) -> tuple[list[Path], list[str]]:
    """Return the newest finished run of each kind on the newest run's data, and notes on runs left out."""
    finished = finished_runs(base)
    if not finished:
        raise RunError(f"no finished run in {base}; train one with python -m causalcf.train, or name some with --run")
    same = [run for run in finished if _data(run) == _data(finished[-1])]
    newest = {run.kind: run for run in same}
    left_out = [text for run in newest.values() if (text := _other_statements(run, same))]
    if other := {run.kind for run in finished} - set(newest):
        name = finished[-1].folder.name
        left_out.append(f"left out: {', '.join(sorted(other))}, whose runs are of other data than {name}")
    ordered = sorted(newest.values(), key=lambda run: (APPROACHES.index(run.approach), run.kind))
    return [run.folder for run in ordered], left_out


def _data(run: FinishedRun) -> list[Any]:
    """Return what tells a run's data: faces are the same whatever their fingerprint, photographs wherever they lie."""
    faces = run.recipe.get("data") == "faces"
    return [run.recipe.get("data"), run.recipe.get("data_size") if faces else run.meta.get("data_fingerprint")]


def _other_statements(run: FinishedRun, runs: list[FinishedRun]) -> str:
    """Return a note on runs of the same kind with other statement constraints, or ""."""
    others = {other.recipe.get("statements"): other.folder.name for other in runs if other.kind == run.kind}
    text = run.recipe.get("statements")
    del others[text]  # of the rest the newest is named
    if not others:
        return ""
    named = ", ".join(f"{name} ({statements})" for statements, name in others.items())
    return (
        f"of the {run.kind} runs only the newest is evaluated, {run.folder.name}, with statements {text}; runs with "
        f"other statements are left out: {named}; name them with --run"
    )


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
    features: AttributeClassifier | None  # trained without noise augmentation, for distances between images alone
    caveats: tuple[str, ...]  # one sentence for each reader, run and reference that are not of the same data


def load_runs(paths: Sequence[str | Path], device: str, classifier: str | None) -> dict[str, Run]:
    """Load runs of the same data and labels, keyed by folder name, or by path if names repeat."""
    runs = tuple(load_run(path, device, classifier) for path in paths)
    folders = [run.folder for run in runs]
    for folder in folders:
        if folders.count(folder) > 1:
            raise RunError(f"--run names {folder} twice")
    first = runs[0]
    for run in runs[1:]:
        for what in ("data", "data_size", "crop"):  # other photographs are told by their fingerprint
            ours, theirs = getattr(first.recipe, what), getattr(run.recipe, what)
            if ours != theirs:
                text = f"{first.folder.name} has {ours}, {run.folder.name} has {theirs}"
                raise RunError(f"the runs cannot be compared: their {what} differs ({text}); name others with --run")
        if missing := sorted(set(all_labels(first)) ^ set(all_labels(run))):
            raise RunError(
                f"the runs cannot be compared: {first.folder.name} and {run.folder.name} do not both have the labels "
                f"{', '.join(missing)}; name others with --run"
            )
    names = [folder.name for folder in folders]
    return {run.folder.name if names.count(run.folder.name) == 1 else str(run.folder): run for run in runs}


def all_labels(run: Run) -> tuple[str, ...]:
    """Return all labels of the graph of a run's recipe, of which a partial run has some."""
    if not run.recipe.partial:
        return run.graph.nodes
    return whole_graph(run.graph, run.folder, run.recipe).nodes


def load_inputs(
    runs: dict[str, Run],
    graph: str | None,
    judge: str | None,
    data_root: str | None,
    device: str,
    changed_data: bool = False,
    features: str | None = None,
    runs_dir: str = "runs",
) -> Inputs:
    """Load data, graph, reference and judge of loaded runs; the options are those of causalcf.eval."""
    first, *_ = runs.values()
    if data_root and first.recipe.data == "faces":
        raise RunError(f"--data-root is {data_root}, but the images of {first.folder.name} are rendered; leave it out")
    recipe = replace(first.recipe, data_root=data_root or first.recipe.data_root)
    base = Path(runs_dir) if first.folder.parent == PRETRAINED else first.beside
    assumed = _graph(tuple(runs.values()), graph)
    check_attributes(assumed, attribute_names(recipe.data, recipe.data_root, assumed.nodes), recipe.data)
    with first_of_machine_first():
        data, held_out = load_source(recipe), None
        with suppress(
            DataError
        ):  # the same folder and tables just gave "train": all that can be amiss is an empty split
            held_out = load_source(recipe, "valid")
    found = DataSource(recipe.data, data.fingerprint, recipe.data_root)
    caveats = [text for name, run in runs.items() if (text := _changed(name, run, found))]
    if caveats and not changed_data:
        raise RunError(
            f"{caveats[0]}. Put the original data back, name their folder with --data-root, or evaluate all the same "
            "with --changed-data"
        )
    if recipe.data == "faces":
        from ..data.faces import true_scm

        reference = Reference(true_scm(), assumed.nodes, "truth")
        true_graph = _projected(reference.scm.graph, assumed.nodes)
    else:
        reference = Reference(fit_label_scm(assumed, data.select(assumed.nodes)), assumed.nodes, "fitted")
        true_graph = assumed
    named = judge or from_first(lambda: _judge_of(base, recipe, found, device))
    reader = load_judge(named, assumed.nodes, device, base, found)
    caveats.append(data_caveat(reader.classifier, f"the judge {reader.name}", found, "the reference"))
    caveats += [run.caveat for run in runs.values()]
    reads = _features_of(features, base, found, device)
    if reads is not None:
        caveats.append(data_caveat(reads, "the classifier of features", found, "the reference"))
    known = _fingerprints(runs, reader, reads), reads, tuple(dict.fromkeys(filter(None, caveats)))
    return Inputs(runs, data, held_out, assumed, true_graph, reference, reader, *known)


def _projected(graph: CausalGraph, nodes: Sequence[str]) -> CausalGraph:
    """Return the graph of some nodes: a parent that is not among them hands its own parents on."""

    def parents(node: str) -> set[str]:
        return {found for parent in graph.parents(node) for found in ([parent] if parent in nodes else parents(parent))}

    return CausalGraph({node: sorted(parents(node), key=graph.nodes.index) for node in graph.nodes if node in nodes})


def _features_of(named: str | None, base: Path, data: DataSource, device: str) -> AttributeClassifier | None:
    """Load the classifier whose features are compared, by default the newest of these data beside the runs."""
    if named is not None:
        return load_classifier(find_classifier(named, base, "features", data), device)
    with suppress(RunError):
        return load_classifier(find_classifier(data.name, base, "features", data), device)
    return None


def _changed(name: str, run: Run, found: DataSource) -> str:
    """Return a sentence if a run was trained on other images or labels than those found now, else ""."""
    if run.trained_on is None or run.trained_on.same_as(found):
        return ""
    return (
        f"the images or labels have changed since {name} was trained: it learned from {run.trained_on}, and the "
        f"reference would be that of {found}"
    )


def _fingerprints(runs: dict[str, Run], judge: Judge, features: AttributeClassifier | None) -> dict[str, Any]:
    """Return fingerprints of the judge's and runs' files, and of the weights of antecedent classifiers."""
    classifiers = {
        name: of_weights(run.antecedent_classifier.network)
        for name, run in runs.items()
        if run.labels is None and run.antecedent_classifier is not None
    }
    checkpoints = {name: of_file(stored_weights(run.folder)) for name, run in runs.items()}
    encoders = {name: of_weights(run.encoder) for name, run in runs.items() if run.encoder is not None}
    found = {"judge": judge.fingerprint, "runs": checkpoints, "classifiers": classifiers, "encoders": encoders}
    return found if features is None else {**found, "features": of_weights(features.network)}


def _graph(runs: tuple[Run, ...], named: str | None) -> CausalGraph:
    """Return the assumed graph: the one named, else the runs' own (conditional runs have no edges)."""
    kept = [run for run in runs if run.recipe.approach != "conditional"] or list(runs)
    graph = load_graph(named) if named else whole_graph(kept[0].graph, kept[0].folder, kept[0].recipe)
    if other := ", ".join(sorted(set(graph.nodes) ^ set(all_labels(runs[0])))):
        raise RunError(f"the graph {graph.name} does not have the labels of the runs; they differ in {other}")
    for run in kept:
        edges = whole_graph(run.graph, run.folder, run.recipe).edges
        if not named and run.recipe.data != "faces" and set(edges) != set(graph.edges):
            raise RunError(
                f"{kept[0].folder.name} and {run.folder.name} were trained by different graphs, and the reference can "
                "follow one; name it with --graph"
            )
    return graph


def _judge_of(base: Path, recipe: Recipe, data: DataSource, device: str) -> Path:
    """Return the judge of these data in the runs' folder; train it if there is none."""
    with suppress(RunError):
        return find_classifier(data.name, base, "judge", data).parent
    say(f"no judge of {data} in {base}; training one, once")
    source: dict[str, Any] = {key: getattr(recipe, key) for key in SOURCE_OPTIONS}
    return make_classifier(ClassifierRecipe(role="judge", device=device, runs_dir=str(base), **source))

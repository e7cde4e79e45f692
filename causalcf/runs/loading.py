"""Load a run from its directory: networks with EMA weights, label generator, encoder, and the classifier beside it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..classifiers.classifier import AttributeClassifier
from ..classifiers.storage import find_classifier, load_classifier
from ..data.images import DataSource
from ..errors import RunError
from ..graph.graph import CausalGraph
from ..io.untrusted import rebuilding
from ..networks.bundle import with_weights
from ..networks.dcgan import Encoder, Labeler
from ..networks.precision import choose_device
from .directory import beside, find_run, generator_of, read_run, stored_weights
from .exported import read_state
from .recipe import Recipe
from .run import Run

ENCODER = "encoder.safetensors"  # of a run that was trained without one


def load_run(
    path: str | Path = "runs/latest", device: str = "auto", classifier: str | Path | AttributeClassifier | None = None
) -> Run:
    """Load the run in a directory, at its latest checkpoint.

    Args:
        path: a run directory, a link to one, an exported run (`python -m causalcf.export`), or "pretrained:faces" or
            "pretrained:celeba" for those of the package.
        device: the device for the networks.
        classifier: the antecedent classifier, or its folder. By default the newest classifier beside the run that was
            trained on the run's data, if there is one. A warning says if the one named was trained on other data.

    Raises:
        RunError: there is no directory or no checkpoint, or the checkpoint cannot be read.

    Examples:
        >>> run = load_run("runs/latest")                                    # doctest: +SKIP
        >>> run.sample(8, do={"Bald": 1}).images.shape                       # doctest: +SKIP
        torch.Size([8, 3, 64, 64])
    """
    folder = find_run(path)
    where = choose_device(device)
    file = stored_weights(folder)
    state, graph, recipe, scm = read_run(folder, file, where)
    d = len(graph.nodes) if scm is not None else 0
    with rebuilding(file):
        constraint = state.get("telling")
        constraint_classifier = None if constraint is None else str(constraint["classifier"])
        generator = with_weights(lambda: generator_of(recipe, d), _part(state, "average"))
        labeler = with_weights(lambda: Labeler(d, recipe.labeler_width), _part(state, "labeler")) if d else None
    encoder = _encoder(folder, file, state, recipe, d)
    precision = state["precision"] if where.type == state["device"] else "float32"
    data = DataSource(recipe.data, state["data_fingerprint"], recipe.data_root)
    found = _find_antecedent_classifier(folder.name, beside(folder, recipe), data, graph, device, classifier)
    nets = generator.to(where), None if labeler is None else labeler.to(where)
    run = Run(folder, recipe, graph, scm, state["step"], *nets, found, where, precision, constraint_classifier, data)
    if encoder is not None:
        run = replace(run, encoder=encoder.to(where))
    if run.caveat:
        warnings.warn(run.caveat, stacklevel=2)
    return run


def _encoder(folder: Path, file: Path, state: dict[str, Any], recipe: Recipe, n_labels: int) -> Encoder | None:
    """Return the run's encoder: of its training, or trained afterwards for this very checkpoint."""
    weights = separate_encoder(folder, state["step"]) or _part(state, "encoder")
    if not weights:
        return None
    with rebuilding(folder / ENCODER if (folder / ENCODER).is_file() else file):
        return with_weights(lambda: Encoder(recipe.noise_dim, n_labels, recipe.labeler_width), weights)


def separate_encoder(folder: Path, step: int) -> dict[str, Tensor]:
    """Return the weights of an encoder that was trained after the run, or {} if there is none of this step."""
    path = folder / ENCODER
    if not path.is_file():
        return {}
    with rebuilding(path):
        state = read_state(path)
        found, weights = int(state["step"]), _part(state, "encoder")
    if found != step:
        said = f"{path} is of the run after {found} steps, not {step}, and is not used: encode the run again"
        warnings.warn(said, stacklevel=4)
        return {}
    return weights


def _find_antecedent_classifier(
    name: str,
    base: Path,
    data: DataSource,
    graph: CausalGraph,
    device: str,
    classifier: str | Path | AttributeClassifier | None,
) -> AttributeClassifier | None:
    """Load the antecedent classifier of the graph's nodes; skip a default one that lacks some nodes."""
    if isinstance(classifier, AttributeClassifier):
        return classifier.select(graph.nodes)
    if classifier is not None:
        return load_classifier(classifier, device, data=data).select(graph.nodes)
    if not (base / f"classifier-{data.name}").exists():
        return None
    try:
        file = find_classifier(data.name, base, data=data)
    except RunError as error:
        warnings.warn(f"no classifier reads the images of {name}: {error}", stacklevel=3)
        return None
    found = load_classifier(file, device)
    return found.select(graph.nodes) if set(graph.nodes) <= set(found.attributes) else None


def _part(state: dict[str, Any], name: str) -> dict[str, Tensor]:
    parts = state["networks"].items()
    return {key.removeprefix(f"{name}."): value for key, value in parts if key.startswith(f"{name}.")}

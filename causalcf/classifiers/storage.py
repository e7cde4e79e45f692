"""Classifiers on disk: one folder each (runs/<role>-<data>-<network>-<date>[-k]/classifier.pt),
and runs/<role>-<data>, a link to the newest finished one.
"""

from __future__ import annotations

import datetime
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..checks import check_path
from ..data import SOURCES
from ..data.images import DataSource
from ..errors import RunError, nearest
from ..io.files import replacing
from ..io.folders import folders_in, new_folder, read_meta
from ..io.untrusted import first_line, read_tensors
from ..networks.bundle import with_weights
from ..networks.precision import choose_device
from ..networks.readers import build_network
from .classifier import AttributeClassifier, Calibration
from .recipe import ClassifierRecipe, Role

NAME = "classifier.pt"


def save_classifier(path: str | Path, classifier: AttributeClassifier) -> None:
    """Write a classifier as tensors and plain values, and replace the file atomically."""
    name, width = classifier.architecture
    linear = [part for part in classifier.network.modules() if isinstance(part, torch.nn.Linear)]
    state = {
        "network": name,
        "width": width,
        "weights": {key: value.cpu() for key, value in classifier.network.state_dict().items()},
        "outputs": linear[-1].out_features,
        "attributes": list(classifier.attributes),
        "columns": list(classifier.columns),
        "scale": classifier.calibration.scale,
        "shift": classifier.calibration.shift,
        "base_rates": list(classifier.base_rates),
        "mirror": classifier.mirror,
    }
    with replacing(Path(path)) as file:
        torch.save(state, file)


def load_classifier(
    source: str | Path, device: str = "auto", runs: str | Path = "runs", data: DataSource | None = None
) -> AttributeClassifier:
    """Load a trained classifier, ready to be called on images.

    Args:
        source: "faces", "celeba" or "folder" for the newest finished classifier of that data in `runs`. Otherwise a
            classifier's folder, a link to one, or its file.
        device: device of the network: "auto", "cpu", "cuda", ...
        runs: the folder that is searched for classifiers of a data set.
        data: where `source` is a data set's name, the data that the classifier must have been trained on.

    Raises:
        RunError: there is no such classifier, or it cannot be read.

    Examples:
        >>> classify = load_classifier("celeba")                    # doctest: +SKIP
        >>> classify.attributes[:2], classify(images).shape         # doctest: +SKIP
        (('5_o_Clock_Shadow', 'Arched_Eyebrows'), torch.Size([16, 40]))
    """
    path, where = find_classifier(source, runs, data=data), choose_device(device)
    try:
        classifier = replace(_from_state(read_tensors(path)), trained_on=data_of(path))
    except Exception as error:
        raise RunError(f"{path} cannot be read as a classifier: {first_line(error)}; train it anew") from error
    classifier.network.to(where)
    return classifier


def find_classifier(
    source: str | Path, runs: str | Path = "runs", role: Role = "classifier", data: DataSource | None = None
) -> Path:
    """Return the file that `source` means, as in `load_classifier`; of a data set the newest of that role."""
    check_path("source", source, RunError)
    by_data = str(source) in SOURCES
    path = Path(runs) / f"{role}-{source}" if by_data else Path(source)
    file = path / NAME if path.is_dir() else path
    if file.is_file():
        found = data_of(file)
        if not by_data or data is None or (found is not None and found.same_as(data)):
            return file
        older = [place / NAME for place in folders_in(runs) if place.name.startswith(f"{path.name}-")]
        same = [file for file in older if file.is_file() and (of := data_of(file)) and of.same_as(data)]
        if same:
            return max(same, key=lambda file: str(read_meta(file.parent).get("started")))
        was = f"was trained on other data, {found}, than" if found else "does not say that it was trained on"
        make = command_for(role, str(source), data.root)
        raise RunError(f"{path} {was} {data}; make a {role} of these with: {make}, or name one by its folder")
    if path.is_dir():
        raise RunError(f"{path} holds no {NAME}: not a classifier, or its training never ended; name another")
    if by_data:
        raise RunError(f"no {role} of {source} in {runs}; make one with: {command_for(role, str(source))}")
    here = sorted(p.parent.name for p in path.parent.glob(f"*/{NAME}"))
    close = nearest(path.name, here)
    hint = f"; did you mean {path.parent / close[0]}?" if close else "."
    there = ", ".join(here) or "none; make one with: python -m causalcf.classify"
    raise RunError(f"no classifier {path}{hint} Classifiers there: {there}")


def command_for(role: Role, data: str, data_root: str | None = None) -> str:
    """The command that makes a classifier of a data set."""
    root = "" if data == "faces" else f" --data-root {shlex.quote(data_root or 'PATH')}"
    return f"python -m causalcf.classify --data {data}{root}{f' --role {role}' * (role != 'classifier')}"


def role_of(file: Path) -> str | None:
    """Return the role of a saved classifier, "classifier" or "judge"; None if its folder does not say."""
    recipe = read_meta(file.resolve().parent).get("recipe")
    return recipe.get("role") if isinstance(recipe, dict) else None


def data_of(file: Path) -> DataSource | None:
    """Return the data that a saved classifier was trained on; None if its folder does not say."""
    meta = read_meta(file.resolve().parent)
    recipe = meta.get("recipe")
    name, root = (recipe.get("data"), recipe.get("data_root")) if isinstance(recipe, dict) else (None, None)
    fingerprint = meta.get("data_fingerprint")
    if not (isinstance(name, str) and isinstance(fingerprint, str)):
        return None
    return DataSource(name, fingerprint, root if isinstance(root, str) else None)


@contextmanager
def classifier_folder(recipe: ClassifierRecipe) -> Iterator[Path]:
    """Create a new folder for a classifier; delete it if the block ends before `classifier.pt` exists."""
    recipe = recipe.resolved()
    stem = f"{recipe.role}-{recipe.data}-{recipe.network}-{datetime.date.today().isoformat()}"
    folder = new_folder(Path(recipe.runs_dir), stem)
    try:
        yield folder
    finally:
        if not (folder / NAME).is_file():
            shutil.rmtree(folder)


def _from_state(state: dict[str, Any]) -> AttributeClassifier:
    network = with_weights(lambda: build_network(state["network"], state["outputs"], state["width"]), state["weights"])
    _check_columns(state)
    return AttributeClassifier(
        tuple(state["attributes"]),
        network,
        tuple(state["columns"]),
        Calibration(state["scale"], state["shift"]),
        tuple(state["base_rates"]),
        state["mirror"],
        (state["network"], state["width"]),
    )


def _check_columns(state: dict[str, Any]) -> None:
    """Check that names, columns and calibration of a loaded file fit together (untrusted input)."""
    names, columns, d = state["attributes"], state["columns"], len(state["attributes"])
    if not d or not all(isinstance(name, str) for name in names):
        raise RunError(f"its attributes are {names!r}; expected names")
    if len(columns) != d or not all(type(i) is int and 0 <= i < state["outputs"] for i in columns):
        raise RunError(f"its columns are {columns!r}; expected {d} of the network's {state['outputs']}")
    for part in ("scale", "shift"):
        found = state[part]
        if found.shape != (d,) or not found.is_floating_point() or not bool(found.isfinite().all()):
            raise RunError(f"its calibration's {part} is not {d} finite numbers")
    if len(state["base_rates"]) != d or not all(0 <= rate <= 1 for rate in state["base_rates"]):
        raise RunError(f"its base rates are not {d} numbers in [0, 1]")
    if type(state["mirror"]) is not bool:
        raise RunError(f"mirror is {state['mirror']!r}; expected true or false")

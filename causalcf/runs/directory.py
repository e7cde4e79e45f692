"""Run directories: runs/<date>-<recipe>-<approach>/ holds recipe.yaml, graph.yaml, meta.json, stats.jsonl,
TensorBoard events, pictures and checkpoints; runs/latest links to the newest. checkpoint.pt is a run's newest
checkpoint, checkpoint.1.pt the one before it. A crash leaves a whole file, and loading checks all that it holds.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from ..checks import check_path
from ..errors import RunError, nearest
from ..graph.files import load_graph, save_graph
from ..graph.graph import CausalGraph
from ..io.files import link_atomically, replacing, temporary_beside, write_atomically
from ..io.folders import META, folders_in, new_folder, read_meta
from ..io.untrusted import (
    check_archive,
    first_line,
    parse_json,
    read_last_line,
    read_tensors,
    rebuilding,
    refuse_links_out,
)
from ..io.yaml import PRETRAINED, FileKind, read_mapping, run_folder
from ..labels import LabelSCM
from ..networks.bundle import AnyGenerator, Networks, build_generator, check_weights
from .exported import WEIGHTS, read_state
from .recipe import APPROACHES, Recipe, stored_recipe

RECIPE, GRAPH, STATISTICS, CHECKPOINT = "recipe.yaml", "graph.yaml", "stats.jsonl", "checkpoint.pt"
WHOLE_GRAPH = "whole-graph.yaml"  # the recipe's, where the run's own lacks edges or labels
STATEMENTS = "statements.yaml"  # the statement constraints of a run that has any
SET_ASIDE = "checkpoint.set-aside.pt"  # the newest, after an earlier one was gone back to
PRECISIONS = ("bf16", "float32")
VIEWS = ("views_most", "views_fewest", "effective_images")  # in the statistics


@dataclass(frozen=True)
class StoredRun:
    """A run directory on disk, read without its networks; `images` are those seen by its last tick."""

    folder: Path
    approach: str
    recipe: dict[str, Any]
    meta: dict[str, Any]
    images: int

    @property
    def kind(self) -> str:
        return run_kind(self.approach, self.recipe.get("statements"), self.recipe.get("generator_labels") is not None)


class FinishedRun(StoredRun):
    """A run that has seen all images of its recipe."""


def run_kind(approach: str, statements: str | None, partial: bool = False) -> str:
    """Return the approach, with "-partial" for a generator that is given some labels alone, and "-statements" for a
    run trained with statement constraints.
    """
    return f"{approach}{'-partial' if partial else ''}{'' if statements is None else '-statements'}"


def create_run(recipe: Recipe, graph: CausalGraph, meta: dict[str, Any]) -> Path:
    """Create a run directory with the resolved recipe, the graph of the run's labels and the metadata."""
    stem = f"{datetime.date.today().isoformat()}-{recipe.name}-{recipe.approach}"
    folder = new_folder(Path(recipe.runs_dir), stem)
    save_recipe(folder, recipe)
    save_graph(graph, folder / GRAPH)
    if not is_whole(recipe):
        save_graph(load_graph(recipe.graph), folder / WHOLE_GRAPH)
    write_atomically(folder / META, json.dumps(meta, indent=2).encode())
    return folder


def is_whole(recipe: Recipe) -> bool:
    """Return whether a run's own graph is that of its recipe; a conditional one lacks edges, a partial one labels."""
    return recipe.approach != "conditional" and not recipe.partial


def whole_graph(own: CausalGraph, folder: Path, recipe: Recipe) -> CausalGraph:
    """Return the graph that a run's recipe names, as it was when the training began; `own` is the run's."""
    if is_whole(recipe):
        return own
    stored = folder / WHOLE_GRAPH
    return load_graph(stored if stored.is_file() else recipe.graph)  # older runs did not store it


def save_recipe(folder: Path, recipe: Recipe) -> None:
    write_atomically(folder / RECIPE, yaml.safe_dump(recipe.to_dict(), sort_keys=False).encode())


def find_run(path: str | Path) -> Path:
    """Return the run directory that `path` means, links resolved; an error names the nearest.
    "pretrained:NAME" is a run of the package.
    """
    check_path("path", path, RunError)
    folder = run_folder(path)
    if folder.is_dir():
        refuse_links_out(folder)
        return folder.resolve()
    here = [p.name for p in folder.parent.glob("*") if (p / RECIPE).is_file()] if folder.parent.is_dir() else []
    close = nearest(folder.name, here)
    hint = f"; did you mean {folder.parent / close[0]}?" if close else "."
    there = ", ".join(sorted(here)) or "none; see python -m causalcf.train"
    raise RunError(f"no run directory {folder}{hint} Runs there: {there}")


def beside(folder: Path, recipe: Recipe) -> Path:
    """Return the folder of a run's classifiers and judges: where it lies, or ./runs for a run of the package."""
    return Path(recipe.runs_dir) if folder.parent == PRETRAINED else folder.parent


def find_checkpoint(path: str | Path) -> tuple[Path, Path]:
    """Return the run directory and checkpoint that `path` means: the newest, or the file itself."""
    file = Path(path)
    if file.is_file() and file.match("checkpoint*.pt"):
        refuse_links_out(file.parent)
        return file.resolve().parent, file.resolve()
    folder = find_run(path)
    if stored_weights(folder).name == WEIGHTS:
        raise RunError(
            f"{folder} is an exported run, which can be asked and not trained on; name the run it was made of"
        )
    return folder, folder / CHECKPOINT


def finished_runs(base: str | Path) -> list[FinishedRun]:
    """Return the finished runs in a folder, the newest last."""
    return [run for run in stored_runs(base) if isinstance(run, FinishedRun)]


def stored_runs(base: str | Path) -> list[StoredRun]:
    """Return all readable runs in a folder, finished or not, the newest last."""
    runs = [run for folder in folders_in(base) if (run := _stored(folder)) is not None]
    return sorted(runs, key=_start)


def _stored(folder: Path) -> StoredRun | None:
    try:
        recipe = read_mapping(folder / RECIPE, FileKind("a recipe", "from options to values", RunError))
    except RunError:
        return None
    approach, images = recipe.get("approach"), recipe.get("images")
    if approach not in APPROACHES or not isinstance(images, int):
        return None
    seen = _images_seen(folder)
    kind = FinishedRun if seen >= images else StoredRun
    return kind(folder, approach, recipe, read_meta(folder), seen)


def _images_seen(folder: Path) -> int:
    """Return the images at the last line of the statistics; 0 if it is missing or incomplete."""
    try:
        path = folder / STATISTICS
        images = parse_json(read_last_line(path), path)["images"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    return images if isinstance(images, int) else 0


def views_of(folder: Path) -> dict[str, float]:
    """Return how often the training has shown an image by now: most, fewest, and the effective number of images."""
    try:
        last = parse_json(read_last_line(folder / STATISTICS), folder / STATISTICS)
        return {key.replace("_", " "): float(last[key]) for key in VIEWS}
    except (OSError, ValueError, LookupError, TypeError):  # damaged, or of an earlier version
        return {}


def _start(run: StoredRun) -> tuple[str, int, str]:
    """Return the sort key of a run: its start, else the date in its name; then its number."""
    started, name = run.meta.get("started"), run.folder.name
    return started if isinstance(started, str) else name, len(name), name


def save_checkpoint(folder: Path, state: dict[str, Any], keep: int = 2) -> None:
    """Write the newest checkpoint atomically, and keep `keep` checkpoints in all."""
    with replacing(folder / CHECKPOINT) as file:
        torch.save(state, file)
        _grow_older(folder, keep)


def stored_weights(folder: Path) -> Path:
    """Return the file that a run is loaded from: its newest checkpoint, or the weights of an exported run."""
    exported = folder / WEIGHTS
    return exported if exported.is_file() and not (folder / CHECKPOINT).is_file() else folder / CHECKPOINT


def load_checkpoint(place: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Load a run's newest checkpoint, or the given file; an error names an earlier whole one."""
    path = stored_weights(place) if place.is_dir() else place
    if not path.is_file():
        raise RunError(
            f"{path.parent} holds no {path.name}: not a run directory, or its training never started; name another"
        )
    try:
        if path.name == WEIGHTS:
            return read_state(path, device)
        _check_parts(path)
        return read_tensors(path, device)
    except Exception as error:  # whatever a damaged directory of the archive leads to
        way = "Get the exported run again" if path.name == WEIGHTS else _offer(path)
        raise RunError(f"{path} is damaged: {first_line(error)}. {way}") from error


def earlier(folder: Path) -> list[Path]:
    """Return the checkpoints before the newest, the youngest first."""
    numbered = [path for path in folder.glob("checkpoint.*.pt") if path.name.split(".")[1].isdigit()]
    return sorted(numbered, key=_age)


def go_back(path: Path) -> None:
    """Make an earlier checkpoint the newest; the old newest becomes checkpoint.set-aside.pt."""
    newest = path.with_name(CHECKPOINT)
    chosen = temporary_beside(newest)
    link_atomically(chosen, path)  # it may be the one set aside, whose name is taken next
    if newest.is_file():
        link_atomically(path.with_name(SET_ASIDE), newest)
    os.replace(chosen, newest)


def _grow_older(folder: Path, keep: int) -> None:
    """Shift each checkpoint to the next number, oldest first, and delete those beyond `keep`."""
    for path in earlier(folder):
        if _age(path) >= keep:
            path.unlink()
    for age in range(keep - 1, 0, -1):
        younger = folder / (_name(age - 1) if age > 1 else CHECKPOINT)
        if younger.is_file():
            link_atomically(folder / _name(age), younger)


def _name(age: int) -> str:
    return f"checkpoint.{age}.pt"


def _age(path: Path) -> int:
    return int(path.name.split(".")[1])


def _check_parts(path: Path) -> None:
    """Check a checkpoint's archive and the CRC-32 of each tensor in it."""
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        member = archive.testzip()
    if member is not None:
        raise RunError(f"the checksum of its part {member} is wrong")


def _offer(path: Path) -> str:
    """Return advice that names an earlier checkpoint that is whole."""
    older = earlier(path.parent)
    for other in older[older.index(path) + 1 :] if path in older else older:
        with suppress(Exception):
            _check_parts(other)
            return f"The one before it is whole; go on from that with: python -m causalcf.train --resume {other}"
    return "There is no earlier one that is whole; start a new run"


def read_run(
    folder: Path, checkpoint: Path, device: torch.device | str = "cpu"
) -> tuple[dict[str, Any], CausalGraph, Recipe, LabelSCM | None]:
    """Return a checkpoint with what it is of: its graph, its recipe and its label generator, all checked."""
    state, graph = load_checkpoint(checkpoint, device), load_graph(folder / GRAPH)
    with rebuilding(checkpoint):
        return state, graph, *check_state(state, graph)


def check_state(state: dict[str, Any], graph: CausalGraph) -> tuple[Recipe, LabelSCM | None]:
    """Check a checkpoint; return its recipe and label generator (None for a run without labels)."""
    recipe = stored_recipe(state["recipe"])
    for key, kind in (("step", int), ("device", str), ("precision", str), ("data_fingerprint", str)):
        if type(state[key]) is not kind:
            raise RunError(f"its {key} is a value of type {type(state[key]).__name__}; expected {kind.__name__}")
    if not 0 <= state["step"] < 2**40 or not math.isfinite(state["seconds"]):
        raise RunError(f"its step is {state['step']}, after {state['seconds']} s; expected finite numbers, at least 0")
    if state["precision"] not in PRECISIONS:
        raise RunError(f"its precision is {state['precision']!r}; allowed: {', '.join(PRECISIONS)}")
    labels = state["labels"]
    if (labels is None) != (recipe.approach == "dcgan"):
        raise RunError(f"a {recipe.approach} run {'without' if labels is None else 'with'} a label generator")
    scm = None if labels is None else LabelSCM.from_state(labels)
    if scm is not None and scm.graph != graph:
        raise RunError("its label generator is not of the graph in graph.yaml")
    return recipe, scm


def networks_of(recipe: Recipe, n_labels: int) -> Networks:
    """Fresh networks as a recipe has them; their weights come from PyTorch's global random state."""
    return Networks(
        recipe.noise_dim,
        n_labels,
        recipe.width,
        recipe.labeler_width,
        recipe.even_kernels,
        recipe.noise_weight > 0,
        recipe.networks[0],
        recipe.networks[1],
        recipe.reconstruction > 0,
    )


def generator_of(recipe: Recipe, n_labels: int) -> AnyGenerator:
    """Return the generator that a recipe has, without weights of its own."""
    return build_generator(recipe.networks[0], recipe.noise_dim, n_labels, recipe.width, recipe.even_kernels)


def check_networks(state: dict[str, Any], recipe: Recipe, graph: CausalGraph) -> None:
    """Check that the stored weights fit the recipe's networks, without allocating them."""
    labels = 0 if state["labels"] is None else len(graph.nodes)
    check_weights(lambda: networks_of(recipe, labels), state["networks"])


def check_moments(optimiser: torch.optim.Optimizer) -> None:
    """Check that an optimiser's restored moments have the shapes of its weights."""
    for weight, state in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            if name not in state or state[name].shape != weight.shape:
                raise RunError(f"an optimiser's {name} does not fit its weight of shape {tuple(weight.shape)}")

"""One training from recipe to finished run: load and check the data, fit the label generator, train."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..cli.command import INTERRUPTED
from ..constraints.setup import constraint_of
from ..data import attribute_names, load_data
from ..data.images import ImageData, to_unit_interval
from ..distributed.group import (
    check_batch,
    first_of_machine_first,
    from_first,
    is_first,
    own_device,
    require_same,
    size,
)
from ..errors import RunError, WriteError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph, check_attributes
from ..io.files import clear_leftovers, refusal, run_lock, write_atomically
from ..io.folders import META, point_to, provenance, read_meta
from ..io.progress import counting
from ..io.text import escaped
from ..io.untrusted import rebuilding
from ..labels import LabelSCM, fit_label_scm
from ..language.lists import load_statements, save_statements
from ..language.statement import Statement
from ..networks.precision import choose_device, choose_precision
from ..pictures.tensorboard import TensorBoardWriter
from ..runs.checkpoint import NAME as CHECKPOINT
from ..runs.checkpoint import go_back
from ..runs.directory import STATEMENTS, create_run, find_checkpoint, save_recipe
from ..runs.recipe import Recipe
from .batches import Batches, LabelledDraw
from .loop import Training, Watcher, notify, train
from .start import find_initial_run, read_stored
from .watchers import ConstraintStatistics, Pictures, Progress, Statistics

REALS = 60  # images of the data in reals.png


def start_run(recipe: Recipe) -> int:
    """Train a new run; return 0 when it finishes, 130 when it is interrupted."""
    graph = graph_of(recipe)
    device = device_of(recipe)
    initial = find_initial_run(recipe, graph, device)
    statements = None if recipe.statements is None else load_statements(recipe.statements, graph.nodes)
    data = training_data(recipe, graph)
    if initial is None:
        scm = from_first(lambda: label_generator(recipe, graph, data))
        precision = from_first(lambda: choose_precision(recipe.precision, device))
    else:
        recipe = replace(recipe, init_from=initial.name)
        scm, precision = initial.scm, initial.precision(recipe.precision)
    training = assemble(recipe, graph, scm, data, device, precision, statements)
    meta = provenance(recipe.seed, device, precision, data.fingerprint)
    if initial is not None:
        initial.hand_over(training)
        meta = {**meta, "start": initial.record}
    folder = from_first(lambda: create_run(recipe, graph, meta))
    with _locked(folder):
        if is_first():
            if statements is not None:
                save_statements(folder / STATEMENTS, statements)
            training.save(folder)
            point_to(folder)
        return _run_to_end(training, folder)


def resume_run(path: str, overrides: Mapping[str, Any], changed_data: bool = False) -> int:
    """Resume a run directory or one of its checkpoints; only `images` and `keep` may change."""
    folder, checkpoint = find_checkpoint(path)
    with _locked(folder):
        if is_first():
            clear_leftovers(folder)
        training, stored = _stored_training(folder, checkpoint, overrides, changed_data)
        if is_first():  # all have read the checkpoint, as they have waited for each other's images
            if checkpoint.name != CHECKPOINT:
                go_back(checkpoint)
            if training.recipe != stored or changed_data:
                _record_changes(training, folder)
            point_to(folder)
        return _run_to_end(training, folder)


def _locked(folder: Path) -> AbstractContextManager[None]:
    """Return the run lock; of several processes only the first holds it."""
    return run_lock(folder) if is_first() else nullcontext()


def _stored_training(
    folder: Path, checkpoint: Path, overrides: Mapping[str, Any], changed_data: bool
) -> tuple[Training, Recipe]:
    """Return the training restored from a checkpoint, and the recipe that the checkpoint holds."""
    stored = read_stored(folder, checkpoint, overrides)
    state, graph, recipe = stored.state, stored.graph, stored.recipe
    device = device_of(recipe)
    if device.type != state["device"]:
        raise RunError(f"{folder.name} was trained on {state['device']}; resume it there, not on {device.type}")
    statements = None if recipe.statements is None else load_statements(folder / STATEMENTS, graph.nodes)
    data = training_data(recipe, graph)
    training = assemble(recipe, graph, stored.scm, data, device, state["precision"], statements)
    with rebuilding(checkpoint):
        training.restore(state, folder, changed_data)
    return training, stored.before


def _record_changes(training: Training, folder: Path) -> None:
    """Save a changed recipe and data fingerprint in the run directory."""
    training.save(folder)
    save_recipe(folder, training.recipe)
    meta, fingerprint = read_meta(folder), training.batches.data.fingerprint
    before = meta.get("data_fingerprint")
    if before != fingerprint:
        meta |= {"data_fingerprint": fingerprint, "earlier_data": [*meta.get("earlier_data", []), before]}
        write_atomically(folder / META, json.dumps(meta, indent=2).encode())


def device_of(recipe: Recipe) -> torch.device:
    """Return the device of this process; check that the batch can be split among the processes."""
    check_batch(recipe.batch)
    return choose_device(own_device(recipe.device))


def graph_of(recipe: Recipe) -> CausalGraph:
    """Return the graph of a recipe; for `conditional` it has no edges."""
    graph = load_graph(recipe.graph)
    return graph.without_edges() if recipe.approach == "conditional" else graph


def training_data(recipe: Recipe, graph: CausalGraph) -> ImageData:
    """Load the recipe's images; check that every node of the graph is one of their attributes."""
    check_attributes(graph, attribute_names(recipe.data, recipe.data_root), recipe.data)
    options: dict[str, Any] = {"n": recipe.data_size} if recipe.data == "faces" else {}
    with first_of_machine_first():
        return load_data(recipe.data, recipe.data_root, **options)


def check_inputs(recipe: Recipe) -> None:
    """Check all that a recipe names, short of images and networks: its graph, the data's labels, its statements.

    Raises:
        CausalCFError: names what is missing, malformed, or does not fit.
    """
    graph = graph_of(recipe)
    check_attributes(graph, attribute_names(recipe.data, recipe.data_root), recipe.data)
    if recipe.statements is not None:
        load_statements(recipe.statements, graph.nodes)


def label_generator(recipe: Recipe, graph: CausalGraph, data: ImageData) -> LabelSCM | None:
    """Fit the label generator to the data's labels; None for dcgan."""
    if recipe.approach == "dcgan":
        return None
    draw = torch.Generator().manual_seed(recipe.seed)
    return fit_label_scm(graph, data.select(graph.nodes), method=recipe.labels, generator=draw)


def assemble(
    recipe: Recipe,
    graph: CausalGraph,
    scm: LabelSCM | None,
    data: ImageData,
    device: torch.device,
    precision: str,
    statements: Mapping[str, Statement] | None = None,
) -> Training:
    """Return a training at step 0."""
    constraint = (
        None if statements is None else constraint_of(recipe, statements, scm, data, graph.nodes, device, precision)
    )
    labels = data.select(graph.nodes)
    # Plain dcgan sees no labels: its rows come as they are.
    draw = LabelledDraw(labels, scm, recipe.balance if scm is not None else 0.0)
    shown = labels if scm is not None else labels[:, :0]
    batches = Batches(data, shown, draw, recipe.noise_dim, device)
    return Training(recipe, graph, scm, batches, device, precision, constraint)


def _run_to_end(training: Training, folder: Path) -> int:
    recipe = training.recipe
    require_same({**recipe.to_dict(), "data_fingerprint": training.batches.data.fingerprint, "step": training.step})
    shared = f", {size()} processes" if size() > 1 else ""
    _say(
        f"{recipe.approach} on {len(training.batches.data):,} images of {training.batches.data.name}; "
        f"{training.device.type}, {training.precision}, {torch.get_num_threads()} threads{shared}; {folder}"
    )
    again = f"go on with: python -m causalcf.train --resume {folder}"
    try:
        with counting("training", recipe.images, training.images) as advance:
            finished = _watched(training, folder, advance)
    except (WriteError, OSError) as error:
        if refusal(error) is None:
            raise
        raise WriteError(f"{error}. The checkpoints are whole; once it can be written, {again}") from error
    if finished:
        _say(f"finished: {training.images:,} images in {training.seconds / 60:.1f} minutes; {folder}")
        return 0
    _say(f"interrupted at {training.images:,} images; {again}")
    return INTERRUPTED


def _watched(training: Training, folder: Path, advance: Callable[[int], None]) -> bool:
    """Train with all watchers in the first process; return False if interrupted."""
    if not is_first():  # who shows and keeps nothing
        return train(training, folder, [])
    board = TensorBoardWriter(folder, training.recipe.keep, training.step + 1 if training.step else None)
    statistics = Statistics(folder, board, training.step)
    data = training.batches.data
    some = torch.arange(min(REALS, len(data)))
    pictures = Pictures(folder, to_unit_interval(data.batch(some)), data.select(training.graph.nodes), board)
    watchers: list[Watcher] = [Progress(advance), ConstraintStatistics(board), pictures, statistics]
    if training.tick is not None and statistics.recorded < training.step:  # it was killed before all of it was told
        notify(training, watchers)
    try:
        return train(training, folder, watchers)
    finally:
        board.close()


def _say(text: str) -> None:
    print(escaped(text), file=sys.stderr)

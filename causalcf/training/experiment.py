"""One training from recipe to finished run: check and load the data, fit the labels, start or resume, train."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..checks import require
from ..cli.command import INTERRUPTED, say
from ..constraints.setup import constraint_of
from ..data import attribute_names, load_source
from ..data.images import ImageData, to_unit_interval
from ..distributed import group
from ..distributed.group import from_first, is_first
from ..errors import GraphError, RecipeError, RunError, WriteError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph, check_attributes
from ..io.files import clear_leftovers, refusal, run_lock, write_atomically
from ..io.folders import META, point_to, provenance, read_meta
from ..io.progress import counting
from ..io.untrusted import rebuilding
from ..labels import LabelSCM, fit_label_scm
from ..language.conflicts import refuse_unsettable
from ..language.lists import load_statements, save_statements
from ..language.statement import Statement
from ..networks.precision import choose_device, choose_precision
from ..pictures.tensorboard import TensorBoardWriter
from ..runs.directory import (
    CHECKPOINT,
    STATEMENTS,
    check_networks,
    create_run,
    find_checkpoint,
    go_back,
    read_run,
    save_recipe,
    whole_graph,
)
from ..runs.recipe import Recipe
from .batches import Batches, LabelledDraw
from .loop import Training, Watcher, train
from .watchers import Pictures, Statistics, print_tick

REALS = 60  # images of the data in reals.png
CHANGEABLE = ("images", "keep", "data_root", "truncation")  # by resuming
# What decides the networks' form, the meaning of a step, the label generator or the random state that goes on.
KEPT = (
    "approach", "labels", "objective", "generator", "discriminator", "width", "labeler_width",
    "noise_dim", "even_kernels", "batch", "seed",
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A run at one checkpoint, checked as far as possible without its data."""

    folder: Path
    checkpoint: Path
    state: dict[str, Any]
    graph: CausalGraph
    recipe: Recipe
    scm: LabelSCM | None

    @classmethod
    def read(cls, folder: Path, checkpoint: Path) -> Stored:
        stored = cls(folder, checkpoint, *read_run(folder, checkpoint))
        with rebuilding(checkpoint):
            check_networks(stored.state, stored.recipe, stored.graph)
        return stored

    def statements(self) -> dict[str, Statement] | None:
        unconstrained = self.recipe.statements is None
        return None if unconstrained else load_statements(self.folder / STATEMENTS, self.whole_graph.nodes)

    @property
    def whole_graph(self) -> CausalGraph:
        """A graph with all labels; that of a conditional run lacks its edges."""
        return whole_graph(self.graph, self.folder, self.recipe) if self.recipe.partial else self.graph

    @property
    def classifier_fingerprint(self) -> str | None:
        """Fingerprint of the classifier that reads for the run's statements, if it has any."""
        telling = self.state["telling"]
        return telling.get("classifier") if isinstance(telling, dict) else None

    def restore(self, training: Training, changed_data: bool = False) -> None:
        with rebuilding(self.checkpoint):
            training.restore(self.state, self.folder, changed_data)


def start_run(recipe: Recipe, on_finish: Callable[[Path], None] = lambda folder: None) -> int:
    """Train a new run; return 0 when it finishes (after `on_finish` got its folder), 130 when it is interrupted."""
    graph, whole = graph_of(recipe), load_graph(recipe.graph)
    device = device_of(recipe)
    initial = None if recipe.init_from is None else _initial_run(recipe, recipe.init_from, graph, device)
    statements = statements_of(recipe, graph, whole)
    data = training_data(recipe, whole)
    if initial is None:
        scm = from_first(lambda: label_generator(recipe, graph, data))
        precision = from_first(lambda: choose_precision(recipe.precision, device))
    else:  # the new run keeps the label generator, and for "auto" the precision
        inside = initial.folder.parent == Path(recipe.runs_dir).resolve()
        recipe = replace(recipe, init_from=initial.folder.name if inside else str(initial.folder))
        scm, precision = initial.scm, initial.state["precision"] if recipe.precision == "auto" else recipe.precision
    training = assemble(recipe, graph, scm, data, device, precision, statements, whole)
    meta = provenance(recipe.seed, device, precision, data.fingerprint)
    if initial is not None:
        if not _same_constraint(initial, training, statements):
            initial.state["telling"] = None  # multipliers and pairs of other questions, or by another classifier
        initial.restore(training)  # each step sets the learning rates of its own recipe
        training.tick = None  # the other run's
        meta["start"] = {"run": initial.folder.name, "images": training.images}
    folder = from_first(lambda: create_run(recipe, graph, meta))
    with _locked(folder):
        if is_first():
            if statements is not None:
                save_statements(folder / STATEMENTS, statements)
            training.save(folder)
            point_to(folder)
        return _run_to_end(training, folder, on_finish)


def _initial_run(recipe: Recipe, start: str, graph: CausalGraph, device: torch.device) -> Stored:
    """Return the run that a recipe starts from, checked against it; a name among the runs comes before a path."""
    inside = Path(recipe.runs_dir) / start
    is_path = Path(start).is_dir() or Path(start).parent != Path()
    folder, checkpoint = find_checkpoint(start if is_path and not inside.is_dir() else inside)
    initial, name = Stored.read(folder, checkpoint), folder.name
    for key in KEPT:
        given, kept = getattr(recipe, key), getattr(initial.recipe, key)
        require(given == kept, key, given, f"{kept}, as in {name}: see init_from")
    for key in ("noise_weight", "reconstruction"):  # whether there is a Q-network, and an encoder
        given, kept = getattr(recipe, key), getattr(initial.recipe, key)
        require(bool(given) == bool(kept), key, given, f"{'above 0' if kept else '0'}, as in {name}: see init_from")
    if initial.graph != graph:
        partly = recipe.partial or initial.recipe.partial
        ours, theirs = (", ".join(one.nodes) for one in (graph, initial.graph))
        require(not partly or ours == theirs, "generator_labels", ours, f"{theirs}, as in {name}: see init_from")
        raise RecipeError(f"graph {recipe.graph} is not that of {name}, from which to start: {folder / 'graph.yaml'}")
    kind = initial.state["device"]
    if device.type != kind:
        raise RunError(f"init_from: {name} was trained on {kind}; start from it there, not on {device.type}")
    seen = initial.state["step"] * initial.recipe.batch
    require(recipe.images > seen, "images", recipe.images, f"above {seen}, which {name} has seen already")
    return initial


def _same_constraint(initial: Stored, training: Training, statements: dict[str, Statement] | None) -> bool:
    """Return whether a training asks its statements as the run asked them from which it starts."""
    ours, theirs = training.recipe, initial.recipe
    if training.constraint is None or initial.classifier_fingerprint != training.constraint.fingerprint:
        return False
    same = (ours.stickiness, ours.null_weight > 0) == (theirs.stickiness, theirs.null_weight > 0)
    return same and statements == initial.statements()


def resume_run(
    path: str,
    overrides: Mapping[str, Any],
    changed_data: bool = False,
    on_finish: Callable[[Path], None] = lambda folder: None,
) -> int:
    """Resume a run directory or one of its checkpoints; `images`, `keep`, `data_root` and `truncation` may change."""
    folder, checkpoint = find_checkpoint(path)
    with _locked(folder):
        if is_first():
            clear_leftovers(folder)
        stored = Stored.read(folder, checkpoint)
        recipe, device = _resumed(stored, overrides), device_of(stored.recipe)
        if device.type != stored.state["device"]:
            raise RunError(
                f"{folder.name} was trained on {stored.state['device']}; resume it there, not on {device.type}"
            )
        statements = stored.statements()
        data, precision = training_data(recipe, stored.whole_graph), stored.state["precision"]
        whole = None if statements is None else whole_graph(stored.graph, folder, recipe)
        own = stored.graph, stored.scm, data, device, precision
        training = assemble(recipe, *own, statements, whole, stored.classifier_fingerprint)
        stored.restore(training, changed_data)
        if is_first():  # all have read the checkpoint, as they have waited for each other's images
            if checkpoint.name != CHECKPOINT:
                go_back(checkpoint)
            if recipe != stored.recipe or changed_data:
                _record_changes(training, folder)
            point_to(folder)
        return _run_to_end(training, folder, on_finish)


def resumed_recipe(path: str, overrides: Mapping[str, Any]) -> Recipe:
    """Return the recipe that resuming a run or checkpoint would use; nothing is written."""
    return _resumed(Stored.read(*find_checkpoint(path)), overrides)


def _resumed(stored: Stored, overrides: Mapping[str, Any]) -> Recipe:
    before, seen = stored.recipe, stored.state["step"] * stored.recipe.batch
    images = overrides.get("images", before.images)
    if images != before.images:
        allowed = f"at least {seen:,}, which {stored.folder.name} has seen by {stored.checkpoint.name}"
        require(images >= seen, "images", images, allowed)
    for name, value in overrides.items():
        if name not in CHANGEABLE and value != getattr(before, name):
            raise RecipeError(
                f"{name} is {getattr(before, name)} in {stored.folder.name} and cannot be changed to {value} by "
                "resuming; only images (to more), keep, data_root and truncation can be changed"
            )
    return replace(before, **{name: value for name, value in overrides.items() if name in CHANGEABLE}).validate()


def _locked(folder: Path) -> AbstractContextManager[None]:
    """Return the run lock; of several processes only the first holds it."""
    return run_lock(folder) if is_first() else nullcontext()


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
    group.check_batch(recipe.batch)
    return choose_device(group.own_device(recipe.device))


def graph_of(recipe: Recipe) -> CausalGraph:
    """Return the graph of the labels that the generator is given; for `conditional` it has no edges."""
    graph = load_graph(recipe.graph)
    if recipe.generator_labels is not None:
        try:
            part = graph.with_nodes(recipe.generator_labels or graph.roots())
        except GraphError as error:
            raise RecipeError(f"generator_labels: {error}") from None
        require(len(part) < len(graph), "generator_labels", "all labels of the graph", "fewer, or left out")
        graph = part
    return graph.without_edges() if recipe.approach == "conditional" else graph


def training_data(recipe: Recipe, graph: CausalGraph) -> ImageData:
    """Load the recipe's images; check that every node of its whole graph is one of their attributes."""
    check_attributes(graph, attribute_names(recipe.data, recipe.data_root, graph.nodes), recipe.data)
    with group.first_of_machine_first():
        return load_source(recipe)


def check_inputs(recipe: Recipe) -> None:
    """Check all that a recipe names, short of images and networks: its graph, the data's labels, its statements."""
    graph, whole = graph_of(recipe), load_graph(recipe.graph)
    check_attributes(whole, attribute_names(recipe.data, recipe.data_root, whole.nodes), recipe.data)
    statements_of(recipe, graph, whole)


def statements_of(recipe: Recipe, graph: CausalGraph, whole: CausalGraph) -> dict[str, Statement] | None:
    """Read a recipe's statements, which a generator with the labels of `graph` can be told; None: it has none."""
    if recipe.statements is None:
        return None
    statements = load_statements(recipe.statements, whole.nodes)
    refuse_unsettable(statements, graph.nodes if recipe.partial else None)
    consequents = {label for statement in statements.values() for label in statement.consequent}
    allowed = f"left out: the generator is given none of {', '.join(sorted(consequents))}"
    releases = not consequents.isdisjoint(graph.nodes)
    require(releases or not recipe.statement_release, "statement_release", True, allowed)
    return statements


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
    whole: CausalGraph | None = None,
    classifier_fingerprint: str | None = None,
) -> Training:
    """Return a training at step 0; statements are about the labels of the `whole` graph."""
    constraint = None
    if statements is not None:
        constraint = constraint_of(
            recipe, statements, scm, data, whole or graph, device, precision, classifier_fingerprint
        )
    labels = data.select(graph.nodes)
    # Plain dcgan sees no labels: its rows come as they are.
    draw = LabelledDraw(labels, scm, recipe.balance if scm is not None else 0.0, recipe.sampler)
    batches = Batches(data, labels if scm is not None else labels[:, :0], draw, recipe.noise_dim, device)
    return Training(recipe, graph, scm, batches, device, precision, constraint)


def _run_to_end(training: Training, folder: Path, on_finish: Callable[[Path], None]) -> int:
    recipe, data, n = training.recipe, training.batches.data, group.size()
    group.require_same({**recipe.to_dict(), "data_fingerprint": data.fingerprint, "step": training.step})
    say(
        f"{recipe.approach} on {len(data):,} images of {data.name}; {training.device.type}, {training.precision}, "
        f"{torch.get_num_threads()} threads{f', {n} processes' if n > 1 else ''}; {folder}"
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
        say(f"finished: {training.images:,} images in {training.seconds / 60:.1f} minutes; {folder}")
        if is_first():
            on_finish(folder)
        return 0
    say(f"interrupted at {training.images:,} images; {again}")
    return INTERRUPTED


def _watched(training: Training, folder: Path, advance: Callable[[int], None]) -> bool:
    """Train with all watchers in the first process; return False if interrupted."""
    if not is_first():  # it shows and writes nothing
        return train(training, folder, [])
    board = TensorBoardWriter(folder, training.recipe.keep, training.step + 1 if training.step else None)
    data = training.batches.data
    statistics = Statistics(folder, board, training.step, data, training.recipe)
    some = to_unit_interval(data.batch(torch.arange(min(REALS, len(data)))))
    pictures = Pictures(folder, some, data.select(training.graph.nodes), board)
    watchers: list[Watcher] = [print_tick, pictures, statistics]
    if training.tick is not None:
        if statistics.recorded < training.step:  # killed before its statistics were written
            for watch in watchers:
                watch(training, training.tick)
        elif training.finished and not pictures.finished:  # ended by resuming it for no more images
            pictures(training, training.tick)
    try:
        return train(training, folder, watchers, advance)
    finally:
        board.close()

"""Watchers of a training: progress line, stats.jsonl, TensorBoard, pictures.
They only read; they never change the training's weights or random state.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

from ..data.images import ImageData, to_unit_interval
from ..evaluation.image_statistics import band_powers, sliced_wasserstein
from ..io.files import write_atomically
from ..io.text import file_names
from ..io.untrusted import MAX_STATISTICS, parse_json, read_bounded
from ..labels import LabelSCM
from ..labels.distance import pairwise_of_labels, pairwise_of_scm, tables_markdown
from ..pictures.gallery import counterfactuals, diversity, do_versus_given, interpolation, label_flips
from ..pictures.sheets import Row, save_sheet, square_grid
from ..pictures.tensorboard import TensorBoardWriter
from ..runs.counterfactual import Worlds
from ..runs.directory import VIEWS
from ..runs.recipe import Recipe
from ..runs.run import Run
from .loop import Tick, Training

TABLES = "tables.md"  # written last
COLUMNS = 10  # faces in a row of a grid
COMPARED = 256  # images of each side that a tick compares, at most as many as it took


def print_tick(training: Training, tick: Tick) -> None:
    """Print a line of progress on stderr."""
    terms = "  ".join(f"{name} {value:.2f}" for name, value in tick.losses.items())
    print(f"{training.images:>9,} images  {tick.speed:5.0f} images/s  {terms}", file=sys.stderr)


class Statistics:
    """Watcher that writes a JSON line a tick and TensorBoard scalars; it drops lines after `resumed_at`."""

    def __init__(
        self, folder: Path, board: TensorBoardWriter, resumed_at: int, data: ImageData, recipe: Recipe
    ) -> None:
        self.path, self.board = folder / "stats.jsonl", board
        draw = torch.Generator().manual_seed(recipe.seed)
        n = min(COMPARED, recipe.tick, recipe.images, len(data) // 2)
        rows = torch.randperm(len(data), generator=draw)[: 2 * n]
        self.real, others = (to_unit_interval(data.batch(part)) for part in (rows[:n], rows[n:]))
        self.of_data = {f"{key}_data": value for key, value in _compared(others, self.real).items()}
        lines = _lines_until(self.path, resumed_at)
        write_atomically(self.path, "".join(lines).encode())
        self.recorded = json.loads(lines[-1])["step"] if lines else 0

    def __call__(self, training: Training, tick: Tick) -> None:
        clock = {"step": training.step, "images": training.images, "seconds": round(training.seconds, 3)}
        values = {"images_per_second": round(tick.speed, 2), **tick.losses}
        views = training.batches.draw.rows.views(training.images)
        values |= {key: round(value, 2) for key, value in zip(VIEWS, views, strict=True)}
        draw = torch.Generator().manual_seed(training.recipe.seed)
        drawn = run_of(training, self.path.parent).sample(max(len(self.real), 1), generator=draw)
        values |= _compared(drawn.images, self.real)
        values |= self.of_data
        constraint, scalars = training.constraint, dict(values)
        if constraint is not None:
            for name, record in constraint.record().items():
                scalars |= {f"statement {name}/{key}": value for key, value in record.items()}
            for key in ("proposed", "accepted"):
                scalars[f"statements/{key}"] = getattr(constraint.source, key)
        for name, value in scalars.items():
            self.board.add_scalar(name, value, training.step)
        self.board.flush()
        with open(self.path, "a") as file:
            file.write(json.dumps({**clock, **values}) + "\n")


def _compared(images: Tensor, real: Tensor) -> dict[str, float]:
    """Return sliced Wasserstein distances and the power of each band over the real images'; few images are compared."""
    if len(real) < 2:
        return {}
    draw = torch.Generator().manual_seed(0)
    found = {f"swd_{side}": d for side, d in sliced_wasserstein(images, real, draw, 32, 128).items()}
    ours, theirs = (band_powers(part).mean(0) for part in (images, real))
    found |= {f"power_{band}": float(ratio) for band, ratio in enumerate(ours / theirs, 1) if ratio.isfinite()}
    return {key: round(value, 3) for key, value in found.items()}


def run_of(training: Training, folder: Path) -> Run:
    """Return the training as a run, with its EMA weights."""
    nets = training.networks.average, training.networks.labeler, None
    given = training.recipe, training.graph, training.scm, training.step
    return Run(folder, *given, *nets, training.device, training.precision)


def _lines_until(path: Path, step: int) -> list[str]:
    """Return the complete lines of stats.jsonl up to a step; a line cut short by a crash is left out."""
    kept = []
    text = read_bounded(path, MAX_STATISTICS).decode(errors="replace") if path.is_file() else ""
    for line in text.splitlines(keepends=True):
        try:
            recorded = parse_json(line, path)["step"]
        except (LookupError, TypeError, ValueError):
            break
        if type(recorded) is not int or recorded > step:
            break
        kept.append(line)
    return kept


class Pictures:
    """Watcher that saves grids on fixed noise at each tick, and CausalGAN's other figures at the end."""

    def __init__(self, folder: Path, real: Tensor, labels: Tensor, board: TensorBoardWriter) -> None:
        """Take images of the data, (n, 3, 64, 64) in [0, 1], and all its labels in the graph's order."""
        self.folder, self.labels, self.board = folder, labels, board
        save_sheet(folder / "reals.png", square_grid(real, COLUMNS))

    @property
    def finished(self) -> bool:
        """Whether the figures of the end were made."""
        return (self.folder / TABLES).is_file()

    def __call__(self, training: Training, tick: Tick) -> None:
        run = run_of(training, self.folder)
        worlds = run.sample(6 * COLUMNS, generator=torch.Generator().manual_seed(training.recipe.seed))
        stamp = f"-{training.images // 1000:06d}k" if training.recipe.tick >= 1000 else f"-{training.images:09d}"
        self._save("samples", square_grid(worlds.images, COLUMNS), training, stamp)
        if run.labels is None:
            return
        few = worlds.noise[:COLUMNS], worlds.labels[:COLUMNS]
        self._save("flips", label_flips(run.generate, run.labels, *few), training, stamp)
        self._save("counterfactuals", counterfactuals(run.generate, run.labels, *few), training, stamp)
        if training.finished:
            self._figures(run, run.labels, worlds, training)

    def _figures(self, run: Run, scm: LabelSCM, worlds: Worlds, training: Training) -> None:
        """Save the figures and tables that are made once, at the end."""
        names, noise, labels = scm.graph.nodes, worlds.noise, worlds.labels
        for name, file in file_names(names).items():
            rows = do_versus_given(run.generate, scm, str(name), noise[:COLUMNS])
            self._save(f"do-vs-given-{file}", rows, training)
        self._save("diversity", diversity(run.generate, scm, noise[:COLUMNS], labels[:COLUMNS]), training)
        units = torch.arange(len(names)) % len(noise)
        self._save("interpolation", interpolation(run.generate, scm, noise[units], labels[units]), training)
        many = run.sample(2048, generator=torch.Generator().manual_seed(training.recipe.seed))
        columns = {
            "data": pairwise_of_labels(self.labels),
            "label generator": pairwise_of_scm(scm),
            "read off 2,048 generated images by the Labeler": pairwise_of_labels(run.classify(many.images) > 0.5),
        }
        write_atomically(self.folder / TABLES, tables_markdown(names, columns).encode())

    def _save(self, name: str, rows: list[Row], training: Training, stamp: str = "") -> None:
        self.board.add_image(name, save_sheet(self.folder / f"{name}{stamp}.png", rows), training.step)

"""A run directory: made before training, found again afterwards.

runs/<date>-<recipe>-<approach>/   recipe.yaml  graph.yaml  meta.json  checkpoint.pt  checkpoint.1.pt  stats.jsonl
                                   TensorBoard events, reals.png, samples-*.png, do-vs-given-*.png, ...
runs/latest                        a link to the newest
"""

from __future__ import annotations

from .folders import META, folders_in, new_folder, read_meta

import datetime
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .arguments import check_path
from .bounded import parse_json, read_json, read_last_line, refuse_links_out
from .checkpoint import NAME as CHECKPOINT
from .errors import RunError, WriteError, nearest
from .files import clear_leftovers, temporary_beside, write_atomically
from .graph import CausalGraph
from .graph_io import save_graph
from .recipe import APPROACHES, Recipe
from .yaml_tree import FileKind, read_mapping

RECIPE, STATISTICS = "recipe.yaml", "stats.jsonl"
STATEMENTS = "statements.yaml"  # what the run was told, where it was told anything


@dataclass(frozen=True)
class StoredRun:
    """A run directory as it lies on disk; nothing of its networks is loaded.

    Args:
        folder: the directory.
        approach: of its recipe.
        recipe: the resolved recipe, as plain values.
        meta: what `meta.json` holds; empty where it cannot be read.
        images: real images seen by its last tick; 0 before the first.
    """

    folder: Path
    approach: str
    recipe: dict[str, Any]
    meta: dict[str, Any]
    images: int

    @property
    def kind(self) -> str:
        """As `run_kind` has it."""
        return run_kind(self.approach, self.recipe.get("statements"))


class FinishedRun(StoredRun):
    """A run that has seen all images of its recipe."""


def run_kind(approach: str, statements: str | None) -> str:
    """What tells the runs of a comparison apart: the approach, and whether statements were told while it was trained.

    Args:
        approach: of the recipe.
        statements: of the recipe; runs older than that option have None.

    Example:
        >>> run_kind("dcgan", None), run_kind("dcgan", "celeba")
        ('dcgan', 'dcgan-statements')
    """
    return approach if statements is None else f"{approach}-statements"


def create_run(recipe: Recipe, graph: CausalGraph, meta: dict[str, Any]) -> Path:
    """A new run directory holding the resolved recipe, the graph and the metadata."""
    stem = f"{datetime.date.today().isoformat()}-{recipe.name}-{recipe.approach}"
    folder = new_folder(Path(recipe.runs), stem)
    save_recipe(folder, recipe)
    save_graph(graph, folder / "graph.yaml")
    write_atomically(folder / META, json.dumps(meta, indent=2).encode())
    return folder


def save_recipe(folder: Path, recipe: Recipe) -> None:
    """Writes the resolved recipe into the run's directory, replacing the one that was there."""
    write_atomically(folder / RECIPE, yaml.safe_dump(recipe.to_dict(), sort_keys=False).encode())


def find_run(path: str | Path) -> Path:
    """The run directory that `path` means, links resolved.

    Raises:
        RunError: no such directory (names those beside it), or one that holds a link to a place outside.
    """
    check_path("path", path, RunError)
    folder = Path(path)
    if folder.is_dir():
        refuse_links_out(folder)
        return folder.resolve()
    here = [p.name for p in folder.parent.glob("*") if (p / RECIPE).is_file()] if folder.parent.is_dir() else []
    close = nearest(folder.name, here)
    hint = f"; did you mean {folder.parent / close[0]}?" if close else "."
    raise RunError(f"no run directory {folder}{hint} Runs there: {', '.join(sorted(here)) or 'none'}")


def find_checkpoint(path: str | Path) -> tuple[Path, Path]:
    """The run directory and the checkpoint in it that `path` means: a run's newest, or the one whose file it is.

    Raises:
        RunError: no such directory; names those beside it.
    """
    file = Path(path)
    if file.is_file() and file.match("checkpoint*.pt"):
        refuse_links_out(file.parent)
        return file.resolve().parent, file.resolve()
    folder = find_run(path)
    return folder, folder / CHECKPOINT


def finished_runs(base: str | Path) -> list[FinishedRun]:
    """The finished runs in a folder, as in `stored_runs`: those whose last tick came with all images of the recipe."""
    return [run for run in stored_runs(base) if isinstance(run, FinishedRun)]


def latest_runs(base: str | Path) -> dict[str, Path]:
    """The directory of the newest finished run of each kind (`run_kind`) in a folder; kinds without one are left out.

    Example:
        >>> latest_runs("nowhere")
        {}
    """
    return {run.kind: run.folder for run in finished_runs(base)}


def stored_runs(base: str | Path) -> list[StoredRun]:
    """The runs in a folder, finished or not, the newest last; whatever is no run that can be read is passed over.

    Args:
        base: the folder that run directories go into; it need not exist.
    """
    runs = [run for folder in folders_in(base) if (run := _stored(folder)) is not None]
    return sorted(runs, key=_age)


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
    """Images at the last line of the statistics; 0 where there is none, or a crash cut it short."""
    try:
        path = folder / STATISTICS
        images = parse_json(read_last_line(path), path)["images"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    return images if isinstance(images, int) else 0


def _age(run: StoredRun) -> tuple[str, int, str]:
    """Sorts by when a run started, or by the date in its name; runs of one second as they are numbered."""
    started, name = run.meta.get("started"), run.folder.name
    return started if isinstance(started, str) else name, len(name), name

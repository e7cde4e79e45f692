"""Run directories: runs/<date>-<recipe>-<approach>/ holds recipe.yaml, graph.yaml, meta.json,
checkpoints, stats.jsonl, TensorBoard events and pictures; runs/latest links to the newest.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..checks import check_path
from ..errors import RunError, nearest
from ..graph.files import save_graph
from ..graph.graph import CausalGraph
from ..io.files import write_atomically
from ..io.folders import META, folders_in, new_folder, read_meta
from ..io.untrusted import parse_json, read_last_line, refuse_links_out
from ..io.yaml import FileKind, read_mapping
from .checkpoint import NAME as CHECKPOINT
from .recipe import APPROACHES, Recipe

RECIPE, STATISTICS = "recipe.yaml", "stats.jsonl"
STATEMENTS = "statements.yaml"  # what the run was told, where it was told anything


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
        return run_kind(self.approach, self.recipe.get("statements"))


class FinishedRun(StoredRun):
    """A run that has seen all images of its recipe."""


def run_kind(approach: str, statements: str | None) -> str:
    """Return the approach, with the suffix "-statements" for a run trained with statement constraints."""
    return approach if statements is None else f"{approach}-statements"


def create_run(recipe: Recipe, graph: CausalGraph, meta: dict[str, Any]) -> Path:
    """Create a run directory with the resolved recipe, the graph and the metadata."""
    stem = f"{datetime.date.today().isoformat()}-{recipe.name}-{recipe.approach}"
    folder = new_folder(Path(recipe.runs_dir), stem)
    save_recipe(folder, recipe)
    save_graph(graph, folder / "graph.yaml")
    write_atomically(folder / META, json.dumps(meta, indent=2).encode())
    return folder


def save_recipe(folder: Path, recipe: Recipe) -> None:
    write_atomically(folder / RECIPE, yaml.safe_dump(recipe.to_dict(), sort_keys=False).encode())


def find_run(path: str | Path) -> Path:
    """Return the run directory that `path` means, links resolved; an error names the nearest."""
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
    """Return the run directory and checkpoint that `path` means: the newest, or the file itself."""
    file = Path(path)
    if file.is_file() and file.match("checkpoint*.pt"):
        refuse_links_out(file.parent)
        return file.resolve().parent, file.resolve()
    folder = find_run(path)
    return folder, folder / CHECKPOINT


def finished_runs(base: str | Path) -> list[FinishedRun]:
    """Return the finished runs in a folder, the newest last."""
    return [run for run in stored_runs(base) if isinstance(run, FinishedRun)]


def stored_runs(base: str | Path) -> list[StoredRun]:
    """Return all readable runs in a folder, finished or not, the newest last."""
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
    """Return the images at the last line of the statistics; 0 if it is missing or incomplete."""
    try:
        path = folder / STATISTICS
        images = parse_json(read_last_line(path), path)["images"]
    except (OSError, ValueError, LookupError, TypeError):
        return 0
    return images if isinstance(images, int) else 0


def _age(run: StoredRun) -> tuple[str, int, str]:
    """Return the sort key of a run: its start, else the date in its name; then its number."""
    started, name = run.meta.get("started"), run.folder.name
    return started if isinstance(started, str) else name, len(name), name

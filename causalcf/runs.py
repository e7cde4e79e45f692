"""A run directory: made before training, found again afterwards.

runs/<date>-<recipe>-<approach>/   recipe.yaml  graph.yaml  meta.json  checkpoint.pt  stats.jsonl
                                   TensorBoard events, reals.png, samples-*.png, do-vs-given-*.png, ...
runs/latest                        a link to the newest
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import yaml

from .checkpoint import write_atomically
from .errors import RunError, nearest
from .graph import CausalGraph
from .graph_io import save_graph
from .recipe import Recipe


def create_run(recipe: Recipe, graph: CausalGraph, meta: dict[str, Any]) -> Path:
    """A new run directory holding the resolved recipe, the graph and the metadata."""
    stem = f"{datetime.date.today().isoformat()}-{recipe.name}-{recipe.approach}"
    folder = new_folder(Path(recipe.runs), stem)
    write_atomically(folder / "recipe.yaml", yaml.safe_dump(recipe.to_dict(), sort_keys=False).encode())
    save_graph(graph, folder / "graph.yaml")
    write_atomically(folder / "meta.json", json.dumps(meta, indent=2).encode())
    return folder


def new_folder(base: Path, stem: str) -> Path:
    """base/stem, or base/stem-2 and so on: the first that was not there, made."""
    base.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = base / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def point_to(folder: Path, name: str = "latest") -> None:
    """Makes the link `name` beside `folder` lead to it."""
    temporary = folder.parent / f".{name}.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    os.replace(temporary, folder.parent / name)


def find_run(path: str | Path) -> Path:
    """The run directory that `path` means, links resolved.

    Raises:
        RunError: no such directory; names those beside it.
    """
    folder = Path(path)
    if folder.is_dir():
        return folder.resolve()
    here = [p.name for p in folder.parent.glob("*") if p.is_dir()] if folder.parent.is_dir() else []
    close = nearest(folder.name, here)
    hint = f"; did you mean {folder.parent / close[0]}?" if close else ""
    raise RunError(f"no run directory {folder}{hint} Runs there: {', '.join(sorted(here)) or 'none'}")

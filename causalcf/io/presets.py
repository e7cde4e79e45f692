"""Folders of the YAML files that the package ships: graphs, recipes, questions and statements.
In a checkout they are top-level folders; a wheel has them inside the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..checks import check_path
from ..errors import CausalCFError, unknown

_PACKAGE = Path(__file__).resolve().parents[1]


def preset_folder(kind: str) -> Path:
    """Return the folder of a kind of preset: "graphs", "train", "eval" or "eval/statements"."""
    shipped = _PACKAGE / "_shipped" / kind
    return shipped if shipped.is_dir() else _PACKAGE.parent / kind


def preset_names(kind: str) -> list[str]:
    return sorted(path.stem for path in preset_folder(kind).glob("*.yaml"))


def find_preset(kind: str, name: str | Path, error: type[CausalCFError] = CausalCFError) -> Path:
    """Return the YAML file of a path or preset; the bare name of a preset comes before a path."""
    check_path("path", name, error)
    path = Path(name)
    preset = preset_folder(kind) / f"{path.stem}.yaml"
    is_preset = preset.is_file() and path.parent.as_posix() in (".", kind) and path.suffix in ("", ".yaml")
    if path.suffix == "" and path.parent == Path() and is_preset:
        return preset  # a bare name, whatever folder of that name stands about
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise error(f"{name} is a folder; expected a YAML file or one of: {', '.join(preset_names(kind))}")
    if is_preset:
        return preset
    kinds = {"graphs": "graph", "train": "recipe", "eval": "evaluation", "eval/statements": "statement"}
    what = kinds.get(kind, kind)
    raise error(f"no file {name}, and " + unknown(f"{what} preset", str(name), preset_names(kind)))

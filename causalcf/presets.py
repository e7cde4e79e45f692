"""Where the YAML files that travel with the package lie: graphs, training recipes, questions and statements.

In a checkout they are the top-level folders `graphs/`, `train/` and `eval/`; a wheel carries the same folders inside
the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from .arguments import check_path
from .errors import CausalCFError, unknown

_PACKAGE = Path(__file__).resolve().parent


def preset_folder(kind: str) -> Path:
    """The folder of one kind of preset, "graphs", "train", "eval" or "eval/statements"."""
    shipped = _PACKAGE / "_shipped" / kind
    return shipped if shipped.is_dir() else _PACKAGE.parent / kind


def preset_names(kind: str) -> list[str]:
    """Names of all presets of a kind, sorted."""
    return sorted(path.stem for path in preset_folder(kind).glob("*.yaml"))


def find_preset(kind: str, name: str | Path, error: type[CausalCFError] = CausalCFError) -> Path:
    """The YAML file that `name` means: a path to a file, or the name of a preset.

    A bare name of a preset is that preset; else a path is tried. A checkout's own path (`graphs/celeba.yaml`) also
    works where no such file exists, as in an empty folder with an installed wheel.

    Raises:
        CausalCFError: (or `error`) neither a file nor a preset; names the nearest preset.
    """
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

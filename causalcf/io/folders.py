"""Folders of runs, classifiers and reports: their names, their metadata and their provenance."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..distributed.group import size
from ..errors import WriteError
from .files import clear_leftovers, temporary_beside
from .untrusted import read_json

if TYPE_CHECKING:
    import torch

META = "meta.json"


def new_folder(base: Path, stem: str) -> Path:
    """Create and return base/stem, or base/stem-2 and so on if it exists."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = base / (stem if number == 1 else f"{stem}-{number}")
            if not os.path.lexists(folder):
                with suppress(FileExistsError):  # made by another just now
                    folder.mkdir()
                    return folder
            number += 1
    except OSError as error:
        raise WriteError(f"cannot make a folder in {base}: {error.strerror}; name another") from error


def check_link(link: Path) -> None:
    """Refuse a folder where a link to the newest of those beside it is to be."""
    if link.is_dir() and not link.is_symlink():
        raise WriteError(f"{link} is a folder, and should be a link to the newest of those beside it: move it away")


def point_to(folder: Path, name: str = "latest") -> None:
    """Make the link `name` beside `folder` point to it, atomically."""
    link = folder.parent / name
    check_link(link)
    clear_leftovers(folder.parent)
    temporary = temporary_beside(link)
    temporary.symlink_to(folder.name)
    os.replace(temporary, link)


def folders_in(base: str | Path) -> list[Path]:
    """Return the folders directly in a folder, sorted, without links; [] if it does not exist."""
    if not Path(base).is_dir():
        return []
    return sorted(path for path in Path(base).iterdir() if path.is_dir() and not path.is_symlink())


def read_meta(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's `meta.json`; {} if it cannot be read."""
    try:
        found = read_json(folder / META)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def provenance(seed: int, device: torch.device, precision: str, data_fingerprint: str) -> dict[str, Any]:
    """Return a JSON-ready record of versions, commit, device, threads, precision, seed and data."""
    import numpy
    import torch

    return {
        "causalcf": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "device": str(device) if device.type == "cpu" else torch.cuda.get_device_name(device),
        "threads": torch.get_num_threads(),
        "processes": size(),
        "precision": precision,
        "seed": seed,
        "data_fingerprint": data_fingerprint,
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def _commit() -> str | None:
    """Return the checkout's commit, or None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None

"""What decides a run beside its recipe: versions, commit, device, data."""

from __future__ import annotations

import datetime
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy
import torch

from . import __version__
from .distributed.group import size


def provenance(seed: int, device: torch.device, precision: str, data_fingerprint: str) -> dict[str, Any]:
    """A JSON-ready record to keep beside the recipe."""
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
    """The checkout's commit, or None for an installed package."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None

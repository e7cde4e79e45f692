"""Checkpoints: tensors and plain metadata, written so that a crash leaves the old or the new one whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from .errors import RunError

NAME = "checkpoint.pt"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes to a temporary name beside `path`, flushes to disk, and renames."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replaces the run's checkpoint."""
    temporary = folder / f".{NAME}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, folder / NAME)


def load_checkpoint(folder: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """The run's latest checkpoint.

    Raises:
        RunError: there is none, or it cannot be read.
    """
    path = folder / NAME
    if not path.is_file():
        raise RunError(f"{folder} holds no {NAME}: not a run directory, or its training never started")
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise RunError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error

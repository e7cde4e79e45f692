"""Checkpoints: tensors and plain metadata, written so that a crash leaves the old or the new one whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from .errors import RunError

NAME = "checkpoint.pt"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write under a temporary name beside `path`; flushed to disk and renamed when all of it is written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file whole."""
    with replacing(path) as file:
        file.write(content)


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Replaces the run's checkpoint."""
    with replacing(folder / NAME) as file:
        torch.save(state, file)


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

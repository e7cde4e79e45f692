"""Checkpoints: tensors and plain metadata, the newest and those before it, each checked when it is read.

checkpoint.pt    the newest
checkpoint.1.pt  the one before it, and so on, as many as are kept

A crash leaves the old or the new one whole. PyTorch's files are ZIP archives with a CRC-32 of every tensor, which
PyTorch itself does not look at: a flipped bit would be trained on.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import torch

from .bounded import check_archive, first_line, read_tensors
from .errors import RunError
from .files import link_atomically, replacing, temporary_beside

NAME = "checkpoint.pt"
SET_ASIDE = "checkpoint.set-aside.pt"  # the newest, after an earlier one was gone back to


def save_checkpoint(folder: Path, state: dict[str, Any], keep: int = 2) -> None:
    """Writes the run's newest checkpoint.

    Args:
        folder: the run directory.
        state: tensors and plain values.
        keep: how many are kept, the newest among them.

    Raises:
        WriteError: it cannot be written; those that were there are whole.
    """
    with replacing(folder / NAME) as file:
        torch.save(state, file)
        _grow_older(folder, keep)


def load_checkpoint(place: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """A checkpoint, if it is whole.

    Args:
        place: a run directory, whose newest is read, or the file of one.
        device: where its tensors go.

    Raises:
        RunError: there is none, or it is damaged; names the newest earlier one that is whole.
    """
    path = place if place.is_file() else place / NAME
    if not path.is_file():
        raise RunError(f"{place} holds no {NAME}: not a run directory, or its training never started")
    damage = _damage(path)
    if damage is None:
        try:
            return read_tensors(path, device)
        except Exception as error:
            damage = first_line(error)
    raise RunError(f"{path} is damaged: {damage}. {_offer(path)}")


def earlier(folder: Path) -> list[Path]:
    """The checkpoints of a run before its newest, the youngest first."""
    numbered = [path for path in folder.glob("checkpoint.*.pt") if path.name.split(".")[1].isdigit()]
    return sorted(numbered, key=_age)


def go_back(path: Path) -> None:
    """Makes an earlier checkpoint the newest; the one that was is kept as checkpoint.set-aside.pt."""
    newest = path.with_name(NAME)
    chosen = temporary_beside(newest)
    link_atomically(chosen, path)  # it may be the one set aside, whose name is taken next
    if newest.is_file():
        link_atomically(path.with_name(SET_ASIDE), newest)
    os.replace(chosen, newest)


def _grow_older(folder: Path, keep: int) -> None:
    """Gives each checkpoint the name of the one before it, the oldest first; at no moment is there none of them."""
    for path in earlier(folder):
        if _age(path) >= keep:
            path.unlink()
    for age in range(keep - 1, 0, -1):
        younger = folder / (_name(age - 1) if age > 1 else NAME)
        if younger.is_file():
            link_atomically(folder / _name(age), younger)


def _name(age: int) -> str:
    return f"checkpoint.{age}.pt"


def _age(path: Path) -> int:
    return int(path.name.split(".")[1])


def _damage(path: Path) -> str | None:
    """What is wrong with a checkpoint's file; None for nothing."""
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            member = archive.testzip()
    except Exception as error:  # whatever a damaged directory of the archive leads to
        return str(error) or type(error).__name__
    return None if member is None else f"the checksum of its part {member} is wrong"


def _offer(path: Path) -> str:
    """What can be gone back to."""
    older = earlier(path.parent)
    older = older[older.index(path) + 1 :] if path in older else older
    whole = next((other for other in older if _damage(other) is None), None)
    if whole is None:
        return "There is no earlier one that is whole; start a new run"
    return f"The one before it is whole; go on from that with: python -m causalcf.train --resume {whole}"

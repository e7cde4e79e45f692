"""A contact sheet: the same faces in every column, one label flipped in every row."""

from __future__ import annotations

from pathlib import Path

import torch

from ...errors import DataError
from ...pictures import Row, save_sheet
from .person import LABELS
from .renderer import render
from .units import Units, sample_units


def contact_sheet(path: str | Path, n: int = 12, seed: int = 0, scale: int = 2) -> Path:
    """Write a picture of n faces (first row), and of the same with one label flipped (a row for each label).

    Args:
        path: where to write; the ending chooses the format (.png keeps every pixel).
        n: faces, from 1 to 100.
        seed: which faces.
        scale: how many pixels of the sheet a pixel of a face takes, from 1 to 8.

    Returns:
        The path.

    Raises:
        DataError: a number out of range, or a file that cannot be written.

    Source: defined here.

    Example:
        >>> import tempfile
        >>> contact_sheet(tempfile.mkdtemp() + "/sheet.png", n=2).name
        'sheet.png'
    """
    for what, value, low, high in (("n", n, 1, 100), ("seed", seed, 0, 2**31), ("scale", scale, 1, 8)):
        if not low <= value <= high:
            raise DataError(f"contact sheet: {what}={value}; expected {low} to {high}")
    units = sample_units(n, torch.Generator().manual_seed(seed))
    save_sheet(path, _rows(units), scale)
    return Path(path)


def _rows(units: Units) -> list[Row]:
    rows = [("as drawn", units.images())]
    for column, name in enumerate(LABELS):
        flipped = units.labels.clone()
        flipped[:, column] = 1 - flipped[:, column]
        rows.append((f"{name} flipped", render(flipped, units.noise)))
    return rows

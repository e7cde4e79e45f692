"""A contact sheet: the same faces in every column, one label flipped in every row."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...errors import DataError
from .dataset import to_bytes
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
    titles = ["as drawn", *(f"{name.replace('_', ' ')} flipped" for name in LABELS)]
    return _write(Path(path), titles, _rows(units), scale)


def _rows(units: Units) -> list[Tensor]:
    rows = [units.images()]
    for column in range(len(LABELS)):
        flipped = units.labels.clone()
        flipped[:, column] = 1 - flipped[:, column]
        rows.append(render(flipped, units.noise))
    return rows


def _write(path: Path, titles: list[str], rows: list[Tensor], scale: int) -> Path:
    from PIL import Image, ImageDraw, ImageFont

    side, count = rows[0].shape[-1] * scale, len(rows[0])
    font = ImageFont.load_default(size=8 * scale)
    margin = int(max(font.getlength(title) for title in titles)) + 8 * scale
    sheet = Image.new("RGB", (margin + count * side, len(rows) * side), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (title, row) in enumerate(zip(titles, rows, strict=True)):
        strip = to_bytes(torch.cat(list(row), 2)).permute(1, 2, 0).numpy()
        picture = Image.fromarray(strip).resize((count * side, side), Image.Resampling.NEAREST)
        sheet.paste(picture, (margin, i * side))
        pen.text((4 * scale, i * side + side // 2), title, fill="black", font=font, anchor="lm")
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot write the contact sheet {path}: {error}") from error
    return path

"""Sheets of images with row titles, drawn pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from .errors import DataError
from .files import write_atomically

if TYPE_CHECKING:
    from PIL import Image

Row = tuple[str, Tensor]  # a title and (n, 3, h, w) images in [0, 1]

GAP = 2  # image pixels between images


def save_sheet(path: str | Path, rows: Sequence[Row], scale: int = 2) -> np.ndarray:
    """Writes rows of images as one picture, each row's title on its left, every pixel enlarged `scale` times.

    Args:
        path: the file to write, replaced whole; its ending chooses the format (.png keeps every pixel).
        rows: titles and (n, 3, h, w) images in [0, 1]; rows may differ in length.
        scale: screen pixels a side for each image pixel.

    Returns:
        (height, width, 3) uint8, the picture.

    Raises:
        DataError: an ending that no kind of picture has.
        WriteError: the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    grid, centres = _canvas(rows)
    grid = grid.repeat(scale, 0).repeat(scale, 1)
    font = ImageFont.load_default(size=8 * scale)
    longest = max(font.getlength(line) for title, _ in rows for line in title.split("\n"))
    margin = int(longest) + 8 * scale if longest else 0
    sheet = Image.new("RGB", (margin + grid.shape[1], grid.shape[0]), "white")
    sheet.paste(Image.fromarray(grid), (margin, 0))
    pen = ImageDraw.Draw(sheet)
    for (title, _), centre in zip(rows, centres, strict=True):
        pen.text((margin - 4 * scale, scale * centre), title, fill="black", font=font, anchor="rm", align="right")
    write_picture(sheet, Path(path))
    return np.asarray(sheet)


def write_picture(sheet: Image.Image, path: Path) -> None:
    """Writes a picture, replacing the file whole; its ending chooses the format.

    Raises:
        DataError: an ending that no kind of picture has, or one that holds no such picture.
        WriteError: the file cannot be written.
    """
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise DataError(f"cannot write the picture {path}: no picture's name ends in {path.suffix!r}; take .png")
    encoded = BytesIO()  # before the file is touched
    try:
        sheet.save(encoded, format=kind)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"cannot write the picture {path}: {error}") from error
    write_atomically(path, encoded.getvalue())


def square_grid(images: Tensor, columns: int) -> list[Row]:
    """Images as untitled rows of `columns`."""
    return [("", row) for row in images.split(columns)]


def to_bytes(images: Tensor) -> np.ndarray:
    """(n, 3, h, w) images in [0, 1] to (n, h, w, 3) uint8, rounded."""
    return images.detach().float().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def _canvas(rows: Sequence[Row]) -> tuple[np.ndarray, list[float]]:
    """All rows on one white (h, w, 3) uint8 canvas, and the height of each row's centre."""
    width = max(len(images) * (images.shape[3] + GAP) + GAP for _, images in rows)
    height = sum(images.shape[2] + GAP for _, images in rows) + GAP
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    centres, y = [], GAP
    for _, images in rows:
        for column, image in enumerate(to_bytes(images)):
            high, wide, _ = image.shape
            x = GAP + column * (wide + GAP)
            canvas[y : y + high, x : x + wide] = image
        centres.append(y + images.shape[2] / 2)
        y += images.shape[2] + GAP
    return canvas, centres

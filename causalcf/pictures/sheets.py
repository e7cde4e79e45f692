"""Image sheets: rows of images with titles, drawn pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..errors import DataError
from ..io.files import write_atomically

if TYPE_CHECKING:
    from PIL import Image

Row = tuple[str, Tensor]  # a title and (n, 3, h, w) images in [0, 1]

GAP = 2  # image pixels between images


def save_sheet(path: str | Path, rows: Sequence[Row], scale: int = 2) -> np.ndarray:
    """Write titled rows of (n, 3, h, w) images in [0, 1] as one picture; return it as (h, w, 3) uint8."""
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
    """Write a picture atomically; the ending of the path selects the format."""
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
    """Return images as untitled rows of `columns` images."""
    return [("", row) for row in images.split(columns)]


def to_bytes(images: Tensor) -> np.ndarray:
    """Convert (n, 3, h, w) images in [0, 1] to (n, h, w, 3) uint8, rounded."""
    return images.detach().float().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def _canvas(rows: Sequence[Row]) -> tuple[np.ndarray, list[float]]:
    """Return all rows on a white (h, w, 3) uint8 canvas, and the height of the centre of each row."""
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

"""Sheets of images with row titles, drawn pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

Row = tuple[str, Tensor]  # a title and (n, 3, h, w) images in [0, 1]

GAP = 2  # pixels of the original scale between images
DPI = 100


def save_sheet(path: Path, rows: Sequence[Row], title: str = "", scale: int = 2) -> np.ndarray:
    """Writes rows of images as a PNG, each row under its title on the left, every pixel enlarged `scale` times.

    Args:
        path: the file to write; replaced whole.
        rows: titles and (n, 3, h, w) images in [0, 1]; rows may differ in length.
        title: a line above.
        scale: screen pixels a side for each image pixel.

    Returns:
        (height, width, 3) uint8, the picture that was written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas, centres = _canvas(rows, scale)
    height, width = canvas.shape[:2]
    longest = max((len(line) for name, _ in rows for line in name.split("\n")), default=0)
    left = 12 + 8 * longest if longest else 0
    top = 30 if title else 0
    figure = Figure(figsize=((left + width) / DPI, (top + height) / DPI), dpi=DPI, facecolor="white")
    drawn = FigureCanvasAgg(figure)
    figure.figimage(canvas, xo=left, yo=0)
    full = top + height
    for (name, _), centre in zip(rows, centres, strict=True):
        figure.text((left - 8) / (left + width), 1 - (top + centre) / full, name, ha="right", va="center", fontsize=9)
    if title:
        figure.text(0.01, 1 - 0.5 * top / full, title, ha="left", va="center", fontsize=10)
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=DPI, metadata={"Software": None})
    temporary.replace(path)
    return np.asarray(drawn.buffer_rgba())[..., :3].copy()


def square_grid(images: Tensor, columns: int) -> list[Row]:
    """Images as untitled rows of `columns`."""
    return [("", row) for row in images.split(columns)]


def _canvas(rows: Sequence[Row], scale: int) -> tuple[np.ndarray, list[float]]:
    """All rows on one white (h, w, 3) uint8 canvas, and the height of each row's centre in its pixels."""
    widths = [len(images) * (images.shape[3] + GAP) + GAP for _, images in rows]
    heights = [images.shape[2] + GAP for _, images in rows]
    canvas = np.full((sum(heights) + GAP, max(widths), 3), 255, dtype=np.uint8)
    centres, y = [], GAP
    for (_, images), height in zip(rows, heights, strict=True):
        x = GAP
        for image in to_bytes(images):
            canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
            x += image.shape[1] + GAP
        centres.append(scale * (y + (height - GAP) / 2))
        y += height
    return canvas.repeat(scale, 0).repeat(scale, 1), centres


def to_unit_interval(pixels: Tensor) -> Tensor:
    """uint8 pixels to float in [0, 1]."""
    return pixels.float() / 255


def to_bytes(images: Tensor) -> np.ndarray:
    """(n, 3, h, w) images in [0, 1] to (n, h, w, 3) uint8, rounded."""
    return images.detach().float().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()

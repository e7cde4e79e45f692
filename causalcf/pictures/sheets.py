"""Sheets of images with row titles, and grids with captions, drawn pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import DataError
from ..io.files import write_atomically

Row = tuple[str, Tensor]  # a title and (n, 3, h, w) images in [0, 1]

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
GAP = 2  # image pixels between images
TEXT_SIZE = 12  # screen pixels
TITLE_SIZE = 16
LINE = 15  # screen pixels from line to line
CAPTION_GAP = 12  # between panels, and round the sheet


def save_sheet(path: str | Path, rows: Sequence[Row], scale: int = 2) -> np.ndarray:
    """Write titled rows of (n, 3, h, w) images in [0, 1] as one picture; return it as (h, w, 3) uint8."""
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
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise DataError(f"cannot write the picture {path}: no picture's name ends in {path.suffix!r}; take .png")
    encoded = BytesIO()  # before the file is touched
    try:
        sheet.save(encoded, format=kind)
    except Exception as error:  # Pillow's encoders raise half a dozen unrelated types
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


@dataclass(frozen=True)
class Panel:
    """Image (3, h, w) in [0, 1] with caption lines; the last `marked` lines are coloured."""

    image: Tensor
    lines: Sequence[str] = ()
    marked: int = 0


def save_captioned(
    path: str | Path, rows: Sequence[Sequence[Panel]], title: str = "", headings: Sequence[str] = (), scale: int = 3
) -> np.ndarray:
    """Write rows of captioned images as one picture and return it as (height, width, 3) uint8."""
    if not rows or not all(rows):
        raise DataError("no images to put on a sheet")
    small, large = ImageFont.load_default(TEXT_SIZE), ImageFont.load_default(TITLE_SIZE)
    _, high, wide = rows[0][0].image.shape
    column, columns = scale * wide + CAPTION_GAP, max(len(row) for row in rows)
    titles = wrap(title, large, columns * column - CAPTION_GAP)
    captions = [[_wrapped(panel, small, scale * wide) for panel in row] for row in rows]
    tops = [CAPTION_GAP + len(titles) * (LINE + 6) + (LINE + 4 if headings else 0)]
    for texts in captions:
        tops.append(tops[-1] + scale * high + 6 + LINE * max(len(lines) for lines in texts) + CAPTION_GAP)

    sheet = Image.new("RGB", (CAPTION_GAP + columns * column, tops[-1]), "white")
    pen = ImageDraw.Draw(sheet)
    for i, line in enumerate(titles):
        pen.text((CAPTION_GAP, CAPTION_GAP + i * (LINE + 6)), line, fill="black", font=large, anchor="la")
    for i, heading in enumerate(headings):
        pen.text((CAPTION_GAP + i * column, tops[0] - LINE - 2), heading, fill="dimgray", font=small, anchor="la")
    for top, row, texts in zip(tops[:-1], rows, captions, strict=True):
        for i, (panel, lines) in enumerate(zip(row, texts, strict=True)):
            left = CAPTION_GAP + i * column
            pixels = to_bytes(panel.image[None])[0].repeat(scale, 0).repeat(scale, 1)
            sheet.paste(Image.fromarray(pixels), (left, top))
            for k, (line, colour) in enumerate(lines):
                at = left, top + scale * high + 4 + k * LINE
                pen.text(at, line, fill=colour, font=small, anchor="la")
    write_picture(sheet, Path(path))
    return np.asarray(sheet)


def wrap(text: str, font: Font, width: float) -> list[str]:
    """Wrap text to `width` pixels: break between words, and inside a word that is itself too wide."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _wrapped(panel: Panel, font: Font, width: float) -> list[tuple[str, str]]:
    """Return a panel's wrapped caption lines with their colours."""
    colours = ["black"] * (len(panel.lines) - panel.marked) + ["crimson"] * panel.marked
    lines = zip(panel.lines, colours, strict=True)
    return [(part, colour) for line, colour in lines for part in wrap(line, font, width)]

"""Image sheets with captions that wrap to the image width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..errors import DataError
from .sheets import to_bytes, write_picture

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

TEXT_SIZE = 12  # screen pixels
TITLE_SIZE = 16
LINE = 15  # screen pixels from line to line
CAPTION_GAP = 12  # between panels, and round the sheet


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
    from PIL import Image, ImageDraw, ImageFont

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
    plain = len(panel.lines) - panel.marked
    colours = ["black"] * plain + ["crimson"] * panel.marked
    wrapped = (wrap(line, font, width) for line in panel.lines)
    return [(part, colour) for parts, colour in zip(wrapped, colours, strict=True) for part in parts]

"""Plot helpers of a report: fonts and colours, PNG files, and text drawn literally."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

from ...io.text import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 160
INK, FAINT = "#1b2a3a", "#5f6f80"
TEXT: dict[str, Any] = {"color": INK, "parse_math": False}


def new_figure(width: float, height: float) -> Figure:
    """Create an empty figure, size in inches, without pyplot's global state."""
    import matplotlib.figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = matplotlib.figure.Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure, colours: int | None = None) -> bytes:
    """Return the figure as PNG bytes; fewer colours make the file smaller."""
    from PIL import Image

    drawn, written = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="rgba")
    size = (int(figure.bbox.width), int(figure.bbox.height))
    picture = Image.frombytes("RGBA", size, drawn.getvalue()).convert("RGB")
    if colours:
        picture = picture.quantize(colours, dither=Image.Dither.NONE)
    picture.save(written, "PNG")
    return written.getvalue()


def drawable(text: object, longest: int = 100) -> str:
    """Return text fit for a figure: shortened, and without letters that the font lacks."""
    shown = "".join(letter if _in_font(letter) else "\ufffd" for letter in plain(text))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def fitted(figure: Any, text: object, room: float, **look: Any) -> str:
    """Return text for a figure, shortened to a width in inches."""
    shown = drawable(text)
    while len(shown) > 2 and text_width(figure, [shown], **look) > room:
        shown = shown[: -max(2, len(shown) // 10)] + "…"
    return shown


def text_width(figure: Any, lines: list[str], **look: Any) -> float:
    """Return the width of the longest line, in inches."""
    widths = []
    for line in lines:
        text = figure.text(0, 0, line, **look, **TEXT)
        widths.append(text.get_window_extent().width / figure.dpi)
        text.remove()
    return max(widths, default=0.0)


@cache
def _in_font(letter: str) -> bool:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return bool(get_font(findfont(FontProperties())).get_char_index(ord(letter)))

"""Plots of a report as PNG files in memory: effects of one link, and heat maps of all pairs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from PIL import Image

from ...io.text import file_name, plain
from .links import NO_VERDICT, Group, Link, Outcome, cells_of, corrected_of, mapped_approaches

DPI = 160
INK, FAINT = "#1b2a3a", "#5f6f80"
TEXT: dict[str, Any] = {"color": INK, "parse_math": False}
_CELL, _GAP, _BAR, _MAP_HEAD, _MAP_FOOT = 0.44, 0.25, 0.85, 0.45, 0.5  # inches
_MAP_SIZE, _SMALL = 9.0, 7.5  # points
_COLOURS = "RdBu_r"  # told apart by the colour-blind, white at 0
_LONGEST = 22  # letters of a name
_CORNER: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": _SMALL}
_WIDTH, _ROW, _HEAD, _FOOT, _SIDE = 4.6, 0.6, 0.4, 0.85, 0.15  # inches; narrow, so that it can be read on a phone
_SIZE = 9.0  # points
_RAW, _CORRECTED, _BAND = "#0b5cad", "#a34b00", "#dfe5ec"


def new_figure(width: float, height: float) -> Figure:
    """Create an empty figure, size in inches, without pyplot's global state."""
    figure = matplotlib.figure.Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure, colours: int | None = None) -> bytes:
    """Return the figure as PNG bytes; fewer colours make the file smaller."""
    written, canvas = io.BytesIO(), cast("FigureCanvasAgg", figure.canvas)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
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
    return bool(get_font(findfont(FontProperties())).get_char_index(ord(letter)))


def scale_of(outcome: Outcome) -> float:
    """Return the largest absolute effect of all maps, at least 0.05, as their common colour scale."""
    shown = [0.05]
    for approach in mapped_approaches(outcome):
        for link in cells_of(outcome, approach).values():
            shown += [abs(value) for value in (link["reference"], _shown(link)) if value is not None]
    return max(shown)


def draw_heat_map(outcome: Outcome, approach: str, scale: float) -> bytes:
    """Draw reference and approach side by side as PNG bytes; rows are causes, columns effects."""
    nodes = outcome["nodes"]
    names = [drawable(node, _LONGEST) for node in nodes]
    side = _CELL * len(nodes)
    figure = new_figure(1, 1)
    label = text_width(figure, names, fontsize=_MAP_SIZE) + 0.12
    left = label + 0.1
    width, height = left + 2 * side + _GAP + _BAR, _MAP_HEAD + label + side + _MAP_FOOT
    figure.set_size_inches(width, height)
    cells = cells_of(outcome, approach)

    def panel(x: float) -> Axes:
        return figure.add_axes((x / width, _MAP_FOOT / height, side / width, side / height))

    first, second = panel(left), panel(left + side + _GAP)
    wrong = {pair for pair, link in cells.items() if link["verdict"] not in (*NO_VERDICT, "respected")}
    edges = {pair for pair, link in cells.items() if link["relation"] == "edge"}
    _draw_panel(first, nodes, {pair: link["reference"] for pair, link in cells.items()}, scale, edges)
    _draw_panel(second, nodes, {pair: _shown(link) for pair, link in cells.items()}, scale, wrong)
    first.set_yticks(range(len(names)), names, fontsize=_MAP_SIZE, **TEXT)
    first.annotate("effect →\ncause ↓", (0, 1), xycoords="axes fraction", xytext=(-6, 6), **_CORNER, **TEXT)
    second.set_yticks([])
    look: dict[str, Any] = {"fontsize": 11, "weight": "bold"}
    for axes, title in ((first, "reference effect"), (second, approach)):
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=_MAP_SIZE, **TEXT)
        x = axes.get_position().x0
        figure.text(x, 1 - 0.3 / height, fitted(figure, title, side, **look), **look, **TEXT)
    notes = ("framed: an edge of the graph", "framed: not respected; hatched: no verdict")
    for axes, note in zip((first, second), notes, strict=True):
        axes.set_xlabel(note, fontsize=_SMALL, loc="left", **TEXT)
    _draw_bar(figure, (width - 0.7) / width, first, scale)
    return to_png(figure)


def _draw_panel(
    axes: Axes,
    nodes: list[str],
    values: Mapping[tuple[str, str], float | None],
    scale: float,
    framed: set[tuple[str, str]],
) -> None:
    colours = matplotlib.colormaps[_COLOURS]
    for row, cause in enumerate(nodes):
        for column, effect in enumerate(nodes):
            value = values.get((cause, effect))
            look: dict[str, Any] = {"facecolor": "#d5d9de", "edgecolor": "white"}
            if value is not None:
                look |= {"facecolor": colours(0.5 + value / scale / 2), "linewidth": 0.8}
                ink = INK if _luminance(look["facecolor"]) > 0.4 else "white"
                axes.text(column, row, _short(value), ha="center", va="center", fontsize=_SMALL, color=ink)
            elif cause != effect:
                look = {"facecolor": "white", "edgecolor": "#b4bcc5", "hatch": "/////", "linewidth": 0}
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))
            if (cause, effect) in framed:
                inner = (column - 0.46, row - 0.46)
                axes.add_patch(Rectangle(inner, 0.92, 0.92, fill=False, edgecolor=INK, linewidth=1.4, zorder=3))
    axes.set(xlim=(-0.5, len(nodes) - 0.5), ylim=(len(nodes) - 0.5, -0.5))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_color("#b4bcc5")


def _draw_bar(figure: Figure, x: float, beside: Axes, scale: float) -> None:
    place = beside.get_position()
    bar = figure.add_axes((x, place.y0, 0.14 / figure.get_figwidth(), place.height))
    figure.colorbar(ScalarMappable(Normalize(-scale, scale), _COLOURS), cax=bar)
    bar.tick_params(labelsize=_SMALL, colors=FAINT)


def _shown(link: Link) -> float | None:
    return None if link["verdict"] in NO_VERDICT else link["effect_estimate"]


def _short(value: float) -> str:
    """Write two decimals without the leading zero; "0" for what rounds to zero."""
    written = f"{value:+.2f}"
    return "0" if float(written) == 0 else written.replace("0.", ".", 1)


def _luminance(colour: tuple[float, float, float, float]) -> float:
    """Compute the relative luminance of an sRGB colour (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@dataclass(frozen=True)
class Figures:
    """Plots by file name, and the file names of heat maps by approach and effect plots by anchor."""

    files: Mapping[str, bytes]
    heat_maps: Mapping[str, str]
    effects: Mapping[str, str]


def draw_figures(outcome: Outcome, groups: tuple[Group, ...]) -> Figures:
    """Draw heat maps of approaches that cover most pairs, and one effect plot per link."""
    files, heat_maps, effects = {}, {}, {}
    scale = scale_of(outcome)
    for number, approach in enumerate(mapped_approaches(outcome), start=1):
        heat_maps[approach] = f"heat-map-{number}-{file_name(approach)}.png"
        files[heat_maps[approach]] = draw_heat_map(outcome, approach, scale)
    for number, group in enumerate(groups, start=1):
        effects[group.anchor] = f"effect-{number:03d}-{file_name(group.cause)}-{file_name(group.effect)}.png"
        files[effects[group.anchor]] = draw_effects(group, outcome["settings"]["margin"])
    return Figures(files, heat_maps, effects)


def draw_effects(group: Group, margin: float) -> bytes:
    """Draw each approach's raw and judge-corrected effect, with reference and margin, as PNG bytes."""
    n = len(group.links)
    height = _HEAD + _ROW * n + _FOOT
    figure = new_figure(_WIDTH, height)
    room = _WIDTH - 2 * _SIDE
    axes = figure.add_axes((_SIDE / _WIDTH, _FOOT / height, room / _WIDTH, _ROW * n / height))
    axes.set(xlim=_limits(group, margin), ylim=(n, 0))
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=1)
    for row, link in enumerate(group.links):
        _draw_row(axes, row, link, margin)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=6)
    axes.tick_params(axis="x", labelsize=8, colors=FAINT)
    axes.grid(axis="x", color="#eceff3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    title = fitted(figure, group.name, room, fontsize=10.5, weight="bold")
    figure.text(_SIDE / _WIDTH, 1 - 0.26 / height, title, fontsize=10.5, weight="bold", **TEXT)
    _draw_key(axes, height)
    return to_png(figure, colours=64)


def _draw_row(axes: Axes, row: int, link: Link, margin: float) -> None:
    """Draw one approach: text in the upper part of the row, marks in the lower part."""
    reference, corrected = link["reference"], corrected_of(link)
    if reference is not None:
        axes.barh(row + 0.69, 2 * margin, left=reference - margin, height=0.52, color=_BAND, zorder=0)
        axes.plot([reference, reference], [row + 0.43, row + 0.95], color=INK, linewidth=2.2, zorder=3)
    _draw_point(axes, row + 0.59, link["effect_estimate"], link["interval"], "o", _RAW)
    _draw_point(axes, row + 0.81, corrected["effect_estimate"], corrected["interval"], "s", _CORRECTED)
    name, verdict = fitted(axes.figure, link["approach"], _WIDTH - 1.4, fontsize=_SIZE), drawable(link["verdict"])
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": _SIZE, "zorder": 6}
    place["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # lines pass behind
    axes.text(0, row + 0.25, name, ha="left", **place, **TEXT)
    axes.text(1, row + 0.25, verdict, ha="right", weight="bold", **place, **TEXT)


def _draw_point(axes: Axes, y: float, value: float | None, ends: list[float] | None, marker: str, colour: str) -> None:
    if value is None:
        return
    if ends is not None:
        axes.plot(ends, [y, y], color=colour, linewidth=1.6, zorder=4, solid_capstyle="butt")
    face = colour if marker == "o" else "white"
    axes.plot([value], [y], marker, color=colour, markerfacecolor=face, markersize=5.5, zorder=5)


def _limits(group: Group, margin: float) -> tuple[float, float]:
    """Return the x limits: everything drawn, and 0, with a little room."""
    shown = [0.0]
    for link in group.links:
        if link["reference"] is not None:
            shown += [link["reference"] - margin, link["reference"] + margin]
        for found in (link, corrected_of(link)):
            shown += [end for end in (found["effect_estimate"], *(found["interval"] or ())) if end is not None]
    low, high = min(shown), max(shown)
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room


def _draw_key(axes: Axes, height: float) -> None:
    marks = [
        Line2D([], [], color=_RAW, marker="o", markersize=5.5, label="effect"),
        Line2D([], [], color=_CORRECTED, marker="s", markerfacecolor="white", markersize=5.5, label="judge-corrected"),
        Line2D([], [], color=INK, linewidth=2.2, label="reference"),
        Patch(color=_BAND, label="margin"),
    ]
    axes.figure.legend(
        handles=marks, loc="lower center", bbox_to_anchor=(0.5, 0.06 / height), ncols=4, fontsize=8, frameon=False,
        handlelength=1.6, columnspacing=1.4, labelcolor=INK,
    )  # fmt: skip
    axes.set_xlabel("effect, difference in probability", fontsize=8, **TEXT)

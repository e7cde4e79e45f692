"""Plots of a report as PNG files in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...io.text import file_name
from .figure import FAINT, INK, TEXT, drawable, fitted, new_figure, to_png
from .heat_map import draw_heat_map, scale_of
from .links import Group, Link, Outcome, corrected_of, mapped_approaches

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


_WIDTH, _ROW, _HEAD, _FOOT, _SIDE = 4.6, 0.6, 0.4, 0.85, 0.15  # inches; narrow, so that it can be read on a phone
_SIZE = 9.0  # points
_RAW, _CORRECTED, _BAND = "#0b5cad", "#a34b00", "#dfe5ec"


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
    if ends is not None and None not in ends:
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
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

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

"""Heat map of all effects of one attribute on another: the reference, and beside it an approach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .figure import FAINT, INK, TEXT, drawable, fitted, new_figure, text_width, to_png
from .links import NO_VERDICT, Link, Outcome, cells_of, mapped_approaches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL, _GAP, _BAR, _MAP_HEAD, _MAP_FOOT = 0.44, 0.25, 0.85, 0.45, 0.5  # inches
_MAP_SIZE, _SMALL = 9.0, 7.5  # points
_COLOURS = "RdBu_r"  # told apart by the colour-blind, white at 0
_LONGEST = 22  # letters of a name
_CORNER: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "bottom", "fontsize": _SMALL}

Show = Callable[[Link], float | None]


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

    wrong = {pair for pair, link in cells.items() if link["verdict"] not in (*NO_VERDICT, "respected")}
    edges = {pair for pair, link in cells.items() if link["relation"] == "edge"}
    first, second = panel(left), panel(left + side + _GAP)
    _draw_panel(first, nodes, cells, lambda link: link["reference"], scale, edges)
    _draw_panel(second, nodes, cells, _shown, scale, wrong)
    first.set_yticks(range(len(names)), names, fontsize=_MAP_SIZE, **TEXT)
    first.annotate("effect →\ncause ↓", (0, 1), xycoords="axes fraction", xytext=(-6, 6), **_CORNER, **TEXT)
    second.set_yticks([])
    for axes, title in ((first, "reference effect"), (second, approach)):
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=_MAP_SIZE, **TEXT)
        x = axes.get_position().x0
        figure.text(
            x,
            1 - 0.3 / height,
            fitted(figure, title, side, fontsize=11, weight="bold"),
            fontsize=11,
            weight="bold",
            **TEXT,
        )
    notes = ("framed: an edge of the graph", "framed: not respected; hatched: no verdict")
    for axes, note in zip((first, second), notes, strict=True):
        axes.set_xlabel(note, fontsize=_SMALL, loc="left", **TEXT)
    _draw_bar(figure, (width - 0.7) / width, first, scale)
    return to_png(figure)


def _draw_panel(
    axes: Axes,
    nodes: list[str],
    cells: dict[tuple[str, str], Link],
    show: Show,
    scale: float,
    framed: set[tuple[str, str]],
) -> None:
    import matplotlib
    from matplotlib.patches import Rectangle

    colours = matplotlib.colormaps[_COLOURS]
    for row, cause in enumerate(nodes):
        for column, effect in enumerate(nodes):
            corner = (column - 0.5, row - 0.5)
            link = cells.get((cause, effect))
            value = show(link) if link else None
            if cause == effect:
                axes.add_patch(Rectangle(corner, 1, 1, facecolor="#d5d9de", edgecolor="white"))
            elif value is None:
                axes.add_patch(
                    Rectangle(corner, 1, 1, facecolor="white", edgecolor="#b4bcc5", hatch="/////", linewidth=0)
                )
            else:
                colour = colours(0.5 + value / scale / 2)
                axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
                ink = INK if _luminance(colour) > 0.4 else "white"
                axes.text(column, row, _short(value), ha="center", va="center", fontsize=_SMALL, color=ink)
            if (cause, effect) in framed:
                inner = (column - 0.46, row - 0.46)
                axes.add_patch(Rectangle(inner, 0.92, 0.92, fill=False, edgecolor=INK, linewidth=1.4, zorder=3))
    axes.set(xlim=(-0.5, len(nodes) - 0.5), ylim=(len(nodes) - 0.5, -0.5))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_color("#b4bcc5")


def _draw_bar(figure: Figure, x: float, beside: Axes, scale: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

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

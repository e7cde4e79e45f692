"""Drawings of causal graphs: PNG by matplotlib, and Mermaid text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.figure
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Outline
from matplotlib.transforms import Bbox

from ..errors import GraphError
from .files import save_graph
from .graph import CausalGraph
from .layout import BOX_HEIGHT, lay_out

_MAX_NODES = 200
_MAX_LABEL = 40  # letters
_MAX_PIXELS = 20_000  # a side
_DPI = 150
_FONT = 10.0  # points
_MARGIN, _TITLE = 0.25, 0.35  # inches
_PAD = 0.12  # inches between a label and its box
_INK, _BOX, _RIM = "#1b2a3a", "#eef3f9", "#5b7899"


def draw_graph(graph: CausalGraph, path: str | Path) -> None:
    """Draw a graph of at most 200 nodes to a .png or .svg file, in layers, or as arcs if it is dense; or write .dot."""
    suffix = Path(path).suffix.lower()
    if suffix in (".dot", ".gv"):
        save_graph(graph, path)
        return
    if len(graph) > _MAX_NODES:
        raise GraphError(f"graph {graph.name!r} has {len(graph)} nodes; at most {_MAX_NODES} are drawn; see to_mermaid")
    if suffix not in (".png", ".svg"):
        raise GraphError(f"cannot draw to {path}: the file's name must end in .png, .svg, .dot or .gv")
    figure = _figure(graph)
    dpi = min(_DPI, _MAX_PIXELS / max(figure.get_size_inches()))
    try:
        with rc_context({"svg.hashsalt": graph.name}):  # the same graph gives the same file
            figure.savefig(path, dpi=dpi, format=suffix[1:], metadata={"Date": None} if suffix == ".svg" else None)
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror}") from None


def to_mermaid(graph: CausalGraph) -> str:
    """Return a graph as Mermaid text, which many Markdown viewers draw."""
    identifier = {node: f"n{i}" for i, node in enumerate(graph.nodes)}
    lines = [f'{identifier[node]}["{_escaped(node)}"]' for node in graph.nodes]
    lines += [f"{identifier[parent]} --> {identifier[child]}" for parent, child in graph.edges]
    return "\n    ".join(["flowchart LR", *lines]) + "\n"


def _escaped(name: str) -> str:
    """Escape quotes, Markdown and HTML as numeric entities of Mermaid."""
    return "".join(c if c.isalnum() or c in " _-.,()" else f"#{ord(c)};" for c in name)


def _figure(graph: CausalGraph) -> Figure:
    """Return the whole figure; one data unit is one inch, so that labels fit their boxes."""
    figure = matplotlib.figure.Figure(dpi=_DPI)  # not pyplot, whose figures are global state
    FigureCanvasAgg(figure)
    title = _shortened(graph.name)
    labels = {node: _shortened(node) for node in graph.nodes}
    widths = {node: _text_width(figure, label, "normal") + 2 * _PAD for node, label in labels.items()}
    layout = lay_out(graph, widths)

    outlines = {
        edge: Outline(curve, [Outline.MOVETO] + [Outline.CURVE4] * (len(curve) - 1))
        for edge, curve in layout.curves.items()
    }
    extents = [Bbox.from_bounds(*box) for box in layout.boxes.values()]
    extent = Bbox.union(extents + [outline.get_extents() for outline in outlines.values()])
    left, bottom, top = extent.x0 - _MARGIN, extent.y0 - _MARGIN, extent.y1 + _MARGIN + _TITLE
    right = max(extent.x1, extent.x0 + _text_width(figure, title, "bold")) + _MARGIN
    figure.set_size_inches(right - left, top - bottom)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    text: dict[str, Any] = {"fontsize": _FONT, "color": _INK, "va": "center", "parse_math": False}
    axes.text(left + _MARGIN, top - _MARGIN - 0.05, title, weight="bold", **text)
    _draw_edges(axes, graph, outlines)
    style: dict[str, Any] = {"boxstyle": f"round,pad=0,rounding_size={BOX_HEIGHT / 4}", "fc": _BOX, "ec": _RIM}
    for node, (x, y, width, height) in layout.boxes.items():
        axes.add_patch(FancyBboxPatch((x, y), width, height, linewidth=0.9, zorder=3, **style))
        axes.text(x + width / 2, y + height / 2, labels[node], ha="center", zorder=4, **text)
    return figure


def _shortened(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1] + "…"


def _text_width(figure: Figure, label: str, weight: str) -> float:
    text = figure.text(0, 0, label, fontsize=_FONT, weight=weight, parse_math=False)
    width = text.get_window_extent().width / figure.dpi
    text.remove()
    return float(width)


def _draw_edges(axes: Axes, graph: CausalGraph, outlines: dict[tuple[str, str], Outline]) -> None:
    # Edges have the colour of their cause; many of them are drawn thin, so that single ones can still be followed.
    causes = [node for node in graph.nodes if graph.children(node)]
    colours = matplotlib.colormaps["plasma"]
    strength = min(1.0, 0.35 + 20 / (len(outlines) + 1))
    for (parent, child), outline in outlines.items():
        axes.add_patch(
            FancyArrowPatch(
                path=outline,
                arrowstyle="-|>",
                mutation_scale=9,
                color=colours(0.85 * causes.index(parent) / max(1, len(causes) - 1)),
                linewidth=0.5 + 0.7 * strength,
                alpha=strength,
                zorder=2,
                gid=f"{parent} -> {child}",
            )
        )

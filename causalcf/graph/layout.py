"""Layout of a causal graph in inches, y upwards: one column per generation, causes on the left
(Sugiyama, Tagawa and Toda 1981), or arcs beside one column if the graph is dense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
from scipy.optimize import isotonic_regression

from .graph import CausalGraph

Point = tuple[float, float]
Curve = list[Point]  # a start point, then three points for each cubic Bezier piece
Slot = str | tuple[str, str, int]  # a node, or the lane of an edge (parent, child) in a column

BOX_HEIGHT = 0.34
_ROW, _LANE = 0.52, 0.2  # heights that a node and a lane take up in a column
_GAP = 1.1  # between columns
_ARC_ROW = 0.46
_SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """Boxes as node -> (left, bottom, width, height), and the Bezier curve of each edge (parent, child)."""

    boxes: dict[str, tuple[float, float, float, float]]
    curves: dict[tuple[str, str], Curve]


def lay_out(graph: CausalGraph, widths: Mapping[str, float]) -> Layout:
    """Return layers, or arcs for a dense graph; `widths` are the widths of the boxes in inches."""
    generations = nx.topological_generations(graph.to_networkx())
    column = {node: i for i, generation in enumerate(generations) for node in generation}
    lanes = sum(column[child] - column[parent] - 1 for parent, child in graph.edges)
    if lanes > 2 * len(graph):
        return _arcs(graph, widths)
    return _layers(graph, widths, column)


def _arcs(graph: CausalGraph, widths: Mapping[str, float]) -> Layout:
    right = max(widths.values())
    y = {node: -_ARC_ROW * i for i, node in enumerate(graph.nodes)}
    boxes = {n: (right - widths[n], y[n] - BOX_HEIGHT / 2, widths[n], BOX_HEIGHT) for n in graph.nodes}
    port = BOX_HEIGHT / 4  # an edge leaves low and arrives high, so that the two do not mix
    curves: dict[tuple[str, str], Curve] = {}
    for parent, child in graph.edges:
        start, end = y[parent] - port, y[child] + port
        bulge = right + 0.25 + 0.42 * (y[parent] - y[child])
        curves[parent, child] = [(right, start), (bulge, start), (bulge, end), (right, end)]
    return Layout(boxes, curves)


def _layers(graph: CausalGraph, widths: Mapping[str, float], column: Mapping[str, int]) -> Layout:
    columns: list[list[Slot]] = [[] for _ in range(max(column.values()) + 1)]
    for node in graph.nodes:
        columns[column[node]].append(node)
    routes: dict[tuple[str, str], list[Slot]] = {}
    for parent, child in graph.edges:
        lanes = [(parent, child, k) for k in range(column[parent] + 1, column[child])]
        for lane in lanes:
            columns[lane[2]].append(lane)
        routes[parent, child] = [parent, *lanes, child]
    y = _heights(columns, routes)

    left = 0.0
    spans: list[tuple[float, float]] = []
    for slots in columns:
        width = max(widths[slot] for slot in slots if isinstance(slot, str))
        spans.append((left, left + width))
        left += width + _GAP
    boxes = {}
    for node in graph.nodes:
        start, stop = spans[column[node]]
        boxes[node] = (start, y[node] - BOX_HEIGHT / 2, stop - start, BOX_HEIGHT)
    ends = _ports(routes, y)
    curves = {edge: _curve(route, column[edge[0]], spans, y, *ends[edge]) for edge, route in routes.items()}
    return Layout(boxes, curves)


def _ports(
    routes: Mapping[tuple[str, str], list[Slot]], y: Mapping[Slot, float]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the heights at which each edge leaves its parent and reaches its child."""
    ports = {edge: [y[edge[0]], y[edge[1]]] for edge in routes}
    for end, neighbour in ((0, 1), (1, -2)):
        meeting: dict[str, list[tuple[str, str]]] = {}
        for edge in sorted(routes, key=lambda edge: y[routes[edge][neighbour]]):
            meeting.setdefault(edge[end], []).append(edge)
        for edges in meeting.values():
            step = min(0.06, 0.7 * BOX_HEIGHT / len(edges))
            for i, edge in enumerate(edges):
                ports[edge][end] += step * (i - (len(edges) - 1) / 2)
    return {edge: (start, stop) for edge, (start, stop) in ports.items()}


def _curve(
    route: list[Slot], first: int, spans: list[tuple[float, float]], y: Mapping[Slot, float], start: float, stop: float
) -> Curve:
    """Return an edge's curve from the right of the parent's box through its lanes to the child's box."""
    curve: Curve = [(spans[first][1], start)]
    for k, slot in enumerate(route[1:], start=first + 1):
        (x, level), (left, right) = curve[-1], spans[k]
        is_lane = not isinstance(slot, str)
        height = y[slot] if is_lane else stop
        middle = (x + left) / 2
        curve += [(middle, level), (middle, height), (left, height)]
        if is_lane:
            curve += [(left, height), (right, height), (right, height)]
    return curve


def _heights(columns: list[list[Slot]], routes: Mapping[tuple[str, str], list[Slot]]) -> dict[Slot, float]:
    """Return heights that keep slots apart and edges short; sort each column to reduce crossings."""
    before: dict[Slot, list[Slot]] = {slot: [] for slots in columns for slot in slots}
    after: dict[Slot, list[Slot]] = {slot: [] for slots in columns for slot in slots}
    for route in routes.values():
        for slot, following in pairwise(route):
            after[slot].append(following)
            before[following].append(slot)
    down: dict[Slot, float] = {}
    for slots in columns:
        down.update(zip(slots, _spread(slots, [0.0] * len(slots)), strict=True))
    for sweep in range(_SWEEPS):
        settling = sweep >= _SWEEPS // 2  # the order is settled; both sides now pull
        for slots in columns if sweep % 2 == 0 else columns[::-1]:
            pulls = [before[s] + after[s] if settling else (before[s] if sweep % 2 == 0 else after[s]) for s in slots]
            wanted = {
                s: sum(down[t] for t in pull) / len(pull) if pull else down[s]
                for s, pull in zip(slots, pulls, strict=True)
            }
            if not settling:
                slots.sort(key=wanted.__getitem__)
            down.update(zip(slots, _spread(slots, [wanted[s] for s in slots]), strict=True))
    return {slot: -value for slot, value in down.items()}


def _spread(slots: list[Slot], wanted: list[float]) -> list[float]:
    """Return the least-squares places without overlap, by isotonic regression."""
    rooms = [_ROW if isinstance(slot, str) else _LANE for slot in slots]
    offsets = [0.0]
    for above, below in pairwise(rooms):
        offsets.append(offsets[-1] + (above + below) / 2)
    level = isotonic_regression([target - offset for target, offset in zip(wanted, offsets, strict=True)]).x
    return [float(place) + offset for place, offset in zip(level, offsets, strict=True)]

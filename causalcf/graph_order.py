"""The causal order of a child -> parents listing, or the cycle that stands in its way."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from .errors import GraphError

_SHOWN_CYCLE = 12  # nodes of a cycle that a sentence can carry


def causal_order(parents: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Nodes with every parent before its children; of several that could come next, the first listed does.

    Args:
        parents: child -> parents, in order of appearance; every parent is a key, no parent twice.

    Raises:
        GraphError: the listing has a cycle, which the sentence shows as `A -> B -> A`.

    Source: Kahn, Topological sorting of large networks (1962), with a heap for the ties.

    Example:
        >>> causal_order({"Bald": ("Male", "Young"), "Young": (), "Male": ()})
        ('Young', 'Male', 'Bald')
    """
    names = tuple(parents)
    place = {name: i for i, name in enumerate(names)}
    missing = [len(parents[name]) for name in names]
    children: list[list[int]] = [[] for _ in names]
    for name in names:
        for parent in parents[name]:
            children[place[parent]].append(place[name])
    ready = [i for i, count in enumerate(missing) if count == 0]
    order: list[str] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(names[i])
        for child in children[i]:
            missing[child] -= 1
            if missing[child] == 0:
                heapq.heappush(ready, child)
    if len(order) < len(names):
        raise GraphError(f"the graph has a cycle: {_cycle(parents, set(names) - set(order))}")
    return tuple(order)


def _cycle(parents: Mapping[str, tuple[str, ...]], stuck: set[str]) -> str:
    """One cycle among nodes that each still have a parent among themselves, from cause to effect."""
    walked: dict[str, int] = {}
    node = next(name for name in parents if name in stuck)
    while node not in walked:
        walked[node] = len(walked)
        node = next(parent for parent in parents[node] if parent in stuck)
    cycle = list(walked)[walked[node] :][::-1]
    place = {name: i for i, name in enumerate(parents)}
    start = min(range(len(cycle)), key=lambda i: place[cycle[i]])
    cycle = cycle[start:] + cycle[:start]
    if len(cycle) > _SHOWN_CYCLE:
        left_out = len(cycle) - _SHOWN_CYCLE
        cycle = [*cycle[: _SHOWN_CYCLE // 2], f"({left_out} more)", *cycle[-_SHOWN_CYCLE // 2 :]]
    return " -> ".join([*cycle, cycle[0]])

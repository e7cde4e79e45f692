"""`CausalGraph`: an immutable, validated directed acyclic graph over named attributes.
The order of a node's parents is the index order of the node's probability table.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..checks import check
from ..errors import GraphError, nearest, unknown

if TYPE_CHECKING:
    import networkx as nx

_SHOWN = 40  # node names that a sentence can carry


def checked_parents(listing: object) -> dict[str, tuple[str, ...]]:
    """Return child -> parents from (name, list of names) pairs, checked, in order of appearance."""
    parents: dict[str, tuple[str, ...]] = {}
    for entry, listed in _pairs(listing):
        child = _checked_name(entry, "node")
        if child in parents:
            raise GraphError(f"duplicate node {child!r}; list each node once, with all its parents")
        parents[child] = _listed_parents(child, listed)
    if not parents:
        raise GraphError("the graph is empty; it needs at least one node")
    for child, above in parents.items():
        for parent in above:
            if parent not in parents:
                raise GraphError(_no_node(parent, child, parents))
    return parents


def check_text(name: object, description: object) -> None:
    """Check that a graph's name is one printable line and that its description is text."""
    _checked_name(name, "graph name")
    if not isinstance(description, str):
        raise GraphError(f"the graph's description must be text, not {description!r}")


def _pairs(listing: object) -> Iterable[tuple[object, object]]:
    if isinstance(listing, str) or not isinstance(listing, Iterable):
        raise GraphError(f"a graph is listed as child: [parents], not as {listing!r}")
    for item in listing:
        if not isinstance(item, (list, tuple)) or len(item) != 2:
            raise GraphError(f"each entry of a graph must be [child, [parents]], not {item!r}")
        yield item[0], item[1]


def _listed_parents(child: str, listed: object) -> tuple[str, ...]:
    # A set is refused: the order of the parents has a meaning. A string would be read letter by letter.
    if not isinstance(listed, (list, tuple)):
        raise GraphError(f"the parents of {child!r} must be a list of names, not {listed!r}")
    seen: set[str] = set()
    for entry in listed:
        parent = _checked_name(entry, f"parent of {child!r}:")
        if parent == child:
            raise GraphError(f"self-loop {child} -> {child}: a node cannot be its own parent")
        if parent in seen:
            raise GraphError(f"duplicate edge {parent} -> {child}; list each parent once")
        seen.add(parent)
    return tuple(listed)


def _checked_name(name: object, what: str) -> str:
    if not isinstance(name, str):
        raise GraphError(f"{what} {name!r} is of type {type(name).__name__}; names must be strings")
    if not name.strip():
        raise GraphError(f"{what} {name!r} is blank; names must have at least one letter")
    if name != name.strip():
        raise GraphError(f"{what} {name!r} has leading or trailing spaces; did you mean {name.strip()!r}?")
    if not name.isprintable():
        raise GraphError(f"{what} {name!r} contains a character that cannot be printed")
    return name


def _no_node(parent: str, child: str, nodes: Iterable[str]) -> str:
    names = list(nodes)
    close = nearest(parent, names)
    hint = f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else "."
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"the parent {parent!r} of {child!r} is no node of the graph{hint} Nodes: {listed}"


_SHOWN_CYCLE = 12  # nodes of a cycle that a sentence can carry


def causal_order(parents: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the nodes in topological order (Kahn 1962); ties follow the order of the listing."""
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
    """Return one cycle among nodes that each have a parent among them, as `A -> B -> A`."""
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


Listing: TypeAlias = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class CausalGraph:
    """A causal graph: which attributes each attribute depends on.

    Args:
        listing: child -> parents, as a mapping or as pairs, in any order. Every parent must be a child too.
        name: a short name, one line.
        description: a sentence or two; may be empty.

    Attributes:
        nodes: the names in topological order. Ties follow the order of the listing.
        edges: all (parent, child) pairs, ordered by child as in `nodes`, then by parent as listed.

    Two graphs are equal if they have the same nodes and parents in the same order. Their names may differ.

    Raises:
        GraphError: no nodes, a malformed name, a duplicate node or edge, a self-loop, a parent that is not a
            node, or a cycle.

    Source: defined here.

    Example:
        >>> graph = CausalGraph({"Bald": ["Male", "Young"], "Young": [], "Male": []})
        >>> graph.nodes, graph.parents("Bald")
        (('Young', 'Male', 'Bald'), ('Male', 'Young'))
    """

    listing: InitVar[Listing]
    name: str = "graph"
    description: str = field(default="", repr=False)
    nodes: tuple[str, ...] = field(init=False)
    edges: tuple[tuple[str, str], ...] = field(init=False)
    _parents: dict[str, tuple[str, ...]] = field(init=False, repr=False)
    _children: dict[str, tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self, listing: Listing) -> None:
        check_text(self.name, self.description)
        listed = checked_parents(listing.items() if isinstance(listing, Mapping) else listing)
        nodes = causal_order(listed)
        parents = {node: listed[node] for node in nodes}
        edges = tuple((parent, child) for child in nodes for parent in parents[child])
        children: dict[str, list[str]] = {node: [] for node in nodes}
        for parent, child in edges:
            children[parent].append(child)
        for attribute, value in (
            ("nodes", nodes),
            ("edges", edges),
            ("_parents", parents),
            ("_children", {node: tuple(below) for node, below in children.items()}),
        ):
            object.__setattr__(self, attribute, value)  # the one moment at which a frozen instance is filled

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CausalGraph):
            return NotImplemented
        return self.nodes == other.nodes and self._parents == other._parents

    def __hash__(self) -> int:
        return hash((self.nodes, self.edges))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the graph in IPython and hypothesis as `repr` does."""
        printer.text(repr(self))

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._parents

    def parents(self, node: str) -> tuple[str, ...]:
        """Return the direct causes of a node, in the order in which they were listed.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return self._parents[node]

    def children(self, node: str) -> tuple[str, ...]:
        """Return the direct effects of a node, in the order of `nodes`.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return self._children[node]

    def ancestors(self, node: str) -> frozenset[str]:
        """Return all direct and indirect causes of a node, without the node itself.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return _reachable(node, self._parents)

    def descendants(self, node: str) -> frozenset[str]:
        """Return all direct and indirect effects of a node, without the node itself.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return _reachable(node, self._children)

    def without_edges(self) -> CausalGraph:
        """Return a graph with the same nodes in the same order and without edges.

        Example:
            >>> CausalGraph({"Young": [], "Bald": ["Young"]}).without_edges().edges
            ()
        """
        return CausalGraph(dict.fromkeys(self.nodes, ()), f"{self.name}-without-edges", self.description)

    def to_networkx(self) -> nx.DiGraph:
        """Return a new networkx graph with the same nodes and edges in the same order.

        Name and description are in its `.graph`.

        Example:
            >>> list(CausalGraph({"Young": [], "Bald": ["Young"]}).to_networkx().edges)
            [('Young', 'Bald')]
        """
        import networkx as nx

        graph = nx.DiGraph(name=self.name, description=self.description)
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(self.edges)
        return graph

    def _require(self, node: str) -> None:
        check(isinstance(node, str), "node", node, "a node's name", GraphError)
        if node not in self._parents:
            raise GraphError(f"graph {self.name!r}: " + unknown("node", node, self.nodes))


def check_attributes(graph: CausalGraph, names: Iterable[str], what: str) -> None:
    """Check that every node of a graph is an attribute of a data set; `what` names the data set."""
    allowed = tuple(names)
    strangers = [node for node in graph.nodes if node not in set(allowed)]
    if not strangers:
        return
    sentence = unknown("attribute", strangers[0], allowed)
    for other in strangers[1:]:
        close = nearest(other, allowed, n=1)
        sentence += f"; also unknown: {other!r}" + (f" (nearest: {close[0]!r})" if close else "")
    raise GraphError(f"graph {graph.name!r} does not fit {what}: {sentence}")


def _reachable(start: str, steps: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(steps[start])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(steps[node])
    return frozenset(found)

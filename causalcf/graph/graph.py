"""`CausalGraph`: an immutable, validated directed acyclic graph over named attributes.
The order of a node's parents is the index order of the node's probability table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ..checks import as_names, check
from ..errors import GraphError, did_you_mean, nearest, unknown

if TYPE_CHECKING:
    import networkx as nx

_SHOWN = 40  # node names that a sentence can carry
_SHOWN_CYCLE = 12  # nodes of a cycle that a sentence can carry
Listing: TypeAlias = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]


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
                names = list(parents)
                more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                raise GraphError(
                    f"the parent {parent!r} of {child!r} is no node of the graph{did_you_mean(parent, names)} "
                    f"Nodes: {', '.join(names[:_SHOWN])}{more}"
                )
    return parents


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
            raise GraphError(f"self-loop {child} -> {child}: a node cannot be its own parent; leave it out")
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
        raise GraphError(f"{what} {name!r} contains a character that cannot be printed; leave it out")
    return name


def _ordered(parents: Mapping[str, tuple[str, ...]]) -> nx.DiGraph:
    """Return the graph with its nodes in topological order; ties follow the order of the listing."""
    import networkx as nx

    listed = nx.DiGraph((parent, child) for child, above in parents.items() for parent in above)
    listed.add_nodes_from(parents)
    place = {name: i for i, name in enumerate(parents)}
    try:
        nodes = list(nx.lexicographical_topological_sort(listed, key=place.__getitem__))
    except nx.NetworkXUnfeasible:
        cycle = _cycle(nx.find_cycle(listed), place)
        raise GraphError(f"the graph has a cycle, of which one edge must go: {cycle}") from None
    return _digraph(nodes, ((parent, child) for child in nodes for parent in parents[child]))


def _digraph(nodes: Iterable[str], edges: Iterable[tuple[str, str]], **attributes: str) -> nx.DiGraph:
    import networkx as nx

    graph = nx.DiGraph(**attributes)
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def _cycle(edges: Sequence[tuple[str, str]], place: Mapping[str, int]) -> str:
    """Return a cycle as `A -> B -> A`, from the node that is listed first."""
    cycle = [parent for parent, _ in edges]
    start = min(range(len(cycle)), key=lambda i: place[cycle[i]])
    cycle = cycle[start:] + cycle[:start]
    if len(cycle) > _SHOWN_CYCLE:
        half, left_out = _SHOWN_CYCLE // 2, len(cycle) - _SHOWN_CYCLE
        cycle = [*cycle[:half], f"({left_out} more)", *cycle[-half:]]
    return " -> ".join([*cycle, cycle[0]])


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

    Examples:
        >>> graph = CausalGraph({"Bald": ["Male", "Young"], "Young": [], "Male": []})
        >>> graph.nodes, graph.parents("Bald")
        (('Young', 'Male', 'Bald'), ('Male', 'Young'))
    """

    listing: InitVar[Listing]
    name: str = "graph"
    description: str = field(default="", repr=False)
    nodes: tuple[str, ...] = field(init=False)
    edges: tuple[tuple[str, str], ...] = field(init=False)
    _graph: nx.DiGraph = field(init=False, repr=False)

    def __post_init__(self, listing: Listing) -> None:
        _checked_name(self.name, "graph name")
        if not isinstance(self.description, str):
            raise GraphError(f"the graph's description must be text, not {self.description!r}")
        graph = _ordered(checked_parents(listing.items() if isinstance(listing, Mapping) else listing))
        edges = tuple((parent, child) for child in graph for parent in graph.predecessors(child))
        for attribute, value in (("nodes", tuple(graph)), ("edges", edges), ("_graph", graph)):
            object.__setattr__(self, attribute, value)  # the one moment at which a frozen instance is filled

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CausalGraph):
            return NotImplemented
        return self.nodes == other.nodes and self.edges == other.edges

    def __hash__(self) -> int:
        return hash((self.nodes, self.edges))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the graph in IPython and hypothesis as `repr` does."""
        printer.text(repr(self))

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self.nodes

    def parents(self, node: str) -> tuple[str, ...]:
        """Return the direct causes of a node, in the order in which they were listed.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return tuple(self._graph.predecessors(node))

    def children(self, node: str) -> tuple[str, ...]:
        """Return the direct effects of a node, in the order of `nodes`.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        self._require(node)
        return tuple(self._graph.successors(node))

    def ancestors(self, node: str) -> frozenset[str]:
        """Return all direct and indirect causes of a node, without the node itself.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        import networkx as nx

        self._require(node)
        return frozenset(nx.ancestors(self._graph, node))

    def descendants(self, node: str) -> frozenset[str]:
        """Return all direct and indirect effects of a node, without the node itself.

        Raises:
            GraphError: `node` is not in the graph; the message names the nearest node.
        """
        import networkx as nx

        self._require(node)
        return frozenset(nx.descendants(self._graph, node))

    def without_edges(self) -> CausalGraph:
        """Return a graph with the same nodes in the same order and without edges.

        Examples:
            >>> CausalGraph({"Young": [], "Bald": ["Young"]}).without_edges().edges
            ()
        """
        return CausalGraph(dict.fromkeys(self.nodes, ()), f"{self.name}-without-edges", self.description)

    def with_nodes(self, names: Iterable[str]) -> CausalGraph:
        """Return the graph of these nodes alone, in the same order; the names must include all their parents.

        Raises:
            GraphError: a name is not in the graph, or a parent is missing from the names.

        Examples:
            >>> CausalGraph({"Young": [], "Male": [], "Bald": ["Young", "Male"]}).with_nodes(["Young"]).nodes
            ('Young',)
        """
        kept = as_names("names", names, GraphError)
        check(len(kept) > 0, "names", kept, "at least one node's name", GraphError)
        for node in kept:
            for parent in self.parents(node):
                if parent not in kept:
                    text = f"graph {self.name!r}: {parent} is a cause of {node}, and is missing from {', '.join(kept)}"
                    raise GraphError(text)
        listing = {node: self.parents(node) for node in self.nodes if node in kept}
        return CausalGraph(listing, f"{self.name}-{'-'.join(listing)}", self.description)

    def roots(self) -> tuple[str, ...]:
        """Return the nodes without parents, in the order of `nodes`."""
        return tuple(node for node in self.nodes if not self.parents(node))

    def to_networkx(self) -> nx.DiGraph:
        """Return a new networkx graph with the same nodes and edges in the same order.

        Name and description are in its `.graph`.

        Examples:
            >>> list(CausalGraph({"Young": [], "Bald": ["Young"]}).to_networkx().edges)
            [('Young', 'Bald')]
        """
        return _digraph(self.nodes, self.edges, name=self.name, description=self.description)

    def _require(self, node: str) -> None:
        check(isinstance(node, str), "node", node, "a node's name", GraphError)
        if node not in self.nodes:
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

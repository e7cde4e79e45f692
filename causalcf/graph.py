"""`CausalGraph`: a frozen, validated directed acyclic graph over named attributes.

The graph is held as child -> parents, because the order of a node's parents has a meaning: it is the index
order of the node's probability table. networkx sees it through `to_networkx` and is imported only there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from .arguments import check
from .errors import GraphError, nearest, unknown
from .graph_order import causal_order
from .graph_rules import check_text, checked_parents

if TYPE_CHECKING:
    import networkx as nx

Listing: TypeAlias = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class CausalGraph:
    """A causal graph: which attributes each attribute depends on.

    Args:
        listing: child -> parents, as a mapping or as pairs, in any order; every parent must be a child too.
        name: a short name, one line.
        description: a sentence or two; may be empty.

    Attributes:
        nodes: the names in topological order; of several nodes that could come next, the first listed does.
        edges: all (parent, child) pairs, by child in the order of `nodes`, then by parent as listed.

    Two graphs are equal when nodes and parents are the same in the same order, whatever their names.

    Raises:
        GraphError: no nodes, a malformed name, a duplicate node or edge, a self-loop, a parent that is no
            node, a cycle.

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
        """How IPython and hypothesis print a graph: as `repr` does, not by the constructor's arguments."""
        printer.text(repr(self))

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._parents

    def parents(self, node: str) -> tuple[str, ...]:
        """The direct causes of a node, in the order in which they were listed.

        Raises:
            GraphError: `node` is not in the graph; names the nearest.
        """
        self._require(node)
        return self._parents[node]

    def children(self, node: str) -> tuple[str, ...]:
        """The direct effects of a node, in the order of `nodes`; unknown nodes as in `parents`."""
        self._require(node)
        return self._children[node]

    def ancestors(self, node: str) -> frozenset[str]:
        """All direct and indirect causes of a node, without the node; unknown nodes as in `parents`."""
        self._require(node)
        return _reachable(node, self._parents)

    def descendants(self, node: str) -> frozenset[str]:
        """All direct and indirect effects of a node, without the node; unknown nodes as in `parents`."""
        self._require(node)
        return _reachable(node, self._children)

    def without_edges(self) -> CausalGraph:
        """The graph of the same nodes in the same order in which nothing causes anything.

        Example:
            >>> CausalGraph({"Young": [], "Bald": ["Young"]}).without_edges().edges
            ()
        """
        return CausalGraph(dict.fromkeys(self.nodes, ()), f"{self.name}-without-edges", self.description)

    def to_networkx(self) -> nx.DiGraph:
        """A new networkx graph of the same nodes and edges in this order; name and description in `.graph`.

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
    """Make sure that every node of a graph is an attribute of a data set, before anything long starts.

    Args:
        graph: the graph to check.
        names: the attributes that there are.
        what: what has these attributes, as the error should call it, such as "data set 'faces'".

    Raises:
        GraphError: names every node that is no attribute, each with its nearest attributes.

    Source: defined here.

    Example:
        >>> check_attributes(CausalGraph({"Young": []}), ["Male", "Young"], "data set 'faces'")
    """
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

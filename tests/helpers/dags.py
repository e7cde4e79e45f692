"""Random directed acyclic graphs for the properties, as child -> parents in any order of listing."""

from __future__ import annotations

import networkx as nx
from hypothesis import strategies as st

# Anything printable without spaces at its ends is a name, also what YAML would take for a boolean or a number.
NAMES = st.one_of(
    st.sampled_from(
        ["No", "on", "null", "~", "5", "1e3", "0x1F", "2020-01-01", "<<", "=", "- a", "a: b", "a #b", "*x"]
    ),
    st.text(max_size=8).filter(lambda s: s and s == s.strip() and s.isprintable()),
)


@st.composite
def listings(draw: st.DrawFn, max_nodes: int = 6, names: st.SearchStrategy[str] = NAMES) -> dict[str, list[str]]:
    """Child -> parents of a random graph; children may be listed before their parents, parents in any order."""
    nodes = draw(st.lists(names, min_size=1, max_size=max_nodes, unique=True))
    parents: dict[str, list[str]] = {}
    for i, node in enumerate(nodes):
        above = draw(st.lists(st.sampled_from(nodes[:i]), unique=True)) if i else []
        parents[node] = above
    return {node: parents[node] for node in draw(st.permutations(nodes))}


def as_networkx(listing: dict[str, list[str]]) -> nx.DiGraph:
    """The same listing built with networkx alone."""
    graph = nx.DiGraph()
    graph.add_nodes_from(listing)
    graph.add_edges_from((parent, child) for child, parents in listing.items() for parent in parents)
    return graph

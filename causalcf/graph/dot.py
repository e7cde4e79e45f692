"""Graphs in DOT, the language of Graphviz: read by pydot, written here."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

from ..errors import GraphError
from ..io.untrusted import first_line
from .graph import CausalGraph


def read_dot(text: str) -> Any:
    """Parse DOT by pydot alone: networkx's from_pydot cuts quotes off names."""
    try:
        import pydot
    except ImportError:
        raise GraphError("reading DOT takes the package pydot: pip install 'causalcf[dot]'") from None

    def parse() -> Any:
        said = io.StringIO()  # pydot prints what it does not understand
        with warnings.catch_warnings(), redirect_stdout(said):
            warnings.simplefilter("ignore")
            found = pydot.graph_from_dot_data(text)
        if not found or len(found) != 1:
            lines = [line for line in said.getvalue().splitlines() if line.strip(" ^")]
            raise ValueError(lines[-1] if lines else f"{len(found or [])} graphs in one file")
        return _from_pydot(found[0])

    try:
        return parse()
    except Exception as error:  # pydot raises whatever its parts do
        raise GraphError(f"it is no DOT: {first_line(error)}") from None


def _from_pydot(parsed: Any) -> Any:
    import networkx as nx

    directed, merges = parsed.get_type() == "digraph", parsed.get_strict()
    found = (nx.MultiDiGraph if directed else nx.Graph)(name=unquoted(str(parsed.get_name() or "")) or "graph")
    parts = [parsed]
    while parts:
        part = parts.pop()
        parts += part.get_subgraph_list()
        for node in part.get_node_list():
            name, marks = node.get_name(), node.get_attributes()
            if name in ("node", "edge", "graph"):  # defaults for what follows
                _check_defaults(name, marks)
            elif name not in ('"\\n"', '"\\r\\n"'):  # as which pydot takes blank lines
                found.add_node(_node_name(name), **marks)
        for edge in part.get_edge_list():
            ends = edge.get_source(), edge.get_destination()
            for end in ends:
                if isinstance(end, Mapping):
                    found.add_edges_from(_group_edges(end))
            for one in _ends(ends[0]):
                for other in _ends(ends[1]):
                    found.add_edge(one, other, **edge.get_attributes())
    repeated = directed and found.number_of_edges() > len(set(found.edges()))
    return found if repeated and not merges else nx.DiGraph(found) if directed else found


def _check_defaults(kind: str, marks: Mapping[str, Any]) -> None:
    for key, value in marks.items():
        if key.lower() in ("dir", "latent", "hidden", "observed", "unobserved"):
            raise ValueError(f"{kind} [{key}={value}] is a default for what follows; write it at each one")


def _node_name(text: str) -> str:
    """Return a node's name without its port."""
    match = re.match(r'"(?:[^"\\]|\\.)*"|[^:]*', text)
    return unquoted(match[0] if match else text)


def _ends(end: Any) -> list[str]:
    """Return one end of an edge: a node, or all nodes of a group in braces."""
    if isinstance(end, str):
        return [_node_name(end)]
    names = [name for name in end["nodes"] if name not in ("node", "edge", "graph")]
    names += [name for ends in end["edges"] for name in ends]
    inner = [name for groups in end["subgraphs"].values() for group in groups for name in _ends(group)]
    return list(dict.fromkeys([*map(_node_name, names), *inner]))


def _group_edges(group: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one, other in group["edges"]:
        yield _node_name(one), _node_name(other)
    for groups in group["subgraphs"].values():
        for inner in groups:
            yield from _group_edges(inner)


def unquoted(name: str) -> str:
    inner = name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name
    return inner.replace('\\"', '"')


def quoted(name: str) -> str:
    if "\\" in name:
        raise GraphError(f"{name!r} has a backslash, which this format cannot hold; rename it, or save as YAML")
    escaped = name.replace('"', '\\"')
    return f'"{escaped}"'


def to_dot(graph: CausalGraph) -> str:
    """Return a graph as DOT text, which Graphviz draws."""
    lines = [f"  {quoted(node)};" for node in graph.nodes]
    lines += [f"  {quoted(parent)} -> {quoted(child)};" for parent, child in graph.edges]
    return "\n".join([f"digraph {quoted(graph.name)} {{", *lines, "}"]) + "\n"

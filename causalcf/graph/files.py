"""Reading of causal graphs from files, presets, networkx, mappings and lists; writing as YAML."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..checks import check, check_path
from ..errors import GraphError, unknown
from ..io.yaml import find_preset, read_mapping
from .graph import CausalGraph

_KEYS = ("name", "description", "nodes")


def load_graph(source: Any) -> CausalGraph:
    """Return a causal graph from any of the supported forms.

    Args:
        source: the path of a YAML file; the name of a preset ("celeba"); a networkx.DiGraph; a mapping
            {child: [parents]}; pairs [[child, [parents]], ...] in any order; or a CausalGraph, which is returned
            unchanged.

    Raises:
        GraphError: the file cannot be read, or the graph is malformed; the message names the culprit.

    Source: the pairs follow CausalGAN's lists (arXiv 1709.02023); the rest is defined here.

    Examples:
        >>> load_graph([["Bald", ["Male", "Young"]], ["Young", []], ["Male", []]]).nodes
        ('Young', 'Male', 'Bald')
    """
    if isinstance(source, CausalGraph):
        return source
    if isinstance(source, (str, Path)):
        return _from_file(source)
    if isinstance(source, (Mapping, list, tuple)):
        return CausalGraph(source)
    networkx = sys.modules.get("networkx")  # whoever holds a DiGraph has imported it
    if networkx is not None and isinstance(source, networkx.Graph):
        return _from_networkx(source)
    raise GraphError(
        f"cannot read a graph from an object of type {type(source).__name__}; expected "
        "a YAML file, a preset's name, a networkx.DiGraph, {child: [parents]} or [[child, [parents]], ...]"
    )


def to_yaml(graph: CausalGraph) -> str:
    """Return the text of a graph file; `load_graph` reads the same graph from it."""
    # Fresh lists, as the YAML writer would turn a repeated object into an alias.
    nodes = {node: list(graph.parents(node)) for node in graph.nodes}
    document = {"name": graph.name, "description": graph.description, "nodes": nodes}
    # Rare line breaks such as U+0085 survive only when escaped, and then all that is not ASCII is.
    readable = all(letter.isprintable() or letter == "\n" for letter in graph.description)
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, allow_unicode=readable, width=110)


def save_graph(graph: CausalGraph, path: str | Path) -> None:
    """Write a graph to a YAML file in UTF-8.

    The file keeps the name, the description, the order of the nodes and the order of the parents.

    Raises:
        GraphError: `graph` is not a graph, or the file cannot be written.

    Examples:
        >>> import tempfile
        >>> graph = load_graph("celeba-bald")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_graph(graph, Path(folder) / "mine.yaml")
        ...     load_graph(Path(folder) / "mine.yaml") == graph
        True
    """
    check(isinstance(graph, CausalGraph), "graph", graph, "a CausalGraph", GraphError)
    check_path("path", path, GraphError)
    try:
        Path(path).write_text(to_yaml(graph), encoding="utf-8")
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror}") from error


def _from_file(source: str | Path) -> CausalGraph:
    try:
        path = find_preset("graphs", source, GraphError)
    except OSError as error:  # such as a name too long for the file system
        raise GraphError(f"cannot read {source}: {error.strerror}") from None
    try:
        tree = read_mapping(path)
        for key in tree:
            if key not in _KEYS:
                raise GraphError(unknown("key", key, _KEYS))
        if "nodes" not in tree:
            raise GraphError(f"the key 'nodes' is missing; found only: {', '.join(tree) or 'nothing'}")
        if not isinstance(tree["nodes"], dict):
            raise GraphError(f"'nodes' must be a mapping of child: [parents], not {tree['nodes']!r}")
        return CausalGraph(tree["nodes"], tree.get("name", path.stem), tree.get("description", ""))
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None


def _from_networkx(graph: Any) -> CausalGraph:
    if not graph.is_directed():
        raise GraphError("an undirected networkx graph has no causes; expected a networkx.DiGraph")
    # in_edges rather than predecessors: a MultiDiGraph's parallel edges must be seen to be refused.
    parents = {child: [parent for parent, _ in graph.in_edges(child)] for child in graph}
    return CausalGraph(parents, graph.graph.get("name") or "graph", graph.graph.get("description", ""))

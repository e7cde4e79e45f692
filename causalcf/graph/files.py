"""Reading of causal graphs from files, presets, networkx, mappings and lists; writing as YAML."""

from __future__ import annotations

import os
import re
import reprlib
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from ..checks import check, check_path
from ..errors import GraphError, unknown
from ..io.yaml import find_preset, read_mapping
from .formats import OWN_KEYS, READERS, WRITERS, read_format
from .graph import CausalGraph

_YAML = (".yaml", ".yml")
_TAKEN = "a graph file, a preset's name, a networkx.DiGraph, {child: [parents]} or [[child, [parents]], ...]"
_OTHERS = f"By its suffix a file is read as YAML ({', '.join(_YAML)}), or as {', '.join(READERS)}"
_TEXT = re.compile(r"[\n\[\]{}<>|~;→←↔]|--")  # what arrows, brackets and lines are made of, and hardly a file's name
_LATENT, _NO = {"latent", "hidden", "unobserved"}, {"no", "false", "0"}


def load_graph(source: Any) -> CausalGraph:
    """Return a causal graph from any of the supported forms.

    Args:
        source: the path of a file; the name of a preset ("celeba"); a networkx.DiGraph; a mapping {child: [parents]};
            pairs [[child, [parents]], ...] in any order; or a CausalGraph, which is returned unchanged. By its suffix
            a file is YAML (.yaml), GML (.gml), GraphML (.graphml), node-link JSON (.json), DOT (.dot, .gv; takes the
            package pydot), BIF (.bif), DAGitty (.dagitty), or an adjacency matrix with a row for each cause (.csv).

    Raises:
        GraphError: the file cannot be read, or the graph is malformed or has a latent node; names the culprit.

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
    raise GraphError(f"cannot read a graph from an object of type {type(source).__name__}; expected {_TAKEN}")


def to_yaml(graph: CausalGraph) -> str:
    """Return the text of a graph file; `load_graph` reads the same graph from it."""
    # Fresh lists, as the YAML writer would turn a repeated object into an alias.
    nodes = {node: list(graph.parents(node)) for node in graph.nodes}
    document = {"name": graph.name, "description": graph.description, "nodes": nodes}
    # Rare line breaks such as U+0085 survive only when escaped, and then all that is not ASCII is.
    readable = all(letter.isprintable() or letter == "\n" for letter in graph.description)
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, allow_unicode=readable, width=110)


def save_graph(graph: CausalGraph, path: str | Path) -> None:
    """Write a graph to a file in UTF-8: by its suffix in one of the formats that `load_graph` reads, else as YAML.

    YAML keeps the name, the description, the order of the nodes and the order of the parents. Other formats keep what
    they have a place for. BIF holds probabilities, too: see `LabelSCM.to_bif`.

    Raises:
        GraphError: `graph` is not a graph, the format cannot hold it, or the file cannot be written.

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
        suffix = Path(path).suffix.lower()
        text = WRITERS[suffix](graph) if suffix in WRITERS else to_yaml(graph)
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror}") from error


def _from_file(source: str | Path) -> CausalGraph:
    name, is_yaml = str(source), Path(source).suffix.lower() in _YAML
    if _TEXT.search(name) and not is_yaml and not os.path.exists(name):
        raise GraphError(f"{reprlib.repr(name)} is no file; expected {_TAKEN}, not a graph's text. {_OTHERS}")
    if Path(source).suffix.lower() in READERS and not os.path.isdir(source):
        return _from_format(Path(source))
    advice = "" if is_yaml or not Path(source).suffix else f". {_OTHERS}"
    try:
        path = find_preset("graphs", source, GraphError)
    except GraphError as error:
        raise GraphError(f"{error}{advice}") from None
    except OSError as error:  # such as a name too long for the file system
        raise GraphError(f"cannot read {source}: {error.strerror}") from None
    try:
        tree = read_mapping(path)
        for key in tree:
            if key not in OWN_KEYS:
                raise GraphError(unknown("key", key, OWN_KEYS))
        if "nodes" not in tree:
            raise GraphError(f"the key 'nodes' is missing; found only: {', '.join(tree) or 'nothing'}")
        if not isinstance(tree["nodes"], dict):
            raise GraphError(f"'nodes' must be a mapping of child: [parents], not {tree['nodes']!r}")
        return CausalGraph(tree["nodes"], tree.get("name", path.stem), tree.get("description", ""))
    except GraphError as error:
        raise GraphError(f"{path}: {error}{advice}") from None


def _from_format(path: Path) -> CausalGraph:
    """Read another tool's file; an unnamed graph is called like the file."""
    try:
        found = read_format(path)
        found = found if isinstance(found, CausalGraph) else _from_networkx(found)
        parents = {node: found.parents(node) for node in found.nodes}
        return CausalGraph(parents, path.stem if found.name == "graph" else found.name, found.description)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None
    except OSError as error:
        raise GraphError(f"cannot read {path}: {error.strerror}") from None


def _from_networkx(graph: Any) -> CausalGraph:
    if not graph.is_directed():
        raise GraphError("an undirected networkx graph has no causes; give a networkx.DiGraph of its directed edges")
    _check_observed(graph)
    # in_edges rather than predecessors: a MultiDiGraph's parallel edges must be seen to be refused.
    parents = {child: [parent for parent, _ in graph.in_edges(child)] for child in graph}
    return CausalGraph(parents, graph.graph.get("name") or "graph", graph.graph.get("description", ""))


def _check_observed(graph: Any) -> None:
    """Refuse latent nodes and bidirected edges, as dowhy, pgmpy and DAGitty mark them."""
    listed = getattr(graph, "latents", ())  # pgmpy's
    for node, marks in graph.nodes(data=True):
        words = _words(marks)
        hidden = any(words.get(key, "no") not in _NO for key in _LATENT) or words.get("observed") in _NO
        if hidden or words.get("type") in _LATENT or (isinstance(listed, Collection) and node in listed):
            linked = [str(one) for one in (*graph.predecessors(node), *graph.successors(node))]
            edges = f", and add the edges that it stood for between {', '.join(linked)}" if len(linked) > 1 else ""
            what = f"node {node!r} is latent, but every node must be a label of the data"
            raise GraphError(f"{what}; remove it by graph.remove_node({node!r}){edges}")
    for one, other, marks in graph.edges(data=True):
        words = _words(marks)
        if {"both", "bidirected", "<->"} & set(words.values()) or words.get("bidirected", "no") not in _NO:
            raise GraphError(f"edge {one} <-> {other} is bidirected; give it one direction, or leave it out")
        if words.get("dir", "forward") != "forward":
            why = f"the edge {one} -> {other} has dir={words['dir']}, so that its arrow is not drawn forward"
            raise GraphError(f"{why}; add the edge from the cause to the effect, or leave it out")


def _words(marks: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key).lower(): str(value).strip('" ').lower() for key, value in marks.items()}

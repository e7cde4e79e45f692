"""Causal graphs in the formats of other tools, by a file's suffix: GML, GraphML, JSON, DOT, BIF, DAGitty, CSV.
What is read is never executed, and no entity of XML is expanded.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import CausalCFError, GraphError, unknown
from ..io.untrusted import first_line, read_bounded
from .bif import parse_bif
from .dagitty import read_dagitty, to_dagitty
from .dot import read_dot, to_dot
from .graph import CausalGraph

MAX_BYTES = 2**20
OWN_KEYS = ("name", "description", "nodes")
Parents = dict[str, list[str]]


def read_format(path: Path) -> Any:
    """Return what a file of one of these formats holds: a networkx graph, or {child: [parents]} with its name.

    Raises:
        GraphError: the file is malformed; names the line where the format has lines.
    """
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise GraphError("it is not UTF-8") from None
    except GraphError:
        raise
    except CausalCFError as error:
        raise GraphError(str(error)) from None
    return READERS[path.suffix.lower()](text)


def _named(graph: CausalGraph) -> Any:
    """Return the graph for networkx's writers, with its name and description."""
    found = graph.to_networkx()
    found.graph.update(name=graph.name, description=graph.description)
    return found


def _by_networkx(parse: Callable[[], Any], what: str) -> Any:
    try:
        return parse()
    except Exception as error:  # networkx's parsers raise whatever their parts do
        raise GraphError(f"it is no {what}: {first_line(error)}") from None


def _read_gml(text: str) -> Any:
    import networkx as nx

    return _by_networkx(lambda: nx.parse_gml(text.split("\n")), "GML")


def _write_gml(graph: CausalGraph) -> str:
    import networkx as nx

    return "\n".join(nx.generate_gml(_named(graph))) + "\n"


def _read_graphml(text: str) -> Any:
    import networkx as nx

    declared = re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE)
    if declared:
        line = text.count("\n", 0, declared.start()) + 1
        raise GraphError(f"line {line}: a document type or an entity is declared, which is not read; remove it")
    if len(re.findall(r"<(?:\w+:)?graph[\s>]", text)) > 1:
        raise GraphError("it holds several graphs; keep one")
    found = _by_networkx(lambda: nx.parse_graphml(text), "GraphML")
    named = {node: marks.get("name") for node, marks in found.nodes(data=True)}
    if all(isinstance(name, str) for name in named.values()) and len(set(named.values())) == len(named):
        return nx.relabel_nodes(found, named)  # igraph's files have names as an attribute
    return found


def _write_graphml(graph: CausalGraph) -> str:
    import networkx as nx

    return "\n".join(nx.generate_graphml(_named(graph))) + "\n"


def _read_json(text: str) -> Any:
    import networkx as nx

    try:
        tree = json.loads(text, object_pairs_hook=_distinct_keys)
    except GraphError:
        raise
    except (ValueError, RecursionError) as error:
        raise GraphError(f"it is no JSON: {first_line(error)}") from None
    if isinstance(tree, Mapping) and isinstance(tree.get("nodes"), Mapping):  # our own graph file, which is JSON, too
        for key in tree:
            if key not in OWN_KEYS:
                raise GraphError(unknown("key", key, OWN_KEYS))
        return CausalGraph(tree["nodes"], tree.get("name", "graph"), tree.get("description", ""))
    if not isinstance(tree, Mapping) or "nodes" not in tree or not {"links", "edges"} & tree.keys():
        raise GraphError("it is no node-link JSON, a mapping with 'nodes' and 'edges' or 'links', as networkx has it")
    if not isinstance(tree.get("graph", {}), Mapping):
        raise GraphError("its 'graph' is no mapping of attributes")
    if tree.get("links") and tree.get("edges"):
        raise GraphError("it has both 'links' and 'edges'; keep one")
    edges = "edges" if tree.get("edges") or "links" not in tree else "links"
    return _by_networkx(lambda: nx.node_link_graph(tree, directed=True, edges=edges), "node-link JSON")


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise GraphError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return found


def _write_json(graph: CausalGraph) -> str:
    import networkx as nx

    return json.dumps(nx.node_link_data(_named(graph), edges="edges"), indent=1, ensure_ascii=False) + "\n"


def _read_bif(text: str) -> CausalGraph:
    name, variables = parse_bif(text)
    return CausalGraph({one.name: list(one.parents) for one in variables}, name or "graph")


def _write_bif(graph: CausalGraph) -> str:
    raise GraphError("a BIF file holds probabilities, too: write the label model by scm.to_bif(path)")


def _read_csv(text: str) -> CausalGraph:
    """Parse an adjacency matrix: a row for each cause, a column for each effect, 1 for an edge."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise GraphError(f"line {reader.line_num}: {error}") from None
    if not rows:
        raise GraphError("it is empty; expected a header of names, and a row for each node")
    header = rows[0][1]
    other = next((mark for mark in (";", "\t") if len(header) == 1 and mark in header[0]), None)
    if other:
        raise GraphError(f"line {rows[0][0]}: its columns are parted by {other!r}; write commas")
    beside = len(rows) > 1 and len(rows[1][1]) == len(header) + 1  # as R writes it: no name above the rows' names
    names = [name.strip() for name in (header if beside else header[1:])]
    parents: Parents = {}
    for name in names:
        if name in parents:
            raise GraphError(f"line {rows[0][0]}: the column {name!r} is there twice")
        parents[name] = []
    seen: list[str] = []
    for line, (first, *cells) in rows[1:]:
        cause = first.strip()
        if cause in seen:
            raise GraphError(f"line {line}: the row {cause!r} is there twice")
        if cause not in parents:
            raise GraphError(f"line {line}: the row {cause!r} has no column; " + unknown("column", cause, names))
        if len(cells) != len(names):
            raise GraphError(f"line {line}: {len(cells)} cells for {len(names)} columns")
        seen.append(cause)
        for effect, cell in zip(names, cells, strict=True):
            if cell.strip() not in ("0", "1", "", "0.0", "1.0"):
                raise GraphError(
                    f"line {line}: {cell.strip()!r} from {cause} to {effect}; expected 1 for an edge, or 0"
                )
            if cell.strip() in ("1", "1.0"):
                parents[effect].append(cause)
    for name in names:
        if name not in seen:
            raise GraphError(f"the column {name!r} has no row of that name")
    return CausalGraph(parents)


def _write_csv(graph: CausalGraph) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["", *graph.nodes])
    for cause in graph.nodes:
        writer.writerow([cause, *(int(cause in graph.parents(effect)) for effect in graph.nodes)])
    return out.getvalue()


READERS: Mapping[str, Callable[[str], Any]] = {
    ".gml": _read_gml,
    ".graphml": _read_graphml,
    ".json": _read_json,
    ".dot": read_dot,
    ".gv": read_dot,
    ".bif": _read_bif,
    ".dagitty": read_dagitty,
    ".csv": _read_csv,
}
WRITERS: Mapping[str, Callable[[CausalGraph], str]] = {
    ".gml": _write_gml,
    ".graphml": _write_graphml,
    ".json": _write_json,
    ".dot": to_dot,
    ".gv": to_dot,
    ".bif": _write_bif,
    ".dagitty": to_dagitty,
    ".csv": _write_csv,
}

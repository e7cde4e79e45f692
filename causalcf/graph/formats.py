"""Causal graphs in the formats of other tools, by a file's suffix: GML, GraphML, JSON, DOT, BIF, DAGitty, CSV.
What is read is never executed, and no entity of XML is expanded.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from ..errors import CausalCFError, GraphError, unknown
from ..io.untrusted import first_line, read_bounded
from .bif import parse_bif
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


def format_text(graph: CausalGraph, suffix: str) -> str:
    """Return a graph as the text of a format."""
    return WRITERS[suffix.lower()](graph)


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


def _read_dot(text: str) -> Any:
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

    return _by_networkx(parse, "DOT")


def _from_pydot(parsed: Any) -> Any:
    import networkx as nx

    directed, merges = parsed.get_type() == "digraph", parsed.get_strict()
    found = (nx.MultiDiGraph if directed else nx.Graph)(name=_unquoted(str(parsed.get_name() or "")) or "graph")
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
    return _unquoted(match[0] if match else text)


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


def _unquoted(name: str) -> str:
    inner = name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name
    return inner.replace('\\"', '"')


def _quoted(name: str) -> str:
    if "\\" in name:
        raise GraphError(f"{name!r} has a backslash, which this format cannot hold; rename it, or save as YAML")
    escaped = name.replace('"', '\\"')
    return f'"{escaped}"'


def to_dot(graph: CausalGraph) -> str:
    """Return a graph as DOT text, which Graphviz draws."""
    lines = [f"  {_quoted(node)};" for node in graph.nodes]
    lines += [f"  {_quoted(parent)} -> {_quoted(child)};" for parent, child in graph.edges]
    return "\n".join([f"digraph {_quoted(graph.name)} {{", *lines, "}"]) + "\n"


def _read_bif(text: str) -> CausalGraph:
    name, variables = parse_bif(text)
    return CausalGraph({one.name: list(one.parents) for one in variables}, name or "graph")


def _write_bif(graph: CausalGraph) -> str:
    raise GraphError("a BIF file holds probabilities, too: write the label model by scm.to_bif(path)")


_DAGITTY = re.compile(
    r'(?P<skip>[^\S\n]+|//[^\n]*|#[^\n]*)|(?P<name>"(?:[^"\\]|\\.)*"|[\w.*]+)|(?P<arrow><->|->|<-|--|@-@|@->|<-@)'
    r'|(?P<marks>\[(?:"[^"]*"|[^\]"])*\])|(?P<mark>[{};\n,=])'
)
_ARROWS = {"->", "<-"}


def _dagitty_tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line, end = 1, 0
    while end < len(text):
        match = _DAGITTY.match(text, end)
        if match is None:
            raise GraphError(f"line {line}: {text[end]!r} begins nothing that DAGitty knows")
        if not match["skip"]:
            yield str(match.lastgroup), match[0], line
        line += match[0].count("\n")
        end = match.end()


def _read_dagitty(text: str) -> CausalGraph:
    """Parse `dag { A -> B <- {C D}; U [pos="0,1"] }`."""
    tokens = list(_dagitty_tokens(text))
    said_first = [said for _, said, _ in tokens if said != "\n"]
    if said_first[:2] != ["dag", "{"] or said_first[-1] != "}":
        raise GraphError("line 1: expected dag { ... }, as DAGitty writes it")
    parents: Parents = {}
    start = next(i for i, token in enumerate(tokens) if token[1] == "{") + 1
    left: list[str] = []
    arrow = ""
    i, stop = start, max(i for i, token in enumerate(tokens) if token[1] == "}")
    while i < stop:
        kind, said, line = tokens[i]
        if said == "\n":
            i += 1
        elif said in (";", ","):
            if arrow:
                raise GraphError(f"line {line}: nothing follows {arrow!r}")
            left, i = [], i + 1
        elif kind == "arrow":
            if said not in _ARROWS:
                raise GraphError(f"line {line}: {said!r} has no direction; write -> or <-, or leave the edge out")
            if not left or arrow:
                raise GraphError(f"line {line}: {said!r} stands between no two variables")
            arrow, i = said, i + 1
        elif kind == "marks":
            _check_marks(said, left, line)
            i += 1
        elif kind == "name" and i + 2 < stop and tokens[i + 1][1] == "=" and tokens[i + 2][1].startswith('"'):
            i += 3  # bb="0,0,1,1"
        elif kind == "name" or said == "{":
            group, i = _group(tokens, i, stop)
            for name in group:
                parents.setdefault(name, [])
            if arrow:
                for one in left:
                    for other in group:
                        cause, effect = (one, other) if arrow == "->" else (other, one)
                        parents[effect].append(cause)
            left, arrow = group, ""
        else:
            raise GraphError(f"line {line}: {said!r} is not expected here")
    if arrow:
        raise GraphError(f"line {tokens[stop][2]}: nothing follows {arrow!r}")
    return CausalGraph(parents)


def _group(tokens: list[tuple[str, str, int]], i: int, stop: int) -> tuple[list[str], int]:
    """Return one variable, or those in braces, and the place after them."""
    if tokens[i][0] == "name":
        return [_unquoted(tokens[i][1])], i + 1
    names, line = [], tokens[i][2]
    i += 1
    while i < stop and tokens[i][1] != "}":
        kind, said, line = tokens[i]
        if kind == "name":
            names.append(_unquoted(said))
        elif said not in ("\n", ";", ","):
            raise GraphError(f"line {line}: {said!r} inside braces, where names are expected")
        i += 1
    if i >= stop or not names:
        raise GraphError(f"line {line}: braces that hold no names, or are not closed")
    return names, i + 1


def _check_marks(said: str, names: list[str], line: int) -> None:
    for part in re.sub(r'"[^"]*"', "", said[1:-1]).split(","):
        key, _, value = (word.strip().lower() for word in part.partition("="))
        if key in ("latent", "l", "u", "unobserved") and value not in ("false", "no", "0"):
            whom = ", ".join(names) or "a variable"
            raise GraphError(f"line {line}: {whom} is latent, but every node must be a label of the data")


def _write_dagitty(graph: CausalGraph) -> str:
    lines = [_quoted(node) for node in graph.nodes]
    lines += [f"{_quoted(parent)} -> {_quoted(child)}" for parent, child in graph.edges]
    return "\n".join(["dag {", *lines, "}"]) + "\n"


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
    ".dot": _read_dot,
    ".gv": _read_dot,
    ".bif": _read_bif,
    ".dagitty": _read_dagitty,
    ".csv": _read_csv,
}
WRITERS: Mapping[str, Callable[[CausalGraph], str]] = {
    ".gml": _write_gml,
    ".graphml": _write_graphml,
    ".json": _write_json,
    ".dot": to_dot,
    ".gv": to_dot,
    ".bif": _write_bif,
    ".dagitty": _write_dagitty,
    ".csv": _write_csv,
}

"""YAML reduced to what a graph file needs: mappings, lists and strings; everything else is refused by line.

Nothing is built before it is understood: the size is checked before parsing, and anchors, aliases and deep
nesting stop the parser where they stand, so that no file can blow up while it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .errors import GraphError

_MAX_BYTES = 2**20  # 70 times celeba-all, which has 40 nodes and 780 edges
_MAX_DEPTH = 8  # twice what a graph file needs
_STRING, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_TYPES = {"bool": "a boolean", "int": "a number", "float": "a number", "timestamp": "a date"}


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file is, made of mappings, lists and strings alone.

    Args:
        path: a file of at most 1 MiB, in UTF-8.

    Raises:
        GraphError: unreadable, too large, empty, not UTF-8, not YAML, no mapping, a duplicate key, an anchor or
            alias, deep nesting, or a value that YAML takes for something else than text; says where.

    Source: defined here.
    """
    text = _read_text(path)
    try:
        node = _TreeLoader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        culprit = f"character #x{error.character:04x} is not allowed"
        raise GraphError(f"line {line}, column {column}: {culprit}") from None
    except yaml.MarkedYAMLError as error:
        raise GraphError(_syntax(error)) from None
    if node is None or node.tag == _NULL:
        raise GraphError("the file is empty; a graph file is a mapping with the key 'nodes'")
    if not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise GraphError(f"the file holds {kind}; a graph file is a mapping with the key 'nodes'")
    return _mapping(node, "key")


class _TreeLoader(yaml.SafeLoader):
    """Refuses anchors, aliases and deep nesting while the document is being composed."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        where = _where(event.start_mark)
        # An alias is an event with an anchor too. Without anchors there is nothing that could be expanded.
        if getattr(event, "anchor", None) is not None:
            raise GraphError(f"{where}: anchors and aliases are not allowed; write the names out")
        if self.depth == _MAX_DEPTH:
            raise GraphError(f"{where}: nested more than {_MAX_DEPTH} levels deep")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise GraphError(f"cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise GraphError(f"larger than {_MAX_BYTES // 1024} kB, which no graph file needs to be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        culprit = data[error.start]
        raise GraphError(f"not UTF-8 text: byte 0x{culprit:02x} at offset {error.start}") from None


def _tree(node: yaml.Node, noun: str) -> dict[str, Any] | list[Any] | str:
    """Mappings, lists and strings of a composed node; `noun` is what the keys of a mapping are called."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, noun)
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, "key") for item in node.value]
    return _string(node)


def _mapping(node: yaml.MappingNode, noun: str) -> dict[str, Any]:
    lines: dict[str, int] = {}
    tree: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise GraphError(f"{_where(key_node.start_mark)}: a {noun} must be a name, not a list or mapping")
        key = _string(key_node)
        line = key_node.start_mark.line + 1
        if key in lines:
            raise GraphError(f"line {line}: duplicate {noun} {key!r}, first given on line {lines[key]}")
        lines[key] = line
        tree[key] = _tree(value_node, "node" if key == "nodes" else "key")
    return tree


def _string(node: yaml.Node) -> str:
    if node.tag == _STRING:
        return str(node.value)
    where, kind = _where(node.start_mark), node.tag.rsplit(":", 1)[-1]
    if node.tag == _NULL:
        raise GraphError(f"{where}: a value is missing; write [] for a node without parents")
    if kind in _TYPES:
        value = node.value[:40]
        raise GraphError(f"{where}: YAML reads {value} as {_TYPES[kind]}, not as text; write '{value}'")
    raise GraphError(f"{where}: {node.value!r} is tagged {node.tag!r}; only plain text is allowed")


def _syntax(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{_where(mark)}: " if mark else ""
    context = f"{error.context}, " if error.context else ""
    return f"{where}not valid YAML: {context}{error.problem}"


def _where(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"

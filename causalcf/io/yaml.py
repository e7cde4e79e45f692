"""Strict YAML for untrusted input, and the presets that travel with the package.
The size is limited; anchors, aliases, deep nesting and repeated keys are errors.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..checks import check_path
from ..errors import CausalCFError, GraphError, RunError, unknown
from .untrusted import read_bounded

_PACKAGE = Path(__file__).resolve().parents[1]
PRETRAINED = _PACKAGE / "pretrained"  # the runs that travel with the package
PREFIX = "pretrained:"  # of their names
_MAX_BYTES = 2**17  # 9 times celeba-all, which has 40 nodes and 780 edges; the worst of this size takes seconds
_MAX_DEPTH = 8  # twice what any of the files needs
_STRING, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_TYPES = {"bool": "a boolean", "int": "a number", "float": "a number", "timestamp": "a date"}


def preset_folder(kind: str) -> Path:
    """Return the folder of a kind of preset: "graphs", "train", "eval" or "eval/statements"."""
    shipped = _PACKAGE / "_shipped" / kind
    return shipped if shipped.is_dir() else _PACKAGE.parent / kind


def preset_names(kind: str) -> list[str]:
    return sorted(path.stem for path in preset_folder(kind).glob("*.yaml"))


def run_folder(path: str | Path) -> Path:
    """Return the folder that the name of a run means: "pretrained:NAME" is in the package, all else is a path."""
    if not str(path).startswith(PREFIX):
        return Path(path)
    known, own = sorted(file.parent.name for file in PRETRAINED.glob("*/graph.yaml")), str(path).removeprefix(PREFIX)
    if own not in known:
        raise RunError(unknown("pretrained run", own, known))
    return PRETRAINED / own


def find_preset(kind: str, name: str | Path, error: type[CausalCFError] = CausalCFError) -> Path:
    """Return the YAML file of a path or preset; the bare name of a preset comes before a path."""
    check_path("path", name, error)
    path = Path(name)
    preset = preset_folder(kind) / f"{path.stem}.yaml"
    is_preset = preset.is_file() and path.parent.as_posix() in (".", kind) and path.suffix in ("", ".yaml")
    if path.suffix == "" and path.parent == Path() and is_preset:
        return preset  # a bare name, whatever folder of that name stands about
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise error(
            f"{str(name) or 'an empty name'} is a folder; expected a YAML file or one of: "
            f"{', '.join(preset_names(kind))}"
        )
    if is_preset:
        return preset
    what = {"graphs": "graph", "train": "recipe", "eval": "evaluation", "eval/statements": "statement"}.get(kind, kind)
    raise error(f"no file {name}, and " + unknown(f"{what} preset", str(name), preset_names(kind)))


@dataclass(frozen=True)
class FileKind:
    """Kind of a YAML file: its name and shape in messages, its error, and whether scalars must be text."""

    name: str
    shape: str
    error: type[CausalCFError]
    text_only: bool = False


GRAPH = FileKind("a graph file", "with the key 'nodes'", GraphError, text_only=True)


class _Malformed(Exception):
    """What is wrong with a file, before it is known which error to raise."""


def read_mapping(path: Path, kind: FileKind = GRAPH) -> dict[str, Any]:
    """Return the mapping in a YAML file (UTF-8, at most 128 kB); errors say where the mistake is."""
    expected = f"{kind.name} is a mapping {kind.shape}"
    try:
        node = _compose(_read_text(path, kind))
        if node is None or node.tag == _NULL:
            raise _Malformed(f"the file is empty; {expected}")
        if not isinstance(node, yaml.MappingNode):
            holds = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
            raise _Malformed(f"the file holds {holds}; {expected}")
        return _mapping(node, "key", kind)
    except _Malformed as error:
        raise kind.error(str(error)) from None


def _compose(text: str) -> yaml.Node | None:
    try:
        return _TreeLoader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        culprit = f"character #x{error.character:04x} is not allowed"
        raise _Malformed(f"line {line}, column {column}: {culprit}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{_where(mark)}: " if mark else ""
        context = f"{error.context}, " if error.context else ""
        raise _Malformed(f"{where}not valid YAML: {context}{error.problem}") from None


class _TreeLoader(yaml.SafeLoader):
    """YAML loader that refuses anchors, aliases and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        where = _where(event.start_mark)
        # An alias is an event with an anchor too. Without anchors there is nothing that could be expanded.
        if getattr(event, "anchor", None) is not None:
            raise _Malformed(f"{where}: anchors and aliases are not allowed; write the names out")
        if self.depth == _MAX_DEPTH:
            raise _Malformed(f"{where}: nested more than {_MAX_DEPTH} levels deep")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _read_text(path: Path, kind: FileKind) -> str:
    try:
        data = read_bounded(path, _MAX_BYTES)
    except OSError as error:
        raise _Malformed(f"cannot be read: {error.strerror}") from None
    except CausalCFError:
        what = f"larger than {_MAX_BYTES // 1024} kB, too large" if path.is_file() else "no regular file, as is needed"
        raise _Malformed(f"{what} for {kind.name}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Malformed(f"not UTF-8 text: byte 0x{data[error.start]:02x} at offset {error.start}") from None


def _tree(node: yaml.Node, noun: str, kind: FileKind) -> Any:
    """Convert a YAML node; `noun` names the keys of a mapping in errors."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, noun, kind)
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, "key", kind) for item in node.value]
    return _string(node) if kind.text_only else _scalar(node)


def _mapping(node: yaml.MappingNode, noun: str, kind: FileKind) -> dict[str, Any]:
    lines: dict[str, int] = {}
    tree: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _Malformed(f"{_where(key_node.start_mark)}: a {noun} must be a name, not a list or mapping")
        key = _string(key_node)
        line = key_node.start_mark.line + 1
        if key in lines:
            raise _Malformed(f"line {line}: duplicate {noun} {key!r}, first given on line {lines[key]}")
        lines[key] = line
        tree[key] = _tree(value_node, "node" if key == "nodes" else "key", kind)
    return tree


def _scalar(node: yaml.Node) -> Any:
    """Return a number, boolean, null, date or text, as safe YAML reads it."""
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        why = getattr(error, "problem", None) or error
        raise _Malformed(f"{_where(node.start_mark)}: {node.value!r} cannot be read: {why}") from None


def _string(node: yaml.Node) -> str:
    if node.tag == _STRING:
        return str(node.value)
    where, kind = _where(node.start_mark), node.tag.rsplit(":", 1)[-1]
    if node.tag == _NULL:
        raise _Malformed(f"{where}: a value is missing; write [] for a node without parents")
    if kind in _TYPES:
        value = node.value[:40]
        raise _Malformed(f"{where}: YAML reads {value} as {_TYPES[kind]}, not as text; write '{value}'")
    raise _Malformed(f"{where}: {node.value!r} is tagged {node.tag!r}; only plain text is allowed")


def _where(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"

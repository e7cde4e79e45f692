"""Lists of questions, from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ..errors import QueryError, unknown
from ..presets import find_preset
from .query import Query

_MAX_BYTES = 2**20
_KEYS = ("queries",)
_QUERY_KEYS = ("given", "antecedent", "mode")


def load_queries(path: str | Path = "queries", attributes: Iterable[str] = ()) -> dict[str, Query]:
    """Named questions from a YAML file.

    Args:
        path: a file, or a preset's name. The file is a mapping with the key `queries`: name -> a question in
            English, or a mapping with `given`, `antecedent` and `mode` ("do" where left out).
        attributes: names that may be said beside CelebA's, as for `Query.parse`.

    Returns:
        name -> Query, in the order of the file.

    Raises:
        QueryError: no such file, not YAML, an unknown or repeated key, or a question that is none; says where.

    Source: defined here.

    Example:
        >>> list(load_queries("queries"))
        ['woman-moustache', 'man-lipstick', 'woman-man', 'young-man-bald', 'glasses', 'smile']
    """
    try:
        file = find_preset("eval", path, QueryError)
    except OSError as error:  # such as a name too long for the file system
        raise QueryError(f"cannot read {path}: {error.strerror}") from None
    attributes = tuple(attributes)
    try:
        tree = _read(file)
        _check_keys(tree, _KEYS, "the file")
        queries = tree.get("queries")
        if not isinstance(queries, dict) or not queries:
            raise QueryError("expected the key 'queries': a mapping from names to questions")
        return {str(name): _query(str(name), value, attributes) for name, value in queries.items()}
    except QueryError as error:
        raise QueryError(f"{file}: {error}") from None


def _query(name: str, value: Any, attributes: Iterable[str]) -> Query:
    try:
        if isinstance(value, str):
            return Query.parse(value, attributes)
        _check_keys(value, _QUERY_KEYS, "a question in English, or a mapping")
        return Query(value.get("given") or {}, value.get("antecedent") or {}, value.get("mode", "do"))
    except QueryError as error:
        raise QueryError(f"{name}: {error}") from None


def _check_keys(tree: Any, allowed: tuple[str, ...], what: str) -> None:
    if not isinstance(tree, dict):
        raise QueryError(f"expected {what} with the keys {', '.join(allowed)}, not {tree!r}")
    for key in tree:
        if key not in allowed:
            raise QueryError(unknown("key", str(key), allowed))


class _Loader(yaml.SafeLoader):
    """Refuses repeated keys, of which YAML would keep the last, and aliases, which no list of questions needs."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise QueryError(f"line {self.peek_event().start_mark.line + 1}: aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise QueryError(f"line {key.start_mark.line + 1}: a key must be a name")
            if key.value in seen:
                raise QueryError(f"line {key.start_mark.line + 1}: {key.value!r} stands twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise QueryError(f"larger than {_MAX_BYTES // 1024} kB, which no list of questions needs to be")
        return yaml.load(data.decode("utf-8-sig"), _Loader)
    except OSError as error:
        raise QueryError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not UTF-8 text: byte 0x{error.object[error.start]:02x} at offset {error.start}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise QueryError(f"{where}not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, QueryError):
            raise
        raise QueryError(f"not valid YAML: {type(error).__name__}") from None

"""Lists of questions, from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import QueryError, unknown
from ..presets import find_preset
from ..yaml_tree import FileKind, read_mapping
from .query import Query

_FILE = FileKind("a list of questions", "with the key 'queries'", QueryError)
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
        tree = read_mapping(file, _FILE)
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

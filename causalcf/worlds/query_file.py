"""Lists of questions, from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..arguments import as_names
from ..errors import QueryError
from ..named_list import ListKind, check_keys, read_named
from .query import Query

_QUERIES = ListKind("eval", "queries", "questions", QueryError)
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
    names = as_names("attributes", attributes, QueryError)
    return read_named(path, _QUERIES, lambda value: _query(value, names), QueryError)


def _query(value: Any, attributes: tuple[str, ...]) -> Query:
    if isinstance(value, str):
        return Query.parse(value, attributes)
    check_keys(value, _QUERY_KEYS, "a question in English, or a mapping", QueryError)
    return Query(value.get("given") or {}, value.get("antecedent") or {}, value.get("mode", "do"))

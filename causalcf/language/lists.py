"""YAML lists of counterfactual questions and of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ..checks import as_names
from ..errors import CausalCFError, QueryError, StatementError, unknown
from ..graph.graph import CausalGraph
from ..io.files import write_atomically
from ..io.yaml import FileKind, find_preset, read_mapping
from .query import Query
from .statement import Statement

T = TypeVar("T")
STATEMENT_FOLDER = "eval/statements"  # of the presets
_PARTS = ("given", "antecedent", "modal", "consequent", "mode")


def _load(
    path: str | Path, folder: str, key: str, things: str, make: Callable[[Any], T], error: type[CausalCFError]
) -> dict[str, T]:
    """Read the named entries under a file's only key, in file order; `make` builds each entry."""
    try:
        file = find_preset(folder, path, error)
    except OSError as problem:  # such as a name too long for the file system
        raise error(f"cannot read {path}: {problem.strerror}") from None
    found: dict[str, T] = {}
    try:
        tree = read_mapping(file, FileKind(f"a list of {things}", f"with the key {key!r}", error))
        check_keys(tree, (key,), "the file", error)
        listed = tree.get(key)
        if not isinstance(listed, dict) or not listed:
            raise error(f"expected the key {key!r}: a mapping from names to {things}")
        for name in listed:
            if not name.strip() or not name.isprintable():
                raise error(f"the name {name!r} is blank or has a character that cannot be printed")
        for name, value in listed.items():
            try:
                found[name] = make(value)
            except QueryError as problem:
                raise error(f"{name}: {problem}") from None
    except error as problem:
        raise error(f"{file}: {problem}") from None
    return found


def check_keys(tree: Any, allowed: Sequence[str], what: str, error: type[CausalCFError]) -> None:
    """Check that a value is a mapping with allowed keys only; the error names the nearest key."""
    if not isinstance(tree, dict):
        raise error(f"expected {what} with the keys {', '.join(allowed)}, not {tree!r}")
    for key in tree:
        if key not in allowed:
            raise error(unknown("key", str(key), allowed))


def load_queries(path: str | Path = "queries", attributes: Iterable[str] = ()) -> dict[str, Query]:
    """Load named questions from a YAML file.

    Args:
        path: a file, or the name of a preset. The file is a mapping with the key `queries`: name -> a question in
            English, or a mapping with `given`, `antecedent` and `mode` ("do" by default).
        attributes: names that may be used in addition to CelebA's, as for `Query.parse`.

    Returns:
        name -> Query, in the order of the file.

    Raises:
        QueryError: no such file, not YAML, an unknown or repeated key, or an invalid question; the message says where.

    Source: defined here.

    Examples:
        >>> list(load_queries("queries"))
        ['woman-moustache', 'man-lipstick', 'woman-man', 'young-man-bald', 'glasses', 'smile']
    """
    names = as_names("attributes", attributes, QueryError)
    return _load(path, "eval", "queries", "questions", partial(_query, attributes=names), QueryError)


def _query(value: Any, attributes: tuple[str, ...]) -> Query:
    if isinstance(value, str):
        return Query.parse(value, attributes)
    check_keys(value, ("given", "antecedent", "mode"), "a question in English, or a mapping", QueryError)
    return Query(value.get("given") or {}, value.get("antecedent") or {}, value.get("mode", "do"))


def load_statements(path: str | Path = "celeba", attributes: Iterable[str] = ()) -> dict[str, Statement]:
    """Load named statements from a YAML file.

    Args:
        path: a file or the name of a preset. The file is a mapping with one key, `statements`. It maps each name to an
            English sentence, or to a mapping with `given`, `antecedent`, `modal`, `consequent` and `mode` (default
            "do").
        attributes: attribute names beyond CelebA's that the sentences may use, as for `Statement.parse`.

    Returns:
        name -> Statement, in the order of the file.

    Raises:
        StatementError: the file is missing or not YAML, has an unknown or repeated key, or has an invalid statement.
            The error says where.

    Source: defined here.

    Examples:
        >>> print(load_statements("celeba")["old-man-bald"])
        If this young man (who is not bald) were old, he might be bald.
    """
    names = as_names("attributes", attributes, StatementError)
    make = partial(_statement, attributes=names)
    return _load(path, STATEMENT_FOLDER, "statements", "statements", make, StatementError)


def save_statements(path: str | Path, statements: Mapping[str, Statement]) -> None:
    """Write statements so that `load_statements` returns the same; an existing file is replaced."""
    parts = {name: {part: getattr(one, part) for part in _PARTS} for name, one in statements.items()}
    write_atomically(Path(path), yaml.safe_dump({"statements": parts}, sort_keys=False).encode())


def _statement(value: Any, attributes: tuple[str, ...]) -> Statement:
    if isinstance(value, str):
        return Statement.parse(value, attributes)
    check_keys(value, _PARTS, "a statement in English, or a mapping", StatementError)
    for part in ("modal", "consequent"):
        if part not in value:
            raise StatementError(f"the key {part!r} is missing")
    given, antecedent = value.get("given") or {}, value.get("antecedent") or {}
    return Statement(given, antecedent, value["modal"], value["consequent"], value.get("mode", "do"))


def example_questions(graph: CausalGraph) -> list[str]:
    """Return questions of the project that the graph has labels for, else one about each cause of another label."""
    asked = list(load_queries("queries").values())

    def fitting(queries: Iterable[Query]) -> Iterator[str]:
        for query in queries:
            with suppress(QueryError):
                query.check(graph.nodes)
                if Query.parse(str(query), graph.nodes) == query:
                    yield str(query)

    causes = dict.fromkeys(parent for parent, _ in graph.edges)
    return list(fitting(asked)) or list(fitting(Query({}, {cause: 1}) for cause in causes))[: len(asked)]

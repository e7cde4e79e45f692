"""Lists of statements, from YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .arguments import as_names
from .errors import QueryError, StatementError
from .files import write_atomically
from .named_list import ListKind, check_keys, read_named
from .statement import Statement

KIND = "eval/statements"  # the presets' folder

_STATEMENTS = ListKind(KIND, "statements", "statements", StatementError)
_PARTS = ("given", "antecedent", "modal", "consequent", "mode")


def load_statements(path: str | Path = "celeba", attributes: Iterable[str] = ()) -> dict[str, Statement]:
    """Named statements from a YAML file.

    Args:
        path: a file, or a preset's name. The file is a mapping with the key `statements`: name -> a statement in
            English, or a mapping with `given`, `antecedent`, `modal`, `consequent` and `mode` ("do" where left out).
        attributes: names that may be said beside CelebA's, as for `Statement.parse`.

    Returns:
        name -> Statement, in the order of the file.

    Raises:
        StatementError: no such file, not YAML, an unknown or repeated key, or a statement that is none; says where.

    Source: defined here.

    Example:
        >>> print(load_statements("celeba")["old-man-bald"])
        If this young man (who is not bald) were old, he might be bald.
    """
    names = as_names("attributes", attributes, StatementError)
    return read_named(path, _STATEMENTS, lambda value: _statement(value, names), QueryError)


def save_statements(path: str | Path, statements: Mapping[str, Statement]) -> None:
    """Writes statements so that `load_statements` gives the same back.

    Args:
        path: of the file; replaced whole where it is there.
        statements: by name.
    """
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

"""Lists of statements, from YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import QueryError, StatementError, unknown
from .presets import find_preset
from .statement import Statement
from .yaml_tree import FileKind, read_mapping

KIND = "eval/statements"  # the presets' folder

_FILE = FileKind("a list of statements", "with the key 'statements'", StatementError)
_KEYS = ("statements",)
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
    try:
        file = find_preset(KIND, path, StatementError)
    except OSError as error:  # such as a name too long for the file system
        raise StatementError(f"cannot read {path}: {error.strerror}") from None
    attributes = tuple(attributes)
    try:
        tree = read_mapping(file, _FILE)
        _check_keys(tree, _KEYS, "the file")
        statements = tree.get("statements")
        if not isinstance(statements, dict) or not statements:
            raise StatementError("expected the key 'statements': a mapping from names to statements")
        return {str(name): _statement(str(name), value, attributes) for name, value in statements.items()}
    except StatementError as error:
        raise StatementError(f"{file}: {error}") from None


def _statement(name: str, value: Any, attributes: Iterable[str]) -> Statement:
    try:
        if isinstance(value, str):
            return Statement.parse(value, attributes)
        _check_keys(value, _PARTS, "a statement in English, or a mapping")
        for part in ("modal", "consequent"):
            if part not in value:
                raise StatementError(f"the key {part!r} is missing")
        given, antecedent = value.get("given") or {}, value.get("antecedent") or {}
        return Statement(given, antecedent, value["modal"], value["consequent"], value.get("mode", "do"))
    except QueryError as error:
        raise StatementError(f"{name}: {error}") from None


def _check_keys(tree: Any, allowed: tuple[str, ...], what: str) -> None:
    if not isinstance(tree, dict):
        raise StatementError(f"expected {what} with the keys {', '.join(allowed)}, not {tree!r}")
    for key in tree:
        if key not in allowed:
            raise StatementError(unknown("key", str(key), allowed))

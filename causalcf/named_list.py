"""YAML files that list named things said in English, such as questions and statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .errors import CausalCFError, unknown
from .presets import find_preset
from .yaml_tree import FileKind, read_mapping

T = TypeVar("T")


@dataclass(frozen=True)
class ListKind:
    """What a file lists.

    Args:
        folder: of the presets, as `find_preset` takes it.
        key: of the file's only entry, a mapping from names to things.
        things: what they are called, in the plural.
        error: what a malformed file raises.
    """

    folder: str
    key: str
    things: str
    error: type[CausalCFError]


def read_named(
    path: str | Path, kind: ListKind, make: Callable[[Any], T], refused: type[CausalCFError]
) -> dict[str, T]:
    """The named things of a file, in its order.

    Args:
        path: a file, or a preset's name.
        kind: what it lists.
        make: a thing from its YAML.
        refused: the error by which `make` refuses one.

    Raises:
        CausalCFError: (`kind.error`) no such file, not YAML, an unknown or repeated key, or a thing refused.
    """
    try:
        file = find_preset(kind.folder, path, kind.error)
    except OSError as error:  # such as a name too long for the file system
        raise kind.error(f"cannot read {path}: {error.strerror}") from None
    try:
        tree = read_mapping(file, FileKind(f"a list of {kind.things}", f"with the key {kind.key!r}", kind.error))
        check_keys(tree, (kind.key,), "the file", kind.error)
        listed = tree.get(kind.key)
        if not isinstance(listed, dict) or not listed:
            raise kind.error(f"expected the key {kind.key!r}: a mapping from names to {kind.things}")
        for name in listed:
            if not str(name).strip() or not str(name).isprintable():
                raise kind.error(f"the name {str(name)!r} is blank or has a character that cannot be printed")
        return {str(name): _made(str(name), value, make, refused, kind.error) for name, value in listed.items()}
    except kind.error as error:
        raise kind.error(f"{file}: {error}") from None


def check_keys(tree: Any, allowed: Sequence[str], what: str, error: type[CausalCFError]) -> None:
    """Refuses what is no mapping, and a key that is not allowed, naming the nearest.

    Raises:
        CausalCFError: (`error`)
    """
    if not isinstance(tree, dict):
        raise error(f"expected {what} with the keys {', '.join(allowed)}, not {tree!r}")
    for key in tree:
        if key not in allowed:
            raise error(unknown("key", str(key), allowed))


def _made(
    name: str, value: Any, make: Callable[[Any], T], refused: type[CausalCFError], error: type[CausalCFError]
) -> T:
    try:
        return make(value)
    except refused as problem:
        raise error(f"{name}: {problem}") from None

"""Conditions as flags: "Male=0,Young=1"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .errors import QueryError, unknown


def parse_conditions(texts: Iterable[str], what: str, names: Sequence[str] | None = None) -> dict[str, int]:
    """Attribute -> value from texts such as "Male=0,Young=1", one text for each time that a flag was given.

    Args:
        texts: names and values, parted by commas; spaces do not matter.
        what: the flag, for errors.
        names: the attributes allowed; None allows any, for a check once the graph is known.

    Raises:
        QueryError: no "=", a value other than 0 and 1, an unknown attribute (with the nearest), one given twice, or
            a character that cannot be printed.

    Source: defined here.

    Example:
        >>> parse_conditions(["Male=0, Young=1", "Bald=0"], "--given")
        {'Male': 0, 'Young': 1, 'Bald': 0}
    """
    values: dict[str, int] = {}
    texts = list(texts)
    for text in texts:
        if not text.isprintable():
            raise QueryError(f"{what}: {text!r} holds a character that cannot be printed")
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals:
            raise QueryError(f"{what}: {part!r} is no condition; write for example Male=0 or Male=0,Young=1")
        if names is not None and name not in names:
            raise QueryError(f"{what}: " + unknown("attribute", name, names))
        if value not in ("0", "1"):
            raise QueryError(f"{what}: {name}={value}; expected 0 or 1")
        if name in values:
            raise QueryError(f"{what}: {name} is given twice")
        values[name] = int(value)
    return values

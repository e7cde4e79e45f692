"""Escape untrusted text, such as attribute names and file names, for the place where it is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain, count

_JOINERS = "\u200c\u200d"  # some scripts cannot be written without them
# What means something within a line of Markdown: "]" only where a link's address could follow it, "_" only at the edge
# of a word, ":" and "." only where an address would become a link of itself.
_SPECIAL = re.compile(r"[\\`*<|~$&]|\](?=[(\[:])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.", re.IGNORECASE)
# What means something where a line begins: headings, quotes, lists, rules.
_BLOCK = re.compile(r"^(?:\d+(?=[.)](?:\s|$))|(?=#+(?:\s|$)|>|[+-](?:\s|$)|[=-]+$|\[))")


def plain(text: object) -> str:
    """Return one line without control characters, terminal escapes or right-to-left overrides."""
    return "".join(map(_visible, " ".join(str(text).split())))


def escaped(text: object) -> str:
    r"""Return one line with every non-printable character written as a Python escape such as `\x1b`."""
    return "".join(
        one if one.isprintable() or one in _JOINERS else one.encode("unicode_escape").decode() for one in str(text)
    )


def markdown(text: object) -> str:
    """Escape text so that Markdown shows it literally, also in a table cell."""
    escaped = _SPECIAL.sub(lambda found: "\\" + found.group(), plain(text))
    return _BLOCK.sub(lambda found: found.group() + "\\", escaped)


def markdown_table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table in Markdown, with every cell escaped."""
    cells = [[markdown(cell) for cell in row] for row in (heads, *rows)]
    head, *lines = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head, "|" + "---|" * len(cells[0]), *lines])


def file_name(text: object) -> str:
    """Return text as part of a file name: letters, digits, "_" and "-", at most 30 characters."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(text)).strip("-")[:30]


def file_names(texts: Iterable[object]) -> dict[object, str]:
    """A file's name for each of several texts, no two alike, also where the file system knows no capitals.

    Examples:
        >>> file_names(["Hat/Cap", "Hat-Cap", "?"])
        {'Hat/Cap': 'Hat-Cap', 'Hat-Cap': 'Hat-Cap-2', '?': 'label'}
    """
    names: dict[object, str] = {}
    taken: set[str] = set()
    for text in texts:
        stem = file_name(text) or "label"
        candidates = chain([stem], (f"{stem}-{number}" for number in count(2)))
        name = next(one for one in candidates if one.lower() not in taken)
        taken.add(name.lower())
        names[text] = name
    return names


def _visible(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn") or character in _JOINERS:
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"

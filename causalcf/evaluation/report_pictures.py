"""The pictures of faces that an outcome names, read from its folder and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..bounded import read_bounded
from ..errors import CausalCFError, nearest
from .report_links import Outcome

_MOST_BYTES = 2**26  # of a picture
_PNG = b"\x89PNG\r\n\x1a\n"


def read_pictures(folder: Path, outcome: Outcome) -> dict[str, bytes]:
    """Name -> PNG file of every picture that links and questions name.

    Args:
        folder: of the report.
        outcome: of an evaluation, schema 1.

    Raises:
        CausalCFError: a name that leads out of the folder, a file that is missing or no PNG.

    Source: defined here.
    """
    return {name: _read(folder, name, owner) for name, owner in _named(outcome)}


def _named(outcome: Outcome) -> Iterator[tuple[str, str]]:
    for link in outcome["links"]:
        if link["picture"]:
            yield link["picture"], f"{link['cause']}->{link['effect']} by {link['approach']}"
    for query in outcome["queries"]:
        if query["picture"]:
            yield query["picture"], f"question {query['name']!r} to {query['approach']}"


def _read(folder: Path, name: str, owner: str) -> bytes:
    if _leads_out(folder, name):
        raise CausalCFError(f"picture {name!r} of {owner} is outside {folder}; allowed: PNG files in that folder")
    try:
        content = read_bounded(folder / name, _MOST_BYTES)
    except OSError:
        there = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))
        close = "".join(f"; did you mean {found!r}?" for found in nearest(name, there, 1))
        raise CausalCFError(f"picture {name!r} of {owner} cannot be read from {folder}{close}") from None
    if not content.startswith(_PNG):
        raise CausalCFError(f"picture {name!r} of {owner} is not a PNG file")
    return content


def _leads_out(folder: Path, name: str) -> bool:
    """Also where a symbolic link leads out, and for names that no file can have."""
    if "\0" in name or Path(name).is_absolute():
        return True
    return not (folder / name).resolve().is_relative_to(folder.resolve())

"""A table of strings: built once, shown by the page, by Markdown and by the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..inert import markdown


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Args:
        title: what it shows.
        heads: (c,) names of the columns.
        rows: of c cells each, text as it came.
        anchors: () or, for each row, the place in the page that tells more of it.
        prose: whether cells hold sentences, whose lines may break.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    anchors: Sequence[str] = ()
    prose: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"table {self.title!r}: a row of {len(row)} cells under {len(self.heads)} heads")

    def __bool__(self) -> bool:
        return bool(self.rows)


def to_markdown(table: Table) -> str:
    """The table in Markdown, every cell inert.

    Example:
        >>> print(to_markdown(Table("links", ["link", "n"], [["Young → Bald", "3"]])))
        | link | n |
        |---|---|
        | Young → Bald | 3 |
    """
    lines = [_row(table.heads), "|" + "---|" * len(table.heads), *map(_row, table.rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(markdown, cells)) + " |"

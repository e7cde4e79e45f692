"""Tables of statements as a terminal shows them: heads of two lines, and intervals too where it is narrow."""

from __future__ import annotations

from ..inert import plain
from .report_tables import Table
from .statement_tables import StatementGroup, figures

SENTENCE = "statement"  # the head of a column whose cells may be folded
_STATEMENT_HEADS = [
    "q in images\n[interval]",
    "seen\nbefore",
    "q label\nmodel",
    "same\nfaces",
    "label\nmodel",
    "verdict",
]


def by_statement(told: tuple[StatementGroup, ...], narrow: bool) -> list[Table]:
    """One table for each statement: a row for each approach."""
    return [
        Table(
            f"{group.name}: {group.sentence}",
            ["approach", *_STATEMENT_HEADS],
            [_row(one["approach"], figures(one), narrow) for one in group.answers],
        )
        for group in told
    ]


def by_approach(told: tuple[StatementGroup, ...], narrow: bool) -> list[Table]:
    """One table for each approach: a row for each statement."""
    rows: dict[str, list[list[str]]] = {}
    for group in told:
        for one in group.answers:
            row = _row(f"{group.name}: {group.sentence}", figures(one), narrow)
            rows.setdefault(one["approach"], []).append(row)
    return [Table(f"{name}, {len(found)} statements", [SENTENCE, *_STATEMENT_HEADS], found) for name, found in rows.items()]


def _row(name: str, cells: list[str], narrow: bool) -> list[str]:
    """The name on one line, whatever it holds; a narrow console has the interval on a line of its own."""
    shown, *others = cells
    return [plain(name), shown.replace(" [", "\n[") if narrow else shown, *others]

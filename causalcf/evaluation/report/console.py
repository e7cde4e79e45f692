"""The outcome as tables for the terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ...io.text import plain
from .links import (
    FEW,
    NO_VERDICT,
    VERDICTS,
    Group,
    Link,
    Outcome,
    approaches,
    conditions,
    count_verdicts,
    group_links,
    links_of,
    number,
)
from .summary import graph_line, judge_line, summary
from .tables import DIRECTION, StatementGroup, Table, figures, link_table, silent, statement_groups, why_lines

if TYPE_CHECKING:
    import rich.table
    from rich.console import Console
    from rich.text import Text

SENTENCE = "statement"  # the head of a column whose cells may be folded
_STATEMENT_HEADS = [
    "q in images\n[interval]",
    "seen\nbefore",
    "q label\nmodel",
    "same\nfaces",
    "label\nmodel",
    "verdict",
]


def by_statement(statements: tuple[StatementGroup, ...], narrow: bool) -> list[Table]:
    """Build one table per statement, with a row per approach."""
    return [
        Table(
            f"{group.name}: {group.sentence}",
            ["approach", *_STATEMENT_HEADS],
            [_row(one["approach"], figures(one), narrow) for one in group.answers],
        )
        for group in statements
    ]


def by_approach(statements: tuple[StatementGroup, ...], narrow: bool) -> list[Table]:
    """Build one table per approach, with a row per statement."""
    rows: dict[str, list[list[str]]] = {}
    for group in statements:
        for one in group.answers:
            row = _row(f"{group.name}: {group.sentence}", figures(one), narrow)
            rows.setdefault(one["approach"], []).append(row)
    return [
        Table(f"{name}, {len(found)} statements", [SENTENCE, *_STATEMENT_HEADS], found) for name, found in rows.items()
    ]


def _row(name: str, cells: list[str], narrow: bool) -> list[str]:
    """Build a row; on a narrow console the interval goes on a line of its own."""
    shown, *others = cells
    return [plain(name), shown.replace(" [", "\n[") if narrow else shown, *others]


_STYLES = dict.fromkeys(VERDICTS, "bold yellow") | {"respected": "green", "none": "dim", "withheld": "dim"}
_HEADS = ["approach", "P(B |\nfactual)", "P(B |\ncounter-\nfactual)", "effect\n[interval]", "reference\neffect"]
_HEADS += ["link\nerror", "leak", "verdict"]
_LINKS = "links (effect / reference), largest error first"
_OTHERS = 71  # letters that the columns besides the approach take, intervals on lines of their own
_WIDE = 100  # letters from which on they need not be


def print_table(outcome: Outcome, console: Console) -> None:
    """Print judge, summary and link tables: one per link up to 12 links, else one per approach."""
    groups = group_links(outcome)
    for line in (judge_line(outcome), graph_line(outcome), outcome["data"]["told"], summary(outcome, groups)):
        if line:
            console.print(_text(line))
    tables = (
        [_link_table(group, console.width) for group in groups] if len(groups) <= FEW else _approach_tables(outcome)
    )
    for table in tables:
        console.print("")
        console.print(_rich(table, gap=1 if console.width >= _WIDE else 0))
    if groups and len(groups) <= FEW:
        for line in (*silent(groups), DIRECTION):
            console.print(_text(line))
    _print_statements(outcome, console)


def _print_statements(outcome: Outcome, console: Console) -> None:
    """Print a table per statement, or per approach if there are many, then the reasons for no verdict."""
    statements = statement_groups(outcome)
    for table in (by_statement if len(statements) <= FEW else by_approach)(statements, console.width < _WIDE):
        console.print("")
        console.print(_rich(table, gap=1 if console.width >= _WIDE else 0))
    for group in statements:
        for line in why_lines(group):
            console.print(_text(f"{group.name}, {line}"))


def _link_table(group: Group, width: int) -> Table:
    """Build the table of one link; on a narrow console intervals go on a line of their own."""
    rows = []
    for name, before, after, effect, *others in link_table(group).rows:
        broken = effect if width >= _WIDE else effect.replace(" [", "\n[")
        rows.append([textwrap.fill(plain(name), max(9, width - _OTHERS)), before, after, broken, *others])
    return Table(f"{group.name} (A → B)", _HEADS, rows)


def _approach_tables(outcome: Outcome) -> list[Table]:
    """Build one table per approach: how often each verdict occurs, and its links, largest error first."""
    tables = []
    for name in approaches(outcome):
        links = sorted(links_of(outcome, name), key=lambda link: -(link["link_error"] or 0))
        rows = []
        for verdict, n in count_verdicts(tuple(links)).items():
            named = [_told(link) for link in links if link["verdict"] == verdict != "respected"]
            rows.append([verdict, str(n), plain("; ".join(named))])
        tables.append(Table(f"{name}, {len(links)} links", ["verdict", "n", _LINKS], rows))
    return tables


def _told(link: Link) -> str:
    name = f"{link['cause']}→{link['effect']}"
    given = conditions({**link["given"], **link["held"]})
    name += f", {given}" if given else ""
    if link["verdict"] in NO_VERDICT:
        return name
    return f"{name} ({number(link['effect_estimate'], '+.2f')}/{number(link['reference'], '+.2f')})"


def _rich(table: Table, gap: int) -> rich.table.Table:
    from rich import box
    from rich.table import Table as RichTable

    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "show_edge": False, "padding": (0, gap, 0, 0), "pad_edge": False}
    shown = RichTable(title=_text(table.title), title_justify="left", **look)
    for head in table.heads:
        shown.add_column(_text(*head.split("\n")), overflow="fold", no_wrap=head not in (_HEADS[0], _LINKS, SENTENCE))
    for row in table.rows:
        shown.add_row(*(_text(*cell.split("\n")) for cell in row))
    return shown


def _text(*lines: str) -> Text:
    """Make rich text from plain lines, without markup or terminal escapes."""
    from rich.text import Text

    return Text("\n".join(map(plain, lines)), style=_STYLES.get(lines[0], ""))

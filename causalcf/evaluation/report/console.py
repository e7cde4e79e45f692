"""The outcome as tables for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import rich.table
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ...io.text import plain
from ..suite import VERDICTS
from .links import (
    FEW,
    NO_VERDICT,
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

_STYLES = dict.fromkeys(VERDICTS, "bold yellow") | {"respected": "green", "none": "dim", "withheld": "dim"}
_HEADS = ["approach", "P(B |\nfactual)", "P(B |\ncounter-\nfactual)", "effect\n[interval]", "reference\neffect"]
_HEADS += ["link\nerror", "leak", "verdict"]
_LINKS = "links (effect / reference), largest error first"
_SENTENCE = "statement"
_RATES = ["q in images\n[interval]", "seen\nbefore", "q label\nmodel", "same\nfaces", "label\nmodel", "verdict"]
_FOLDED = (_HEADS[0], _LINKS, _SENTENCE)  # heads of columns whose cells may be folded
_OTHERS = 71  # letters that the columns besides the approach take, intervals on lines of their own
_WIDE = 100  # letters from which on they need not be


def print_table(outcome: Outcome, console: Console) -> None:
    """Print judge, summary and tables: one per link or statement up to 12 of them, else one per approach."""
    groups, statements, width = group_links(outcome), statement_groups(outcome), console.width

    def show(lines: Sequence[str], tables: Sequence[Table]) -> None:
        for line in filter(None, lines):
            console.print(_text(line))
        for table in tables:
            console.print("")
            console.print(_rich(table, gap=1 if width >= _WIDE else 0))

    few = len(groups) <= FEW
    head = (
        *(f"Beware: {text}." for text in outcome["caveats"]),
        judge_line(outcome),
        graph_line(outcome),
        outcome["data"]["told"],
        summary(outcome, groups),
    )
    show(head, [_link_table(group, width) for group in groups] if few else _approach_tables(outcome))
    remarks = [*silent(groups), DIRECTION] if groups and few else []
    show(remarks, _statement_tables(statements, width))
    show([f"{group.name}, {line}" for group in statements for line in why_lines(group)], [])


def _statement_tables(statements: tuple[StatementGroup, ...], width: int) -> list[Table]:
    """Build one table per statement with a row per approach, or the other way round if there are many statements."""
    tables: dict[str, list[list[str]]] = {}
    few = len(statements) <= FEW
    for group in statements:
        sentence = f"{group.name}: {group.sentence}"
        for one in group.answers:
            shown, *others = figures(one)
            title, name = (sentence, one["approach"]) if few else (one["approach"], sentence)
            tables.setdefault(title, []).append([plain(name), _broken(shown, width), *others])
    if few:
        return [Table(title, [_HEADS[0], *_RATES], rows) for title, rows in tables.items()]
    return [Table(f"{name}, {len(rows)} statements", [_SENTENCE, *_RATES], rows) for name, rows in tables.items()]


def _broken(figure: str, width: int) -> str:
    """Put the interval on a line of its own if the console is narrow."""
    return figure if width >= _WIDE else figure.replace(" [", "\n[")


def _link_table(group: Group, width: int) -> Table:
    rows = []
    for name, before, after, effect, *others in link_table(group).rows:
        folded = textwrap.fill(plain(name), max(9, width - _OTHERS))
        rows.append([folded, before, after, _broken(effect, width), *others])
    return Table(f"{group.name} (A → B)", _HEADS, rows)


def _approach_tables(outcome: Outcome) -> list[Table]:
    """Build one table per approach: how often each verdict occurs, and its links, largest error first."""
    tables = []
    for name in approaches(outcome):
        links = sorted(links_of(outcome, name), key=lambda link: -(link["link_error"] or 0))
        rows = []
        for verdict, n in count_verdicts(links).items():
            named = [_link_with_figures(link) for link in links if link["verdict"] == verdict != "respected"]
            rows.append([verdict, str(n), plain("; ".join(named))])
        tables.append(Table(f"{name}, {len(links)} links", ["verdict", "n", _LINKS], rows))
    return tables


def _link_with_figures(link: Link) -> str:
    name = f"{link['cause']}→{link['effect']}"
    given = conditions({**link["given"], **link["held"]})
    name += f", {given}" if given else ""
    if link["verdict"] in NO_VERDICT:
        return name
    return f"{name} ({number(link['effect_estimate'], '+.2f')}/{number(link['reference'], '+.2f')})"


def _rich(table: Table, gap: int) -> rich.table.Table:
    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "show_edge": False, "padding": (0, gap, 0, 0), "pad_edge": False}
    shown = RichTable(title=_text(table.title), title_justify="left", **look)
    for head in table.heads:
        shown.add_column(_text(*head.split("\n")), overflow="fold", no_wrap=head not in _FOLDED)
    for row in table.rows:
        shown.add_row(*(_text(*cell.split("\n")) for cell in row))
    return shown


def _text(*lines: str) -> Text:
    """Make rich text from plain lines, without markup or terminal escapes."""
    return Text("\n".join(map(plain, lines)), style=_STYLES.get(lines[0], ""))

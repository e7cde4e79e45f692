"""Checked statements as a terminal table and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..io.text import plain
from .conflicts import Checked
from .modals import MODALS
from .statement import Truth

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES = {"true": "green", "false": "yellow", "vacuous": "bold yellow"}


def to_dict(checked: Checked) -> dict[str, Any]:
    """Return a checked statement as JSON values."""
    return {
        "name": checked.name,
        "sentence": str(checked.statement),
        **asdict(checked.statement),
        **asdict(checked.truth),
        "about_change": None if checked.change is None else asdict(checked.change),
        "conflicts": checked.conflicts,
    }


def print_table(found: Sequence[Checked], eps: float, console: Console) -> None:
    """Print all statements, why some are vacuous, and which conflict."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("statement", ratio=1)
    for head in ("P", "not so\nbefore", "asked"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("is", no_wrap=True)
    for one in found:
        asked = str(MODALS[one.statement.modal].interval(eps))
        said = _text(f"{one.name}: {one.statement}")
        table.add_row(said, _number(one.truth), _number(one.change), asked, _verdict(one))
    console.print(table)
    for one in found:
        if one.truth.vacuous:
            console.print(_text(f"{one.name} is vacuous: {one.truth.reason}"))
    for line in conflict_lines(found):
        console.print(_text(line, "bold red"))
    console.print(_text(_summary(found)))


def conflict_lines(found: Sequence[Checked]) -> list[str]:
    """Return one line per conflicting pair of statements."""
    names = [one.name for one in found]
    return [
        f"{one.name} and {other} conflict: {reason}"
        for i, one in enumerate(found)
        for other, reason in one.conflicts.items()
        if i < names.index(other)
    ]


def _summary(found: Sequence[Checked]) -> str:
    words = [_word(one.truth) for one in found]
    counts = [f"{words.count(word)} {word}" for word in ("true", "false", "vacuous") if word in words]
    n = len(conflict_lines(found))
    return f"{len(found)} statements: {', '.join(counts)}; {n or 'no'} {'conflict' if n == 1 else 'conflicts'}"


def _word(truth: Truth) -> str:
    return "vacuous" if truth.vacuous else "true" if truth.value else "false"


def _verdict(one: Checked) -> Text:
    word = _word(one.truth)
    return _text(word + (", in conflict" if one.conflicts else ""), "bold red" if one.conflicts else _STYLES[word])


def _number(truth: Truth | None) -> str:
    return "" if truth is None else "–" if truth.probability is None else f"{truth.probability:.4f}"


def _text(line: str, style: str = "") -> Text:
    """Return a line as literal text: no markup, no terminal escapes."""
    from rich.text import Text

    return Text(plain(line), style=style)

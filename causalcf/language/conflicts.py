"""Statements checked against a label model and against each other, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..errors import StatementError
from ..io.text import plain
from .modals import EPS, MODALS, Interval
from .statement import Statement, Truth

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ..labels import LabelSCM

_STYLES = {"true": "green", "false": "yellow", "vacuous": "bold yellow"}


@dataclass(frozen=True)
class Checked:
    """Statement with its truth, the truth of its `about_change()` if any, and its conflicts by name."""

    name: str
    statement: Statement
    truth: Truth
    change: Truth | None
    conflicts: dict[str, str]


def conflicts(statements: Sequence[Statement], eps: float = EPS) -> list[tuple[int, int, str]]:
    """Return (i, j, reason) with i < j for statements that no probability can satisfy together."""
    asked = [_asked(statement, eps) for statement in statements]
    found = []
    for (i, (what, one)), (j, (what_too, other)) in combinations(enumerate(asked), 2):
        if what == what_too and not one.meets(other):
            modals = [MODALS[statements[k].modal].said for k in (i, j)]
            reason = f"{modals[0]!r} asks for a probability {one}, {modals[1]!r} for one {other}"
            turned = " (both of the same value)" if statements[i].consequent != statements[j].consequent else ""
            found.append((i, j, reason + turned))
    return found


def refuse_unsettable(statements: Mapping[str, Statement], settable: Sequence[str] | None) -> None:
    """Raise StatementError for a statement that a generator with these labels alone cannot be told; None: any can."""
    for name, statement in statements.items() if settable is not None else ():
        for label in statement.antecedent:
            if label not in (settable or ()):
                raise StatementError(
                    f"{name}: {label} cannot be set: the generator is given {', '.join(settable or ())} alone"
                )
        if statement.mode == "observe":
            raise StatementError(f"{name}: a generator that is given some labels alone is told by mode do, not observe")


def refuse_conflicts(statements: Mapping[str, Statement], where: str) -> None:
    """Check that no two statements conflict; `where` names their file in the error."""
    names = list(statements)
    for i, j, reason in conflicts(list(statements.values())):
        raise StatementError(f"{where}: {names[i]} and {names[j]} conflict: {reason}")


def check_statements(
    statements: Mapping[str, Statement] | Sequence[Statement], scm: LabelSCM, stickiness: float = 1.0, eps: float = EPS
) -> list[Checked]:
    """Return the truth and conflicts of each statement under a label model, in order."""
    numbered = statements if isinstance(statements, Mapping) else enumerate(statements, 1)
    named = {str(name): statement for name, statement in dict(numbered).items()}
    names = list(named)
    clashes: dict[str, dict[str, str]] = {name: {} for name in names}
    for i, j, reason in conflicts(list(named.values()), eps):
        clashes[names[i]][names[j]] = clashes[names[j]][names[i]] = reason
    found = []
    for name, statement in named.items():
        try:
            statement.check(scm.graph.nodes)
        except StatementError as error:
            raise StatementError(f"{name}: {error}") from None
        try:
            changed = statement.about_change()
        except StatementError:  # of several conditions at once
            changed = statement
        change = None if changed is statement else changed.truth(scm, stickiness, eps)
        found.append(Checked(name, statement, statement.truth(scm, stickiness, eps), change, clashes[name]))
    return found


def _asked(statement: Statement, eps: float) -> tuple[tuple[object, ...], Interval]:
    """Return the statement's key (conditions and mode) and the interval that its modal allows."""
    consequent, interval = statement.consequent, MODALS[statement.modal].interval(eps)
    if list(consequent.values()) == [0]:  # one condition is spoken of by its value 1
        consequent, interval = dict.fromkeys(consequent, 1), interval.of_the_opposite()
    sets = (frozenset(part.items()) for part in (statement.given, statement.antecedent, consequent))
    return (*sets, statement.mode), interval


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
        word, style = _word(one.truth), _STYLES[_word(one.truth)]
        verdict = _text(f"{word}, in conflict", "bold red") if one.conflicts else _text(word, style)
        table.add_row(said, _number(one.truth), _number(one.change), asked, verdict)
    console.print(table)
    for one in found:
        if one.truth.vacuous:
            console.print(_text(f"{one.name} is vacuous: {one.truth.reason}"))
    clashes = conflict_lines(found)
    for line in clashes:
        console.print(_text(line, "bold red"))
    words = [_word(one.truth) for one in found]
    counts = [f"{words.count(word)} {word}" for word in _STYLES if word in words]
    n = len(clashes)
    conflicting = f"{n or 'no'} {'conflict' if n == 1 else 'conflicts'}"
    console.print(_text(f"{len(found)} statements: {', '.join(counts)}; {conflicting}"))


def conflict_lines(found: Sequence[Checked]) -> list[str]:
    """Return one line per conflicting pair of statements."""
    pairs = combinations(found, 2)
    return [f"{a.name} and {b.name} conflict: {a.conflicts[b.name]}" for a, b in pairs if b.name in a.conflicts]


def _word(truth: Truth) -> str:
    return "vacuous" if truth.vacuous else "true" if truth.value else "false"


def _number(truth: Truth | None) -> str:
    return "" if truth is None else "–" if truth.probability is None else f"{truth.probability:.4f}"


def _text(line: str, style: str = "") -> Text:
    """Return a line as literal text: no markup, no terminal escapes."""
    from rich.text import Text

    return Text(plain(line), style=style)

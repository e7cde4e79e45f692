"""Check statements before they are used in training: truth, vacuity, and conflicts between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ..errors import StatementError
from .modals import EPS, MODALS, Interval
from .statement import Statement, Truth

if TYPE_CHECKING:
    from ..labels import LabelSCM


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


def refuse_conflicts(statements: Mapping[str, Statement], where: str) -> None:
    """Check that no two statements conflict; `where` names their file in the error."""
    names = list(statements)
    for i, j, reason in conflicts(list(statements.values())):
        raise StatementError(f"{where}: {names[i]} and {names[j]} conflict: {reason}")


def check_statements(
    statements: Mapping[str, Statement] | Sequence[Statement],
    scm: LabelSCM,
    stickiness: float = 1.0,
    eps: float = EPS,
) -> list[Checked]:
    """Return the truth and conflicts of each statement under a label model, in order."""
    named = dict(statements) if isinstance(statements, Mapping) else _numbered(statements)
    names = list(named)
    clashes: dict[str, dict[str, str]] = {name: {} for name in names}
    for i, j, reason in conflicts(list(named.values()), eps):
        clashes[names[i]][names[j]] = clashes[names[j]][names[i]] = reason
    return [_check(name, one, scm, stickiness, eps, clashes[name]) for name, one in named.items()]


def _check(
    name: str, statement: Statement, scm: LabelSCM, stickiness: float, eps: float, clashes: dict[str, str]
) -> Checked:
    try:
        statement.check(scm.graph.nodes)
    except StatementError as error:
        raise StatementError(f"{name}: {error}") from None
    try:
        changed = statement.about_change()
    except StatementError:  # of several conditions at once
        changed = statement
    change = None if changed is statement else changed.truth(scm, stickiness, eps)
    return Checked(name, statement, statement.truth(scm, stickiness, eps), change, clashes)


def _numbered(statements: Sequence[Statement]) -> dict[str, Statement]:
    return {str(number): statement for number, statement in enumerate(statements, 1)}


def _asked(statement: Statement, eps: float) -> tuple[tuple[object, ...], Interval]:
    """Return the statement's key (conditions and mode) and the interval that its modal allows."""
    consequent, interval = statement.consequent, MODALS[statement.modal].interval(eps)
    if list(consequent.values()) == [0]:  # one condition is spoken of by its value 1
        consequent, interval = dict.fromkeys(consequent, 1), interval.of_the_opposite()
    sets = (frozenset(part.items()) for part in (statement.given, statement.antecedent, consequent))
    return (*sets, statement.mode), interval

"""What is to be known of statements before anything is trained by them: truth, vacuity, and conflicts among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from .errors import StatementError
from .statement import Statement
from .statement_modals import EPS, MODALS, Interval
from .statement_truth import Truth

if TYPE_CHECKING:
    from .labels import LabelSCM


@dataclass(frozen=True)
class Checked:
    """A statement, and what a label model and the other statements say of it.

    Args:
        name: of the statement; its position, from 1, where it has none.
        statement: as it was stated.
        truth: under the label model.
        change: the truth of `statement.about_change()`, written out beside the other; None where the statement already
            says how it was before, or where several conditions leave that open.
        conflicts: name of another statement -> why both cannot be true.

    Example:
        >>> from causalcf import CausalGraph, LabelSCM
        >>> graph = CausalGraph({"Male": [], "Bald": ["Male"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Male": 0.4, "Bald": [0.0, 0.1]})
        >>> (checked,) = check_statements({"mine": Statement({}, {"Male": 0}, "would not", {"Bald": 1})}, scm)
        >>> checked.name, checked.truth.probability, checked.conflicts
        ('mine', 0.0, {})
    """

    name: str
    statement: Statement
    truth: Truth
    change: Truth | None
    conflicts: dict[str, str]


def conflicts(statements: Sequence[Statement], eps: float = EPS) -> list[tuple[int, int, str]]:
    """Pairs of statements that no probability satisfies both of, whatever the model.

    They ask the same question (given, antecedent, mode), and speak of the same consequent, or one condition and its
    opposite.

    Args:
        statements: any.
        eps: the tolerance of might and would, in [0, .5).

    Returns:
        (i, j, reason) with i < j, in their order.

    Source: defined here.

    Example:
        >>> one = Statement.parse("If this man were old, he might be bald.")
        >>> conflicts([one, Statement.parse("If this man were old, he would not be bald.")])
        [(0, 1, "'might' asks for a probability above 0.05, 'would not' for one at most 0.05")]
    """
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
    """Refuse statements of which no probability satisfies two.

    Args:
        statements: by name.
        where: they were read from.

    Raises:
        StatementError: names the first two, and says why.
    """
    names = list(statements)
    for i, j, reason in conflicts(list(statements.values())):
        raise StatementError(f"{where}: {names[i]} and {names[j]} conflict: {reason}")


def check_statements(
    statements: Mapping[str, Statement] | Sequence[Statement],
    scm: LabelSCM,
    stickiness: float = 1.0,
    eps: float = EPS,
) -> list[Checked]:
    """Truth and conflicts of statements.

    Args:
        statements: named or not.
        scm: the label model.
        stickiness: probability that a noise is kept, in [0, 1].
        eps: the tolerance of might and would, in [0, .5).

    Returns:
        One `Checked` for each statement, in their order.

    Raises:
        StatementError: a label that the model lacks; names the statement.
        CausalCFError: a stickiness or eps out of range.
        IntractableError: the model is too large.

    Source: defined here.

    Example:
        >>> from causalcf import CausalGraph, LabelSCM
        >>> graph = CausalGraph({"Male": [], "Bald": ["Male"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Male": 0.4, "Bald": [0.0, 0.1]})
        >>> one, other = (Statement({}, {"Male": 1}, modal, {"Bald": 1}) for modal in ("might", "would not"))
        >>> [(each.name, each.truth.value, list(each.conflicts)) for each in check_statements([one, other], scm)]
        [('1', True, ['2']), ('2', False, ['1'])]
    """
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
    """What a statement speaks of, and the probabilities of it that it allows."""
    consequent, interval = statement.consequent, MODALS[statement.modal].interval(eps)
    if list(consequent.values()) == [0]:  # one condition is spoken of by its value 1
        consequent, interval = dict.fromkeys(consequent, 1), interval.of_the_opposite()
    sets = (frozenset(part.items()) for part in (statement.given, statement.antecedent, consequent))
    return (*sets, statement.mode), interval

"""Counterfactual statements as data: given conditions, antecedent, modal, consequent, mode; their exact truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..checks import check
from ..errors import ImpossibleWorldError, QueryError, StatementError, unknown
from .modals import EPS, MODALS
from .query import Query, zeros_and_ones
from .statement_parsing import read_statement
from .wording import describe, infinitive, predicate, pronoun, this_one

if TYPE_CHECKING:
    from ..labels import LabelSCM


_ROUNDING = 1e-12  # closer to 0 or 1 than this is certain: what sums of float64 leave of an exact 0 or 1


@dataclass(frozen=True)
class Truth:
    """Truth of a statement; value and q are None where it is vacuous (a condition is impossible)."""

    value: bool | None
    probability: float | None
    threshold: float
    vacuous: bool
    reason: str

    def __bool__(self) -> bool:
        return self.value is True


@dataclass(frozen=True)
class Statement:
    """Counterfactual statement about a face.

    A statement covers everyone who satisfies `given`. "If this young man were old he might be bald" does not say
    whether he is bald now, so young men who are bald already count. For the change only, write "might turn bald" or
    call `about_change()`. Both also condition on the negation of the consequent, and the printed statement shows this:
    "this young man (who is not bald)". No condition is added without being shown.

    Args:
        given: attribute -> 0 or 1, the known labels of the actual face; empty for any face.
        antecedent: attribute -> 0 or 1, the counterfactual condition on the same face; at least one.
        modal: "might", "would", "probably", "likely", or one of these with " not".
        consequent: attribute -> 0 or 1, the conditions that the modal is about, taken jointly; at least one.
        mode: "do" if the antecedent is set by intervention, or "observe" if it is observed.

    Raises:
        StatementError: the antecedent or the consequent is empty, a value is not 0 or 1, or the modal or mode is
            unknown.

    Source: defined here; "might" and "would" as duals, Lewis (1973), Counterfactuals; the two modes as in Lucas and
    Kemp (2015).

    Examples:
        >>> statement = Statement.parse("if this young man were old he might be bald")
        >>> statement.given, statement.antecedent, statement.modal, statement.consequent, statement.mode
        ({'Young': 1, 'Male': 1}, {'Young': 0}, 'might', {'Bald': 1}, 'do')
        >>> print(statement.about_change())
        If this young man (who is not bald) were old, he might be bald.
    """

    given: dict[str, int]
    antecedent: dict[str, int]
    modal: str
    consequent: dict[str, int]
    mode: str = "do"

    def __post_init__(self) -> None:
        if not self.consequent:
            raise StatementError("the consequent is empty; say what might or would be so")
        try:
            asked = Query(self.given, self.antecedent, self.mode)
            consequent = zeros_and_ones("consequent", self.consequent)
        except QueryError as error:
            raise StatementError(str(error).split("; ask for example")[0]) from None
        object.__setattr__(self, "given", asked.given)
        object.__setattr__(self, "antecedent", asked.antecedent)
        object.__setattr__(self, "consequent", consequent)
        if self.modal not in tuple(MODALS):  # which may be no text
            raise StatementError(unknown("modal", str(self.modal), MODALS))

    @classmethod
    def parse(cls, text: str, attributes: Iterable[str] = ()) -> Statement:
        """Parse an English sentence into a statement.

        The form is "If <someone> <predicate>, <pronoun> <modal> <predicate>". "Given <someone>," may come before it,
        and the two halves may be swapped. "If we saw that ..." makes the antecedent an observation. The modals are
        might, would, would probably and would likely, each with or without "not". "(who is not bald)" after the subject
        adds a condition on the actual face. A consequent that begins with become, turn, go, grow or lose describes a
        change: its negation is added to `given`.

        Conditions are parsed as in `Query.parse`. If "not" after a modal precedes several conditions, the sentence
        needs "both" ("would not both be bald and smile") or "or" ("would not be bald or smile", which means neither).
        Otherwise the sentence is ambiguous and raises an error.

        Args:
            text: at most 2,000 characters.
            attributes: attribute names beyond CelebA's that the text may use, as for `Query.parse`.

        Raises:
            StatementError: the text is not understood (the error shows the words and the nearest known phrases), is
                ambiguous, or contradicts itself.

        Examples:
            >>> Statement.parse("This man would probably not wear lipstick if he were young").modal
            'probably not'
        """
        parts, change = read_statement(text, attributes)
        statement = cls(**parts)
        return statement.about_change() if change else statement

    def __str__(self) -> str:
        """Return the statement in English; for CelebA's attributes, `parse` inverts it."""
        seen, modal = "we saw that " if self.mode == "observe" else "", MODALS[self.modal]
        both = "both " if modal.negative and len(self.consequent) > 1 else ""
        said = f"{pronoun(self.given)} {modal.said} {both}{infinitive(self.consequent)}"
        return f"If {seen}{this_one(self.given)} {predicate(self.antecedent)}, {said}."

    @property
    def query(self) -> Query:
        """Query with the given conditions, antecedent and mode of the statement, without its consequent."""
        return Query(self.given, self.antecedent, self.mode)

    def about_change(self) -> Statement:
        """Return the statement restricted to faces whose consequent does not hold yet.

        The negation of the consequent is added to `given`. If `given` already decides whether the consequent holds, the
        statement is returned unchanged.

        Raises:
            StatementError: `given` leaves several conditions of the consequent open, so their negation is not one
                condition.
        """
        if any(self.given.get(name, value) != value for name, value in self.consequent.items()):
            return self
        unsaid = {name: 1 - value for name, value in self.consequent.items() if name not in self.given}
        if len(unsaid) > 1:
            said = f"{', '.join(unsaid)} together: give what is known of each"
            raise StatementError(f"what does not hold yet is not clear from {said}")
        return replace(self, given={**self.given, **unsaid}) if unsaid else self

    def check(self, nodes: Sequence[str], where: str = "the graph") -> None:
        """Check that a graph has all attributes of the statement.

        Raises:
            StatementError: an attribute is missing. The error names it, the nearest in the graph, and all nodes of the
                graph.
        """
        for name in (*self.given, *self.antecedent, *self.consequent):
            if name not in nodes:
                raise StatementError(f"{where} has no such label: " + unknown("attribute", name, nodes))

    def truth(self, scm: LabelSCM, stickiness: float = 1.0, eps: float = EPS) -> Truth:
        """Return the exact truth of the statement under a label model.

        Each modal compares q = P(consequent* | given, antecedent) with a threshold. "would" holds if q >= 1 - eps,
        "might" if q > eps, "probably" if q > 0.5, and "likely" if q > 0.7. A modal with "not" applies the same test to
        1 - q. The truth is vacuous if P(given) or P(antecedent) is zero, or if given and antecedent cannot be observed
        together.

        Examples:
            >>> from causalcf.data.faces.units import celeba_scm
            >>> statement = Statement.parse("If this young man (who is not bald) were old, he might be bald.")
            >>> told = statement.truth(celeba_scm())
            >>> told.value, round(told.probability, 4)
            (True, 0.095)
        """
        check(hasattr(scm, "counterfactual_probability"), "scm", scm, "a LabelSCM")
        self.check(scm.graph.nodes)
        modal, given, antecedent = MODALS[self.modal], self.given, self.antecedent
        interval = modal.interval(eps)
        for values in (given, antecedent):
            if values and scm.probability(values) == 0:
                return Truth(None, None, interval.threshold, True, f"nobody is {describe(values)}")
        try:
            q = scm.counterfactual_probability(self.consequent, given, **{self.mode: antecedent}, stickiness=stickiness)
        except ImpossibleWorldError:
            reason = f"{describe(given)} cannot turn out to be {describe(antecedent)} at stickiness {stickiness:g}"
            return Truth(None, None, interval.threshold, True, reason)
        bounds = [0.0, 1.0, interval.low, interval.high]
        q = next((bound for bound in bounds if abs(q - bound) <= _ROUNDING), q)
        value = q in interval
        reason = f"{modal.said!r} asks for a probability {interval}; {q:.4f} is {'' if value else 'not '}so"
        return Truth(value, q, interval.threshold, False, reason)

"""Counterfactual statements as data: who is given, what is supposed of them, and what then might or would be so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .errors import QueryError, StatementError, unknown
from .statement_language import read_statement, say_statement
from .statement_modals import EPS, MODALS
from .worlds.query import Query, zeros_and_ones

if TYPE_CHECKING:
    from .labels import LabelSCM
    from .statement_truth import Truth


@dataclass(frozen=True)
class Statement:
    """A counterfactual statement.

    It speaks of everyone who is as given. "If this young man were old he might be bald" does not say whether he is bald
    now, so young men who are bald already count; whoever means the change, "might turn bald", says so, or asks for
    `about_change()`, which conditions on the consequent's negation too and prints it: "this young man (who is not
    bald)". Nothing is added silently.

    Args:
        given: attribute -> 0 or 1, what is known of the actual face; empty for any face.
        antecedent: attribute -> 0 or 1, what is supposed of the same face; at least one.
        modal: "might", "would", "probably", "likely", or one of these with " not".
        consequent: attribute -> 0 or 1, what the modal is about, all together; at least one.
        mode: "do", the antecedent is set by intervention, or "observe", it is found to be so.

    Raises:
        StatementError: nothing supposed or nothing said of it, a value other than 0 and 1, an unknown modal or mode.

    Source: defined here; "might" and "would" as duals, Lewis (1973), Counterfactuals; the two modes as in Lucas and
    Kemp (2015).

    Example:
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
        """The statement that an English sentence makes.

        "If <someone> <predicate>, <pronoun> <modal> <predicate>", with "Given <someone>," before it or not, or the two
        halves the other way round; "if we saw that ..." makes the antecedent an observation. Modals are might, would,
        would probably and would likely, each with "not" or without. "(who is not bald)" after the subject tells more of
        the actual face. A consequent that begins with become, turn, go, grow or lose speaks of the change: its negation
        is given.

        Conditions are read as `causalcf.language.read` tells. A modal's "not" before several conditions takes "both"
        ("would not both be bald and smile") or "or" ("would not be bald or smile": neither); else it could mean two
        things, and is refused.

        Args:
            text: at most 2,000 characters.
            attributes: names that may be said beside CelebA's, as for `Query.parse`.

        Raises:
            StatementError: shows what was not understood and the nearest that is, or says what cannot be meant.

        Example:
            >>> Statement.parse("This man would probably not wear lipstick if he were young").modal
            'probably not'
        """
        parts, change = read_statement(text, attributes)
        statement = cls(**parts)
        return statement.about_change() if change else statement

    def __str__(self) -> str:
        """The statement in English; parsing it gives the statement back, for CelebA's attributes."""
        return say_statement(self)

    @property
    def query(self) -> Query:
        """The statement's question, without its answer."""
        return Query(self.given, self.antecedent, self.mode)

    def about_change(self) -> Statement:
        """The statement about those of whom the consequent does not hold yet: its negation is among the given.

        Where `given` already settles whether the consequent holds, the statement itself.

        Raises:
            StatementError: the consequent has several conditions that are open, whose negation is not one condition.
        """
        if any(self.given.get(name, value) != value for name, value in self.consequent.items()):
            return self
        unsaid = {name: 1 - value for name, value in self.consequent.items() if name not in self.given}
        if len(unsaid) > 1:
            raise StatementError(
                f"what does not hold yet is not clear from {', '.join(unsaid)} together: give what is known of each"
            )
        return replace(self, given={**self.given, **unsaid}) if unsaid else self

    def check(self, nodes: Sequence[str], where: str = "the graph") -> None:
        """Refuse attributes that a graph lacks.

        Raises:
            StatementError: names the attribute, the nearest in the graph, and all that the graph has.
        """
        for name in (*self.given, *self.antecedent, *self.consequent):
            if name not in nodes:
                raise StatementError(f"{where} has no such label: " + unknown("attribute", name, nodes))

    def truth(self, scm: LabelSCM, stickiness: float = 1.0, eps: float = EPS) -> Truth:
        """Whether it is true under a label model; see `causalcf.statement_truth.truth`.

        Example:
            >>> from causalcf.data.law import celeba_law
            >>> statement = Statement.parse("If this young man (who is not bald) were old, he might be bald.")
            >>> told = statement.truth(celeba_law())
            >>> told.value, round(told.probability, 4)
            (True, 0.095)
        """
        from .statement_truth import truth

        return truth(self, scm, stickiness, eps)

"""Whether a statement is true under a label model: an exact probability, held against what its modal asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .arguments import check
from .errors import ImpossibleWorldError
from .language import describe
from .statement_modals import EPS, MODALS

if TYPE_CHECKING:
    from .labels import LabelSCM
    from .statement import Statement

_ROUNDING = 1e-12  # closer to 0 or 1 than this is certain: what sums of float64 leave of an exact 0 or 1


@dataclass(frozen=True)
class Truth:
    """What a label model says of a statement.

    Args:
        value: whether it is true; None where it is vacuous.
        probability: q = P(consequent* | given, antecedent), in [0, 1]; None where it is vacuous.
        threshold: what q is compared with.
        vacuous: nobody is as given or as supposed, so that there is nothing to say.
        reason: why, in words.

    Example:
        >>> from causalcf import CausalGraph, LabelSCM, Statement
        >>> graph = CausalGraph({"Male": [], "Bald": ["Male"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Male": 0.4, "Bald": [0.0, 0.1]})
        >>> told = Statement({"Male": 0}, {"Male": 1}, "might", {"Bald": 1}).truth(scm)
        >>> told.value, round(told.probability, 4), told.threshold, bool(told)
        (True, 0.1, 0.05, True)
    """

    value: bool | None
    probability: float | None
    threshold: float
    vacuous: bool
    reason: str

    def __bool__(self) -> bool:
        return self.value is True


def truth(statement: Statement, scm: LabelSCM, stickiness: float = 1.0, eps: float = EPS) -> Truth:
    """Whether a statement is true under a label model, exactly.

    With q = P(consequent* | given, antecedent) under the extended structural model and one tolerance eps:

        would B: q >= 1 - eps     would not B: q <= eps     might B: q > eps     might not B: q < 1 - eps
        probably B: q > .5        probably not B: q < .5    likely B: q > .7     likely not B: q < .3

    so that might(A, B) = not would(A, not B), and would implies might.

    Args:
        statement: over the model's labels.
        scm: the label model.
        stickiness: probability that a noise is kept, in [0, 1].
        eps: the tolerance of might and would, in [0, .5).

    Returns:
        Its truth; vacuous where P(given) or P(antecedent) is zero, or where the antecedent cannot be observed beside
        what is given.

    Raises:
        StatementError: a label that the model lacks, or another eps.
        CausalCFError: a stickiness outside [0, 1].
        IntractableError: the model is too large.

    Source: duality of might and would, Lewis (1973), Counterfactuals; the probability, Lucas and Kemp (2015); the
    tolerance is defined here.
    """
    check(hasattr(scm, "counterfactual_probability"), "scm", scm, "a LabelSCM")
    statement.check(scm.graph.nodes)
    modal = MODALS[statement.modal]
    interval = modal.interval(eps)
    given, antecedent = statement.given, statement.antecedent
    for values in (given, antecedent):
        if values and scm.probability(values) == 0:
            return Truth(None, None, interval.threshold, True, f"nobody is {describe(values)}")
    try:
        q = scm.counterfactual_probability(
            statement.consequent, given, **{statement.mode: antecedent}, stickiness=stickiness
        )
    except ImpossibleWorldError:
        reason = f"{describe(given)} cannot turn out to be {describe(antecedent)} at stickiness {stickiness:g}"
        return Truth(None, None, interval.threshold, True, reason)
    q = _settled(q)
    value = q in interval
    reason = f"{modal.said!r} asks for a probability {interval}; {q:.4f} is {'' if value else 'not '}so"
    return Truth(value, q, interval.threshold, False, reason)


def _settled(q: float) -> float:
    return float(round(q)) if min(abs(q), abs(1 - q)) <= _ROUNDING else q

"""What the label model alone says to a question: exact probabilities, without any image."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .labels import LabelSCM
from .worlds.query import Query


@dataclass(frozen=True)
class Exact:
    """P(label = 1) by the label model.

    Args:
        before: in the actual world, given the condition.
        after: in the counterfactual world, given condition and antecedent jointly.
    """

    before: float
    after: float


@dataclass(frozen=True)
class LabelAnswer:
    """The label model's answer.

    Args:
        reachable: probability that the antecedent comes about: 1 under do; under observe, that of the counterfactual
            world showing it, before it is conditioned to.
        base_rate: P(antecedent | given) in the actual world.
        exact: label -> Exact.
    """

    reachable: float
    base_rate: float
    exact: dict[str, Exact]


def answer_labels(scm: LabelSCM, query: Query, stickiness: float) -> LabelAnswer:
    """The exact answer to a question.

    Args:
        scm: the label model.
        query: over the model's labels.
        stickiness: in [0, 1].

    Raises:
        ImpossibleWorldError: nobody is as given, or the antecedent cannot come about.
        IntractableError: the model is too large.

    Source: Lucas and Kemp (2015).

    Example:
        >>> from causalcf.graph import CausalGraph
        >>> graph = CausalGraph({"Male": [], "Mustache": ["Male"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Male": 0.5, "Mustache": [0.0, 0.25]})
        >>> told = answer_labels(scm, Query({"Male": 1}, {"Mustache": 1}), 1.0)
        >>> round(told.base_rate, 6), round(told.exact["Mustache"].before, 6), told.exact["Mustache"].after
        (0.25, 0.25, 1.0)
    """
    given, antecedent = query.given, {query.mode: query.antecedent}
    base_rate = scm.probability(query.antecedent, given=given)
    reachable = 1.0
    if query.mode == "observe":
        reachable = scm.counterfactual_probability(query.antecedent, given, stickiness=stickiness)
    exact = {}
    for name in scm.graph.nodes:
        after = scm.counterfactual_probability({name: 1}, given, **antecedent, stickiness=stickiness)
        exact[name] = Exact(scm.probability({name: 1}, given=given), after)
    return LabelAnswer(reachable, base_rate, exact)


def expect_labels(scm: LabelSCM, labels: Tensor, query: Query, stickiness: float) -> dict[str, float]:
    """P(label* = 1) on average over units whose labels are all known: what their draws will show in the long run.

    Under do it is an estimate of `Exact.after`. Under observe it is not: to condition jointly is also to learn who, of
    those given, is likelier to be found so; here each unit stands for itself.

    Args:
        scm: the label model.
        labels: (n, d) 0/1.
        query, stickiness: as in `answer_labels`.
    """
    antecedent = {query.mode: query.antecedent}
    return {
        name: float(scm.counterfactual_probabilities({name: 1}, labels, **antecedent, stickiness=stickiness).mean())
        for name in scm.graph.nodes
    }

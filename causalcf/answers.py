"""The answer to a question: what the label model says exactly, and what is seen in counterfactual images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .arguments import check, check_count, is_share
from .errors import IntractableError
from .evaluation.effectiveness import Rate
from .label_answers import LabelAnswer, answer_labels, expect_labels
from .labels import LabelSCM
from .labels.randomness import fresh
from .recipe import STICKINESS
from .worlds.counterfactual import IMAGE
from .worlds.query import Query

if TYPE_CHECKING:
    from .worlds.run import Run

SEEN = 0.5  # the judge's probability above which a label counts as seen


@dataclass(frozen=True)
class Seen:
    """One label as judged in the images of n independent faces and of one counterfactual draw of each.

    Args:
        before, after: how many show it.
        gained, lost: in how many it came and went.
    """

    before: Rate
    after: Rate
    gained: int
    lost: int


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    Args:
        query: as asked, its mode included.
        stickiness, noise_stickiness: of the labels' noise, and of the images'.
        label_answer: the exact answer; None without a label model, or where it is too large.
        note: why there is no exact answer, or "".
        expected: label -> P(label* = 1) averaged over the faces sampled, exact; None where there is no exact answer.
        reachable: as in `LabelAnswer`; without a label model, estimated from the noise draws; None where unknown.
        seen: label -> Seen.
        judge: "classifier", from outside, or "labeler", the run's own, which its generator was trained to satisfy.
        actual, drawn: (n, 3, h, w) and (n, m, 3, h, w) images.
        labels, drawn_labels: (n, d) and (n, m, d) int8, as judged.
    """

    query: Query
    stickiness: float
    noise_stickiness: float
    label_answer: LabelAnswer | None
    note: str
    expected: dict[str, float] | None
    reachable: float | None
    seen: dict[str, Seen]
    judge: str
    actual: Tensor
    drawn: Tensor
    labels: Tensor
    drawn_labels: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, in the order of their columns."""
        return tuple(self.seen)


def answer(
    run: Run,
    query: Query,
    faces: int = 100,
    draws: int = 4,
    stickiness: float | None = None,
    noise_stickiness: float | None = None,
    generator: torch.Generator | None = None,
    budget: int = 20_000,
    on_face: Callable[[int], None] = lambda n: None,
) -> Answer:
    """Asks a run: samples actual faces as given, draws their counterfactuals, and judges the images of both.

    Where a label model keeps all its noise (stickiness 1) and the antecedent is observed, it holds of the actual face
    already: the faces are drawn as given with the antecedent, jointly.

    Args:
        run: a loaded run, or anything with its methods.
        query: over labels of the run's graph.
        faces: n actual faces.
        draws: m counterfactual draws of each; the rates count the first, so that their units are independent.
        stickiness: in [0, 1]; where None, 1 for do and .53 for observe.
        noise_stickiness: of the image's noise; as `stickiness` where None.
        generator: the source of randomness, on the CPU; a new one is seeded by the operating system where None.
        budget: noises that a run without labels may look at for each face, to find it and again to change it.
        on_face: of a run without labels, called with how many more faces are found as given, and with 1 after each
            whose counterfactuals are drawn.

    Raises:
        QueryError: a label that the graph lacks.
        ImpossibleWorldError: nobody is as given, or the antecedent cannot come about.
        UnreachedError: a run without labels does not show what is given or the antecedent within the budget.
        CausalCFError: a number out of range.

    Source: defined here; the exact part as in Lucas and Kemp (2015).

    Example:
        >>> run, question = load_run("runs/latest"), Query({"Male": 0}, {"Mustache": 1})    # doctest: +SKIP
        >>> found = answer(run, question, faces=4, draws=2)                                # doctest: +SKIP
        >>> tuple(found.drawn.shape), found.seen["Mustache"].after.n                       # doctest: +SKIP
        ((4, 2, 3, 64, 64), 4)
    """
    check(isinstance(query, Query), "query", query, "a Query, as Query.parse gives it")
    query.check(run.graph.nodes, "the run's graph")
    sticky = STICKINESS[query.mode] if stickiness is None else stickiness
    noise_sticky = sticky if noise_stickiness is None else noise_stickiness
    check_numbers(faces, draws, sticky, noise_sticky)
    generator = fresh(generator)
    exact, note = _exact(run.labels, query, sticky)  # before any image: what is impossible says so at once
    known = _known(query, sticky) if run.labels is not None else query.given
    worlds = run.sample(faces, given=known, generator=generator, budget=budget * faces, on_world=on_face)
    drawn = run.counterfactual(
        worlds,
        do=query.antecedent if query.mode == "do" else None,
        observe=query.antecedent if query.mode == "observe" else None,
        stickiness=sticky,
        draws=draws,
        generator=generator,
        noise_stickiness=noise_sticky,
        budget=budget,
        on_unit=on_face,
    )
    before = (run.judge(worlds.images) > SEEN).to(torch.int8)
    after = (run.judge(drawn.images.flatten(0, 1)) > SEEN).to(torch.int8).reshape(faces, draws, -1)
    expected = expect_labels(run.labels, worlds.labels, query, sticky) if run.labels is not None and exact else None
    reachable = exact.reachable if exact else _reached(query.mode, drawn.diagnostics)
    seen = _seen(run.graph.nodes, before, after[:, 0])
    judge = "labeler" if run.observer is None else "classifier"
    images = worlds.images, drawn.images
    return Answer(query, sticky, noise_sticky, exact, note, expected, reachable, seen, judge, *images, before, after)


def _known(query: Query, stickiness: float) -> dict[str, int]:
    """What the label model knows of the actual faces; an antecedent that contradicts what is given is not made up."""
    if query.mode == "observe" and stickiness == 1:
        return {**query.antecedent, **query.given}
    return query.given


def check_numbers(faces: int, draws: int, stickiness: float, noise_stickiness: float) -> None:
    """Refuse numbers out of range.

    Raises:
        CausalCFError: names the number and its range.
    """
    check_count("faces", faces, each=IMAGE)
    check_count("draws", draws, each=faces * IMAGE)
    for name, share in (("stickiness", stickiness), ("noise_stickiness", noise_stickiness)):
        check(is_share(share), name, share, "a number in [0, 1]")


def _exact(scm: LabelSCM | None, query: Query, stickiness: float) -> tuple[LabelAnswer | None, str]:
    if scm is None:
        return None, "the run has no label model"
    try:
        return answer_labels(scm, query, stickiness), ""
    except IntractableError as error:
        return None, str(error)


def _reached(mode: str, diagnostics: Sequence[Any] | None) -> float | None:
    """The probability of the antecedent among each face's noise draws, averaged over faces; 1 where it was set."""
    if mode == "do":
        return 1.0
    found = [one.acceptance if one.probability is None else one.probability for one in diagnostics or ()]
    return sum(found) / len(found) if found else None


def _seen(names: Sequence[str], before: Tensor, after: Tensor) -> dict[str, Seen]:
    n, seen = len(before), {}
    for name, was, then in zip(names, before.bool().unbind(1), after.bool().unbind(1), strict=True):
        rates = Rate(int(was.sum()), n), Rate(int(then.sum()), n)
        seen[name] = Seen(*rates, int((~was & then).sum()), int((was & ~then).sum()))
    return seen

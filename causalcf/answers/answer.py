"""Answer a question: the label model's exact probabilities, and the labels of counterfactual images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import check, check_count, is_share
from ..errors import IntractableError
from ..labels import LabelSCM
from ..language.query import Query
from ..randomness import fresh
from ..runs.counterfactual import IMAGE
from ..runs.recipe import STICKINESS
from ..runs.run import Run
from ..statistics.rates import Rate

DRAWS = 10_000  # of the label model, where it is too large for exact answers
SEEN = 0.5  # the judge's probability above which a label counts as seen
GIVEN_TOO = "the faces are drawn given the antecedent, too: with all noise kept, it holds already"


@dataclass(frozen=True)
class Exact:
    """P(label = 1): before, in the actual world, and after, in the counterfactual world."""

    before: float
    after: float


@dataclass(frozen=True)
class LabelAnswer:
    """Exact answer of the label model; `reachable` is P(antecedent*) before conditioning, 1 under do."""

    reachable: float
    base_rate: float
    exact: dict[str, Exact]


def answer_labels(scm: LabelSCM, query: Query, stickiness: float) -> LabelAnswer:
    """Return the exact answer to a question (Lucas and Kemp 2015)."""
    given, antecedent = query.given, {query.mode: query.antecedent}
    base_rate = scm.probability(query.antecedent, given=given)
    reachable = 1.0
    if query.mode == "observe":
        reachable = scm.counterfactual_probability(query.antecedent, given, stickiness=stickiness)
    exact = {}
    for name in reversed(scm.graph.nodes):  # the last first: they have the most ancestors, and may be too large
        after = scm.counterfactual_probability({name: 1}, given, **antecedent, stickiness=stickiness)
        exact[name] = Exact(scm.probability({name: 1}, given=given), after)
    return LabelAnswer(reachable, base_rate, exact)


def sample_labels(
    scm: LabelSCM, query: Query, stickiness: float, generator: torch.Generator
) -> dict[str, tuple[Rate, Rate]]:
    """Return rates that estimate what `answer_labels` would say: each label before and after."""
    before = scm.sample(DRAWS, given=query.given, generator=generator)
    antecedent = {query.mode: query.antecedent}
    after = scm.counterfactual(query.given, **antecedent, stickiness=stickiness, draws=DRAWS, generator=generator)[0]
    hits = zip(scm.graph.nodes, before.sum(0).tolist(), after.sum(0).tolist(), strict=True)
    return {name: (Rate(was, DRAWS), Rate(then, DRAWS)) for name, was, then in hits}


def expect_labels(scm: LabelSCM, labels: Tensor, query: Query, stickiness: float) -> dict[str, float]:
    """Return P(label* = 1) averaged over units with known labels (n, d); estimates `Exact.after` under do."""
    antecedent = {query.mode: query.antecedent}
    return {
        name: float(scm.counterfactual_probabilities({name: 1}, labels, **antecedent, stickiness=stickiness).mean())
        for name in scm.graph.nodes
    }


@dataclass(frozen=True)
class Seen:
    """Label rates in the images of n faces and of one draw each; how often it was gained and lost."""

    before: Rate
    after: Rate
    gained: int
    lost: int

    @property
    def flips(self) -> int:
        return self.gained + self.lost


@dataclass(frozen=True)
class Answer:
    """Answer to a query: exact or sampled probabilities, classified labels, the images of n faces and m draws."""

    query: Query
    stickiness: float
    noise_stickiness: float
    label_answer: LabelAnswer | None
    note: str
    sampled: dict[str, tuple[Rate, Rate]] | None
    expected: dict[str, float] | None
    reachable: float | None
    seen: dict[str, Seen]
    judge: str
    caveat: str
    actual: Tensor
    drawn: Tensor
    labels: Tensor
    drawn_labels: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in column order."""
        return tuple(self.seen)


def owner_of_labels(run: Run) -> str:
    """Return what has the labels that a run can be asked about, as an error names it."""
    given = f"the generator, which is given {', '.join(run.graph.nodes)} alone,"
    return given if run.recipe.partial else "the run's graph"


def name_of_judge(run: Run) -> str:
    """Return what reads labels from a run's images."""
    return "labeler" if run.antecedent_classifier is None else "classifier"


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
    """Answer a query with a run: sample actual faces, draw their counterfactuals, and classify the images of both.

    If the label model is too large for an exact answer, it is estimated from 10,000 draws of the labels.

    With a label model, stickiness 1 and mode observe, the antecedent already holds for the actual face. The faces are
    then sampled given the conditions and the antecedent jointly.

    Args:
        run: a loaded run, or any object with the same methods.
        query: a query over labels of the run's graph.
        faces: n, the number of actual faces.
        draws: m, the number of counterfactual draws for each face. The rates count only the first draw of each face, so
            that their units are independent.
        stickiness: stickiness of the label noise, in [0, 1]. None means 1 for do and 0.53 for observe.
        noise_stickiness: stickiness of the image noise, in [0, 1]. None means the same as `stickiness`.
        generator: the source of randomness, on the CPU. None means a new one, seeded by the operating system.
        budget: for a run without labels, the maximum number of noise vectors to try for each face. It applies to the
            search for the face, and again to the search for its counterfactuals.
        on_face: progress callback of a run without labels. It is called with the number of faces newly found to match
            the given conditions, and with 1 after the counterfactuals of each face are drawn.

    Raises:
        QueryError: the graph lacks a label of the query.
        ImpossibleWorldError: the given conditions have probability zero, or the antecedent cannot occur.
        UnreachedError: a run without labels does not show the given conditions or the antecedent within the budget.
        CausalCFError: a number is out of range.

    Source: defined here; the exact part as in Lucas and Kemp (2015).

    Examples:
        >>> run, question = load_run("runs/latest"), Query({"Male": 0}, {"Mustache": 1})    # doctest: +SKIP
        >>> found = answer(run, question, faces=4, draws=2)                                # doctest: +SKIP
        >>> tuple(found.drawn.shape), found.seen["Mustache"].after.n                       # doctest: +SKIP
        ((4, 2, 3, 64, 64), 4)
    """
    check(isinstance(query, Query), "query", query, "a Query, as Query.parse gives it")
    query.check(run.graph.nodes, owner_of_labels(run))
    sticky = STICKINESS[query.mode] if stickiness is None else stickiness
    noise_sticky = sticky if noise_stickiness is None else noise_stickiness
    check_count("faces", faces, each=IMAGE)
    check_count("draws", draws, each=faces * IMAGE)
    for name, share in (("stickiness", sticky), ("noise_stickiness", noise_sticky)):
        check(is_share(share), name, share, "a number in [0, 1]")
    generator = fresh(generator)
    exact, note = _exact(run.labels, query, sticky)  # before any image: what is impossible says so at once
    known = query.given
    if run.labels is not None and query.mode == "observe" and sticky == 1:
        known = {**query.antecedent, **query.given}
        note = "; ".join(filter(None, (note, GIVEN_TOO)))
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
    sampled = None
    if run.labels is not None and exact is None:
        with suppress(IntractableError):  # too rare to be drawn so often, though often enough for the faces
            sampled = sample_labels(run.labels, query, sticky, generator)
    expected = expect_labels(run.labels, worlds.labels, query, sticky) if run.labels is not None and exact else None
    reachable = exact.reachable if exact else _reached(query.mode, drawn.diagnostics)
    seen = _seen(run.graph.nodes, before, after[:, 0])
    images = worlds.images, drawn.images
    told = exact, note, sampled, expected, reachable, seen, name_of_judge(run), run.caveat
    return Answer(query, sticky, noise_sticky, *told, *images, before, after)


def _exact(scm: LabelSCM | None, query: Query, stickiness: float) -> tuple[LabelAnswer | None, str]:
    if scm is None:
        return None, "the run has no label model"
    try:
        return answer_labels(scm, query, stickiness), ""
    except IntractableError as error:
        return None, str(error)


def _reached(mode: str, diagnostics: Sequence[Any] | None) -> float | None:
    """Return the antecedent's probability among noise draws, averaged over faces; 1 under do."""
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

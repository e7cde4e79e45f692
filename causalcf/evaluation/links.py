"""Verdict on each causal link: effects, intervals, and the comparison with the causal model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CausalCFError
from ..graph.graph import CausalGraph
from ..language import short
from ..randomness import seed_of
from ..statistics.misclassification import corrected_effects, holm, sign_test
from ..statistics.rates import Interval, Rate, mean_intervals
from .approaches import units_missed
from .flips import Flip, leak
from .session import Session, Settings, too_few
from .suite import ABSENT, EXAGGERATED, LEAKS, NONE, RESPECTED, REVERSED, WEAK, WITHHELD, Link, LinkQuestion

ROUNDING = 1e-12  # a difference of .05 that arithmetic makes .05000000000000003 is still within .05
ZERO = 1e-9  # a reference nearer to 0 is 0: the sum that it is has rounding errors
_FIGURES = (
    *("p_factual", "p_counterfactual", "p_reference", "effect_estimate", "interval", "interval_method", "half_width"),
    *("reference", "link_error", "link_error_interval", "leak", "leak_interval", "p_value", "p_holm", "corrected"),
    *("sentence", "picture"),
)


def verdict(effect: float, interval: tuple[float, float], reference: float, margin: float = 0.05) -> str:
    """Return the verdict on an effect that was measured; `_result` first checks that the judge can be trusted."""
    low, high = interval
    if not all(map(math.isfinite, (effect, low, high, reference, margin))) or low > high:
        raise CausalCFError(f"no verdict on effect {effect}, interval {interval}, reference {reference}")
    near = abs(effect - reference) <= margin + ROUNDING
    if abs(reference) <= ZERO:
        return RESPECTED if near else LEAKS
    large = abs(reference) > margin + ROUNDING
    ours, theirs = (low > 0, high < 0) if reference > 0 else (high < 0, low > 0)
    if near and (ours or not large):
        return RESPECTED
    if large and low <= 0 <= high:
        return ABSENT
    if (large and theirs) or effect * reference < 0:
        return REVERSED
    return WEAK if abs(effect) < abs(reference) else EXAGGERATED


def link_results(
    session: Session, graph: CausalGraph, found: Flip, questions: Sequence[LinkQuestion]
) -> list[dict[str, Any]]:
    """Return the links from one flip as in report.json; `adjust` fills in `p_holm` later."""
    if len(found) < 2:
        units, why = found.drawn.units(found.asked), _lack(found)
        return [_without_figures(session, graph, question, len(found), units, why) for question in questions]
    columns = [session.approach.nodes.index(question.link.effect) for question in questions]
    leaks = [
        None if question.held else leak(session.approach, session.judge.read, found, column)
        for question, column in zip(questions, columns, strict=True)
    ]
    intervals = _intervals(session.settings, found, columns, leaks)
    return [_result(session, graph, found, *each) for each in zip(questions, columns, leaks, intervals, strict=True)]


def no_units(
    session: Session, graph: CausalGraph, questions: Sequence[LinkQuestion], why: CausalCFError
) -> list[dict[str, Any]]:
    """Return the links of questions that have no units."""
    units = units_missed(session.settings.n, why)
    return [_without_figures(session, graph, question, 0, units, str(why)) for question in questions]


def adjust(links: Sequence[dict[str, Any]]) -> None:
    """Fill in `p_holm`: p-values of one approach's links, adjusted as one family (Holm 1979)."""
    for name in {link["approach"] for link in links}:
        family = [link for link in links if link["approach"] == name and link["p_value"] is not None]
        for link, p in zip(family, holm([link["p_value"] for link in family]), strict=True):
            link["p_holm"] = p


def _without_figures(
    session: Session, graph: CausalGraph, question: LinkQuestion, n: int, units: dict[str, Any], why: str
) -> dict[str, Any]:
    parts = {**_asked(session, graph, question), "n": n, "units": units}
    return {**parts, **dict.fromkeys(_FIGURES), "verdict": NONE, "why": why}


def _asked(session: Session, graph: CausalGraph, question: LinkQuestion) -> dict[str, Any]:
    link, approach = question.link, session.approach
    return {
        "cause": link.cause,
        "effect": link.effect,
        "approach": approach.name,
        "mode": approach.mode,
        "stickiness": approach.stickiness,
        "given": dict(question.given),
        "held": dict(question.held),
        "relation": relation(graph, link.cause, link.effect),
    }


def _intervals(
    settings: Settings, found: Flip, columns: Sequence[int], leaks: Sequence[Tensor | None]
) -> list[tuple[Interval, Interval, Interval | None]]:
    """Compute intervals of effect, distance from the reference and leak, on the same resamples."""
    effects, references = found.effects[:, columns], found.references[:, columns]
    known = [leaked[:, None] for leaked in leaks if leaked is not None]
    values = torch.cat([effects, effects, *known], 1)
    subtracted = torch.cat([torch.zeros_like(references), references, *map(torch.zeros_like, known)], 1)
    draw = np.random.default_rng(seed_of(settings.seed, "bootstrap", found.cause))
    intervals = mean_intervals(values.T.numpy(), draw, resamples=settings.resamples, reference=subtracted.T.numpy())
    q = len(columns)
    of_leaks = iter(intervals[2 * q :])
    return [(intervals[i], intervals[q + i], None if leaks[i] is None else next(of_leaks)) for i in range(q)]


def _result(
    session: Session,
    graph: CausalGraph,
    found: Flip,
    question: LinkQuestion,
    column: int,
    leaked: Tensor | None,
    intervals: tuple[Interval, Interval, Interval | None],
) -> dict[str, Any]:
    """Return figures and verdict of one link, raw and judge-corrected."""
    n, (of_effect, of_error, of_leak) = len(found), intervals
    before, after = (Rate(int(seen[:, column].sum()), n) for seen in (found.seen_before, found.seen_after))
    effect, reference = float(found.effects[:, column].mean()), float(found.references[:, column].mean())
    reference = 0.0 if abs(reference) <= ZERO else reference
    corrected = _corrected(session, found, column, reference)
    word, why = verdict(effect, (of_effect.low, of_effect.high), reference, session.settings.margin), ""
    if lack := _lack(found):
        word, why = NONE, lack
    elif weak := session.judge.too_weak(question.link.effect):
        word, why = WITHHELD, weak
    if why and corrected:
        corrected["verdict"] = word
    return {
        **_asked(session, graph, question),
        "n": n,
        "units": found.drawn.units(found.asked),
        "p_factual": before.to_dict(),
        "p_counterfactual": after.to_dict(),
        "p_reference": float(found.expected_after[:, column].mean()),
        "leak": None if leaked is None else float(leaked.mean()),
        "p_value": sign_test(found.effects[:, column].numpy()),
        "p_holm": None,
        "picture": None,
        "effect_estimate": effect,
        "interval": [of_effect.low, of_effect.high],
        "interval_method": of_effect.method,
        "half_width": (of_effect.high - of_effect.low) / 2,
        "reference": reference,
        "link_error": abs(effect - reference),
        "link_error_interval": _magnitude(of_error),
        "leak_interval": None if of_leak is None else [of_leak.low, of_leak.high],
        "corrected": corrected,
        "verdict": word,
        "why": why,
        "sentence": _sentence(n, question.link, effect, of_effect, reference),
    }


def _corrected(session: Session, found: Flip, column: int, reference: float) -> dict[str, Any] | None:
    judge, settings = session.judge, session.settings
    draw = np.random.default_rng(seed_of(settings.seed, "judge", found.cause, column))
    values, gain = found.effects[:, column].numpy()[None], judge.rates(judge.nodes[column])
    (result,) = corrected_effects(values, [gain], draw, resamples=settings.resamples)
    if result is None:
        return None
    effect, interval = result
    word = verdict(effect, (interval.low, interval.high), reference, settings.margin)
    return {"effect_estimate": effect, "interval": [interval.low, interval.high], "verdict": word}


def relation(graph: CausalGraph, cause: str, effect: str) -> str:
    """Return how the graph relates two labels: "edge", "ancestor" or "none"."""
    if cause in graph.parents(effect):
        return "edge"
    return "ancestor" if cause in graph.ancestors(effect) else "none"


def _magnitude(interval: Interval) -> list[float]:
    """Return the interval of the absolute value of a quantity from its own interval."""
    low, high = sorted((abs(interval.low), abs(interval.high)))
    return [0.0 if interval.low <= 0 <= interval.high else low, high]


def _lack(found: Flip) -> str:
    return too_few(len(found), found.asked, found.drawn.lost)


def _sentence(n: int, link: Link, effect: float, interval: Interval, reference: float) -> str:
    raised, lowered = short(link.cause, 1), short(link.cause, 0)
    return (
        f"Over {n:,} faces, from {lowered} to {raised} changes how often the judge sees “{short(link.effect, 1)}” by "
        f"{100 * effect:+.1f} points [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]; "
        f"the causal model says {100 * reference:+.1f}."
    )

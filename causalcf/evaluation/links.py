"""Verdict on each causal link: effects, intervals, and the comparison with the causal model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import CausalCFError, UnreachedError
from ..graph.graph import CausalGraph
from ..language import short
from ..randomness import seed_of
from ..statistics.intervals import Interval, mean_intervals
from ..statistics.misclassification import corrected_effects, holm, sign_test
from ..statistics.rates import Rate
from .approaches import Approach
from .flips import Flip, leak
from .judge import Judge
from .session import Settings, too_few
from .suite import ABSENT, EXAGGERATED, LEAKS, NONE, RESPECTED, REVERSED, WEAK, WITHHELD, Link, LinkQuestion

ROUNDING = 1e-12  # a difference of .05 that arithmetic makes .05000000000000003 is still within .05
ZERO = 1e-9  # a reference nearer to 0 is 0: the sum that it is has rounding errors


def verdict(effect: float, interval: tuple[float, float], reference: float, margin: float = 0.05) -> str:
    """Return one of six verdicts on an effect given its interval; the first rule that holds decides."""
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


@dataclass(frozen=True)
class Context:
    """Graph, judge and settings that all links of an evaluation share."""

    graph: CausalGraph
    judge: Judge
    settings: Settings


def link_results(
    context: Context,
    approach: Approach,
    found: Flip,
    effects: Sequence[str],
    given: Mapping[str, int],
    held: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Return the links from one cause as in report.json; `adjust` fills in `p_holm` later."""
    columns = [approach.nodes.index(effect) for effect in effects]
    leaks = [None if held else leak(approach, context.judge.read, found, column) for column in columns]
    measured = [
        _measured(context, approach, found, effect, column, leaked, given, held)
        for effect, column, leaked in zip(effects, columns, leaks, strict=True)
    ]
    if len(found) < 2:
        return [{**common, **_NOTHING, "verdict": NONE, "why": _lack(found)} for common in measured]
    intervals = _intervals(context.settings, found, columns, leaks)
    return [
        {**common, **_judged(context, found, Link(found.cause, effect), column, *interval)}
        for common, effect, column, interval in zip(measured, effects, columns, intervals, strict=True)
    ]


def no_units(
    context: Context, approach: Approach, question: LinkQuestion, effects: Sequence[str], why: CausalCFError
) -> list[dict[str, Any]]:
    """Return the links of a question that has no units."""
    n, unreached = context.settings.n, isinstance(why, UnreachedError)
    lost = {"unreached": n if unreached else 0, "impossible": 0 if unreached else n}
    units = {"asked": n, **lost, "told": str(why)}
    return [
        {
            **_told(context, approach, question.link.cause, effect, question.given, question.held),
            "n": 0,
            "units": units,
            **_NOTHING,
            "verdict": NONE,
            "why": str(why),
        }
        for effect in effects
    ]


def adjust(links: Sequence[dict[str, Any]]) -> None:
    """Fill in `p_holm`: p-values of one approach's links, adjusted as one family (Holm 1979)."""
    for name in {link["approach"] for link in links}:
        family = [link for link in links if link["approach"] == name and link["p_value"] is not None]
        for link, p in zip(family, holm([link["p_value"] for link in family]), strict=True):
            link["p_holm"] = p


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("p_factual", "p_counterfactual", "p_reference", "effect_estimate", "interval", "interval_method")),
    **dict.fromkeys(("half_width", "reference", "link_error", "link_error_interval", "leak", "leak_interval")),
    **dict.fromkeys(("p_value", "p_holm", "corrected", "sentence", "picture")),
}


def _measured(
    context: Context,
    approach: Approach,
    found: Flip,
    effect: str,
    column: int,
    leaked: Tensor | None,
    given: Mapping[str, int],
    held: Mapping[str, int],
) -> dict[str, Any]:
    """Return a link's description and the figures that need no interval of a mean."""
    common = {
        **_told(context, approach, found.cause, effect, given, held),
        "n": len(found),
        "units": {
            "asked": found.asked,
            "unreached": found.unreached,
            "impossible": found.impossible,
            "told": found.lost,
        },
    }
    if len(found) < 2:
        return common
    n = len(found)
    before, after = Rate(int(found.seen_before[:, column].sum()), n), Rate(int(found.seen_after[:, column].sum()), n)
    return {
        **common,
        "p_factual": before.to_dict(),
        "p_counterfactual": after.to_dict(),
        "p_reference": float(found.expected_after[:, column].mean()),
        "leak": None if leaked is None else float(leaked.mean()),
        "p_value": sign_test(found.effects[:, column].numpy()),
        "p_holm": None,
        "picture": None,
    }


def _told(
    context: Context,
    approach: Approach,
    cause: str,
    effect: str,
    given: Mapping[str, int],
    held: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "cause": cause,
        "effect": effect,
        "approach": approach.name,
        "mode": approach.mode,
        "stickiness": approach.stickiness,
        "given": dict(given),
        "held": dict(held),
        "relation": relation(context.graph, cause, effect),
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


def _judged(
    context: Context, found: Flip, link: Link, column: int, of_effect: Interval, of_error: Interval, of_leak: Any
) -> dict[str, Any]:
    """Return effect, reference, error and verdict of one link, raw and judge-corrected."""
    effect, reference = float(found.effects[:, column].mean()), float(found.references[:, column].mean())
    reference = 0.0 if abs(reference) <= ZERO else reference
    margin = context.settings.margin
    verdict_, why = verdict(effect, (of_effect.low, of_effect.high), reference, margin), ""
    corrected = _corrected(context, found, column, reference)
    if lack := _lack(found):
        verdict_, why = NONE, lack
    elif weak := context.judge.too_weak(link.effect):
        verdict_, why = WITHHELD, weak
    if why and corrected:
        corrected = {**corrected, "verdict": verdict_}
    return {
        "effect_estimate": effect,
        "interval": [of_effect.low, of_effect.high],
        "interval_method": of_effect.method,
        "half_width": (of_effect.high - of_effect.low) / 2,
        "reference": reference,
        "link_error": abs(effect - reference),
        "link_error_interval": _magnitude(of_error),
        "leak_interval": None if of_leak is None else [of_leak.low, of_leak.high],
        "corrected": corrected,
        "verdict": verdict_,
        "why": why,
        "sentence": _sentence(len(found), link, effect, of_effect, reference),
    }


def _corrected(context: Context, found: Flip, column: int, reference: float) -> dict[str, Any] | None:
    gain = context.judge.rates(context.judge.nodes[column])
    draw = np.random.default_rng(seed_of(context.settings.seed, "judge", found.cause, column))
    values = found.effects[:, column].numpy()[None]
    (result,) = corrected_effects(values, [gain], draw, resamples=context.settings.resamples)
    if result is None:
        return None
    effect, interval = result
    return {
        "effect_estimate": effect,
        "interval": [interval.low, interval.high],
        "verdict": verdict(effect, (interval.low, interval.high), reference, context.settings.margin),
    }


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
    return too_few(len(found), found.asked, found.lost)


def _sentence(n: int, link: Link, effect: float, interval: Interval, reference: float) -> str:
    raised, lowered = short(link.cause, 1), short(link.cause, 0)
    return (
        f"Over {n:,} faces, from {lowered} to {raised} changes how often the judge sees “{short(link.effect, 1)}” by "
        f"{100 * effect:+.1f} points [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]; "
        f"the causal model says {100 * reference:+.1f}."
    )

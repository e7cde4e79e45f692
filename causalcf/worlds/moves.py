"""Metropolis moves repeated until draws are decorrelated from their start, with an adaptive step size."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.stats import norm
from torch import Tensor

from .diagnostics import ROUNDING
from .posterior import Population, Posterior

ACCEPTANCE = 0.35  # e^-1: best for a proposal whose acceptance falls geometrically with the parts it redraws


class StepSize:
    """Mean number of parts a proposal redraws, adapted towards an acceptance rate of 0.35."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.size = float(parts)

    def adapt(self, acceptance: float) -> None:
        self.size = min(max(self.size * math.exp(2 * (acceptance - ACCEPTANCE)), 1.0), float(self.parts))


def forget(
    posterior: Posterior,
    now: Population,
    step: float,
    size: StepSize,
    generator: torch.Generator,
    *,
    until: float,
    most: int,
    adapt: bool,
    on_move: Callable[[Population], None],
) -> tuple[Population, list[float], float]:
    """Move until the correlation with the start is at most `until`; the returned float is what is left."""
    before, left = now.state(), 1.0
    acceptances: list[float] = []
    while left > until and len(acceptances) < most:
        now, acceptance = posterior.move(now, step, size.size, generator)
        acceptances.append(acceptance)
        if adapt:
            size.adapt(acceptance)
        on_move(now)
        left = memory(before, now.state())
    return now, acceptances, left


def memory(before: Tensor, after: Tensor) -> float:
    """Return the correlation of two (n, c) states: mean over columns, or one column's excess over chance."""
    first, second = before - before.mean(0), after - after.mean(0)
    spread = first.square().mean(0).sqrt(), second.square().mean(0).sqrt()
    varies = torch.minimum(*spread) > ROUNDING
    correlations = ((first * second).mean(0) / (spread[0] * spread[1]))[varies]
    if not len(correlations):
        return 0.0
    chance = float(norm.isf(0.05 / len(correlations))) / math.sqrt(len(first))
    return float(torch.maximum(correlations.mean(), correlations.max() - chance))

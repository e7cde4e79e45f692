"""Metropolis moves repeated until draws have forgotten where they began, with a proposal that adapts its size."""

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
    """How many parts of a draw a proposal redraws on average: grows while proposals pass too often, shrinks else."""

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
    """Move until the correlation with the start falls below `until`, but at most `most` times.

    Args:
        step: where on the posterior's path.
        adapt: whether the size may change.
        on_move: told of the population after every move.

    Returns:
        The population, the acceptance of each move, and the correlation that is left.
    """
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
    """Correlation, over n chains, between two (n, c) states: in the mean of the columns, or in one that stands out.

    A column by itself counts with what its correlation exceeds chance by, at 95 % for all c together. Columns that do
    not vary have nothing to remember.
    """
    first, second = before - before.mean(0), after - after.mean(0)
    spread = first.square().mean(0).sqrt(), second.square().mean(0).sqrt()
    varies = torch.minimum(*spread) > ROUNDING
    correlations = ((first * second).mean(0) / (spread[0] * spread[1]))[varies]
    if not len(correlations):
        return 0.0
    chance = float(norm.isf(0.05 / len(correlations))) / math.sqrt(len(first))
    return float(torch.maximum(correlations.mean(), correlations.max() - chance))

"""Metropolis moves repeated until draws have forgotten where they began, with a proposal that adapts its size."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

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
    before, left = now.noise, 1.0
    acceptances: list[float] = []
    while left > until and len(acceptances) < most:
        now, acceptance = posterior.move(now, step, size.size, generator)
        acceptances.append(acceptance)
        if adapt:
            size.adapt(acceptance)
        on_move(now)
        left = memory(before, now.noise)
    return now, acceptances, left


def memory(before: Tensor, after: Tensor) -> float:
    """Correlation between two (n, k) states of n chains, over chains, pooled over coordinates; 0 where none varies."""
    first, second = before.cpu().double(), after.cpu().double()
    first, second = first - first.mean(0), second - second.mean(0)
    scale = (first.square().sum() * second.square().sum()).sqrt()
    return float((first * second).sum() / scale) if scale > 0 else 0.0

"""From the prior to the posterior in steps: rising levels of the margin (hard), or growing powers of L (soft)."""

from __future__ import annotations

import math
import sys
from typing import Protocol

import torch
from torch import Tensor

from .antecedent import Antecedent


class Path(Protocol):
    """Targets K_s(z -> z*) L_step(z*) for steps from `start` (L is 1) to `goal` (L itself)."""

    start: float
    goal: float

    def values(self, antecedent: Antecedent, probabilities: Tensor) -> Tensor:
        """(n,) what the path orders draws by."""

    def log_likelihood(self, values: Tensor) -> Tensor:
        """(n,) log L: -inf where L is 0."""

    def accept(self, step: float, current: Tensor, proposed: Tensor, log_u: Tensor) -> Tensor:
        """(n,) bool: Metropolis' decision at a step; draws outside of its support only climb."""

    def advance(self, values: Tensor, step: float, survival: float) -> tuple[float, Tensor]:
        """The next step, at which about `survival` of the draws still count, and their (n,) log weights for it."""

    def shown(self, step: float, threshold: float) -> float:
        """The step as a reader wants to see it, in [0, 1]."""


class LevelSets:
    """L_step = [margin >= step], step rising from -inf to just above 0.

    Source: adaptive multilevel splitting, Cérou and Guyader (2007); Au and Beck (2001).
    """

    start = -math.inf
    goal = sys.float_info.min  # margin > 0, written with >=

    def values(self, antecedent: Antecedent, probabilities: Tensor) -> Tensor:
        return antecedent.margin(probabilities)

    def log_likelihood(self, values: Tensor) -> Tensor:
        return torch.where(values >= self.goal, 0.0, -math.inf)

    def accept(self, step: float, current: Tensor, proposed: Tensor, log_u: Tensor) -> Tensor:
        return proposed >= current.clamp(max=step)

    def advance(self, values: Tensor, step: float, survival: float) -> tuple[float, Tensor]:
        best_first = values.sort(descending=True).values
        level = float(best_first[max(1, round(survival * len(values))) - 1])
        if level <= step:  # more draws than should die tie at the present level: step over the tie, if any draw did
            above = values[values > step]
            level = float(above.min()) if len(above) else step
        level = min(level, self.goal)
        return level, torch.where(values >= level, 0.0, -math.inf).double()

    def shown(self, step: float, threshold: float) -> float:
        """The probability that the worst-off condition must have."""
        return float(torch.tensor(step + math.log(threshold / (1 - threshold)), dtype=torch.float64).sigmoid())


class Tempering:
    """L_step = L^step, step rising from 0 to 1, each as far as leaves `survival` of the effective sample size.

    Source: Del Moral, Doucet and Jasra (2006); the adaptive step, Jasra et al. (2011).
    """

    start = 0.0
    goal = 1.0

    def values(self, antecedent: Antecedent, probabilities: Tensor) -> Tensor:
        return antecedent.log_likelihood(probabilities)

    def log_likelihood(self, values: Tensor) -> Tensor:
        return values

    def accept(self, step: float, current: Tensor, proposed: Tensor, log_u: Tensor) -> Tensor:
        return (log_u < step * (proposed - current)) | (current == -math.inf)

    def advance(self, values: Tensor, step: float, survival: float) -> tuple[float, Tensor]:
        possible = int((values > -math.inf).sum())
        if not possible:
            return step, torch.zeros_like(values)
        low, high = step, self.goal
        if _effective((high - step) * values) < survival * possible:
            for _ in range(60):  # bisection to the last bit
                middle = (low + high) / 2
                enough = _effective((middle - step) * values) >= survival * possible
                low, high = (middle, high) if enough else (low, middle)
        return high, (high - step) * values

    def shown(self, step: float, threshold: float) -> float:
        return step


def _effective(log_weights: Tensor) -> float:
    """Effective sample size of weighted draws (Kong 1992); their common factor does not matter."""
    weights = log_weights.softmax(0)
    return 1 / float(weights.square().sum())

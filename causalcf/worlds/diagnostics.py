"""Counterfactual noise as returned to the user: acceptance rate and effective sample size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import f as f_distribution
from torch import Tensor

ROUNDING = 1e-9  # a column that spreads by less is constant


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of n draws: effective size, cost, acceptance, autocorrelation (`memory`), levels."""

    method: str
    draws: int
    effective_size: float
    evaluations: int
    proposals: int
    acceptance: float
    families: int
    distinct: int
    memory: float
    probability: float | None
    levels: tuple[float, ...]

    @property
    def evaluations_per_effective_draw(self) -> float:
        """Return the number of images generated per effective draw."""
        return self.evaluations / self.effective_size


def effective_size(drawn: Tensor, every: Tensor, states: Tensor) -> float:
    """Return the effective size n / (1 + (m - 1) rho) for families of draws (Kish 1965; Donner 1986)."""
    n = len(drawn)
    size = float(drawn.unique(return_counts=True)[1].double().square().sum()) / n
    return n / (1 + (size - 1) * intraclass_correlation(every, states))


def intraclass_correlation(families: Tensor, states: Tensor) -> float:
    """Estimate the intraclass correlation in [0, 1] over all columns, or in one significant column."""
    _, index, counts = families.unique(return_inverse=True, return_counts=True)
    n, groups = len(families), len(counts)
    values = states.detach().cpu().double()
    values = values - values.mean(0)
    spread = values.square().mean(0).sqrt()
    varies = spread > ROUNDING
    if groups == n or not bool(varies.any()):
        return 0.0
    values = (values / spread)[:, varies]  # every column counts alike
    if groups == 1:
        return 1.0
    sizes = counts.double()
    sums = torch.zeros(groups, values.shape[1], dtype=torch.float64).index_add(0, index, values)
    between = (sums.square() / sizes[:, None]).sum(0)
    within = (values.square().sum(0) - between).clamp(min=0) / (n - groups)
    between = between / (groups - 1)
    typical = (n - float(sizes.square().sum()) / n) / (groups - 1)
    overall = _correlation(between.mean(), within.mean(), typical)
    chance = float(f_distribution.isf(0.05 / values.shape[1], groups - 1, n - groups))
    alone = _correlation(between / chance, within, typical).max()
    return float(torch.maximum(overall, alone).clamp(0, 1))


def _correlation(between: Tensor, within: Tensor, size: float) -> Tensor:
    total = between + (size - 1) * within
    return torch.where(total > 0, (between - within) / total, 0.0)


def distinct(noise: Tensor) -> int:
    """Return the number of distinct rows."""
    return len(noise.detach().cpu().unique(dim=0))


@dataclass(frozen=True)
class CounterfactualNoise:
    """Set of n draws of z*, given the antecedent.

    Args:
        noise: (n, k), on z's device and in its dtype.
        kept: (n, k) bool: the coordinates that keep z's value.
        diagnostics: how the draws were made, and how many independent draws they equal.

    Examples:
        >>> import torch
        >>> from causalcf import counterfactual_noise
        >>> shade = lambda z: ((z + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> found = counterfactual_noise(torch.tensor([-0.5]), shade, bright, {"Bright": 1}, 4, attributes=["Bright"])
        >>> found.noise.shape, bool((found.noise > 0).all()), bool(found.kept.any())
        (torch.Size([4, 1]), True, False)
    """

    noise: Tensor
    kept: Tensor
    diagnostics: Diagnostics

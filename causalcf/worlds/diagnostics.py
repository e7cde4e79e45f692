"""What draws are worth: how many were looked at, and how many independent ones they equal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import f as f_distribution
from torch import Tensor

ROUNDING = 1e-9  # a column that spreads by less is constant


@dataclass(frozen=True)
class Diagnostics:
    """How draws came about.

    Args:
        method: "smc", "rejection" or "mh".
        draws: n.
        effective_size: how many independent draws these are worth, at most n (see `effective_size`).
        evaluations: images generated.
        proposals: noises judged, those included whose image was known.
        acceptance: share of proposals accepted; smc and mh: in the moves at the target, among proposals that differ.
        families: independent origins among the draws: ancestors (smc), chains (mh), n (rejection).
        distinct: how many of the draws differ.
        memory: correlation of the draws with where their last moves began; 0: forgotten.
        probability: estimate of P(A) under K_s alone, or of E[L] for a soft likelihood; None for mh.
        levels: the steps taken: probabilities asked of the classifier (hard) or powers of L (soft).
    """

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
        """Images generated for each independent draw's worth."""
        return self.evaluations / self.effective_size


def effective_size(drawn: Tensor, every: Tensor, states: Tensor) -> float:
    """How many independent draws n draws are worth, when draws of one family resemble each other.

    n / (1 + (m - 1) rho): m is the mean family size that a draw finds itself in, rho the intraclass correlation of
    their states, by analysis of variance over all particles. One family alone counts as one draw.

    Args:
        drawn: (n,) the families of the draws.
        every: (N,) the families of all particles that rho is estimated from.
        states: (N, c) those particles.

    Source: Kish (1965), the design effect; Donner (1986), the estimate of rho.

    Example:
        >>> families = torch.arange(6)
        >>> effective_size(families, families, torch.rand(6, 2, generator=torch.Generator().manual_seed(0)))
        6.0
        >>> twins = torch.tensor([0, 0, 1, 1, 2, 2])
        >>> effective_size(twins, twins, twins[:, None].float())
        3.0
    """
    n = len(drawn)
    size = float(drawn.unique(return_counts=True)[1].double().square().sum()) / n
    return n / (1 + (size - 1) * intraclass_correlation(every, states))


def intraclass_correlation(families: Tensor, states: Tensor) -> float:
    """How alike the states of one family are, in [0, 1]: over all columns, or in one that stands out.

    The largest of c estimates is large by chance, so a column by itself counts with its lower confidence limit only,
    at 95 % for all c together (by the F distribution, as in Donner 1986). 0 where no column varies, 1 where a single
    family tells nothing.
    """
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
    """How many rows differ."""
    return len(noise.detach().cpu().unique(dim=0))

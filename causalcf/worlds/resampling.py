"""Copying survivors over the others, and choosing few out of many, as evenly as can be."""

from __future__ import annotations

import torch
from torch import Tensor

from ..labels.randomness import uniform


def systematic(weights: Tensor, n: int, source: torch.Generator) -> Tensor:
    """(n,) indices, each drawn in proportion to its weight, as evenly as can be (Carpenter et al. 1999)."""
    points = (torch.arange(n) + uniform((1,), source)) / n
    cumulative = weights.cumsum(0) / weights.sum()
    return torch.searchsorted(cumulative, points, right=True).clamp(max=len(weights) - 1)


def spread(families: Tensor, n: int, source: torch.Generator) -> Tensor:
    """n particles, each equally likely, over as many families as can be, in random order."""
    by_family = families.argsort(stable=True)
    chosen = by_family[systematic(torch.ones(len(families), dtype=torch.float64), n, source)]
    return chosen[uniform((n,), source).argsort()]

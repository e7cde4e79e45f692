"""How varied the answers to one question are, with the variety of people as the unit."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import bootstrap
from torch import Tensor

from ..classifiers.estimate import NO_UNITS, Estimate
from ..errors import CausalCFError

RESAMPLES = 2000
BLOCK = 256  # rows of distances, and resamples, held at a time


def diversity(features: Tensor, generator: torch.Generator) -> Estimate:
    """How far apart a unit's counterfactual draws are, over how far apart different units are.

    The mean Euclidean distance between two draws of one unit, averaged over units, divided by the mean distance
    between draws of two different units. 0: the draws of a unit are all alike; 1: as varied as different people.

    Args:
        features: (n, m, f) the judge's features of m > 1 counterfactual draws of each of n units.
        generator: source of randomness of the interval.

    Returns:
        The estimate; its interval is the percentile bootstrap over units, numerator and denominator together (a unit
        drawn twice is not compared with itself). It is too narrow for fewer than about fifty units. Without units
        where there are fewer than two, or where all are alike.

    Raises:
        CausalCFError: features of another shape, a single draw, or values that are not finite.

    Source: defined here, after the pairwise distance of Zhu et al. (2017), section 5, with the judge's features in
    place of LPIPS.

    Example:
        >>> people = torch.randn(100, 1, 8, generator=torch.Generator().manual_seed(0))
        >>> str(diversity(people.expand(-1, 3, -1), torch.Generator().manual_seed(1)))
        '0.000 [0.000, 0.000]'
    """
    if features.ndim != 3 or features.shape[1] < 2:
        raise CausalCFError(f"features have shape {tuple(features.shape)}; expected (n, m, f) with m of at least 2")
    if not bool(features.isfinite().all()):
        raise CausalCFError("features have values that are not finite")
    n = len(features)
    if n < 2:
        return NO_UNITS
    draws = features.detach().double().cpu()
    within, between = within_units(draws), between_units(draws)
    yardstick = between.sum() / (n * (n - 1))
    if yardstick == 0:
        return NO_UNITS

    def ratio(drawn: np.ndarray, axis: int) -> np.ndarray:
        """Of (resamples, n) units; a resample in which all units are alike keeps the yardstick of the whole."""
        count = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(float)
        pairs = count.sum(1) ** 2 - (count**2).sum(1)
        apart = ((count @ between) * count).sum(1) / np.maximum(pairs, 1)
        return within[drawn].mean(axis) / np.where(apart > 0, apart, yardstick)

    units, rng = (np.arange(n),), np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    found = bootstrap(
        units, ratio, n_resamples=RESAMPLES, batch=BLOCK, vectorized=True, method="percentile", rng=rng
    ).confidence_interval
    return Estimate(float(within.mean() / yardstick), float(found.low), float(found.high))


def within_units(draws: Tensor) -> np.ndarray:
    """(n,) mean distance between two different draws of a unit, of (n, m, f) features."""
    m = draws.shape[1]
    # Without matrix products, in which equal draws would not be exactly 0 apart.
    apart = torch.cdist(draws, draws, compute_mode="donot_use_mm_for_euclid_dist")
    return (apart.sum((1, 2)) / (m * (m - 1))).numpy()


def between_units(draws: Tensor) -> np.ndarray:
    """(n, n) mean distance between draws of two units, 0 on the diagonal, of (n, m, f) features."""
    n, m, _ = draws.shape
    everyone = draws.flatten(0, 1)
    rows = [
        torch.cdist(part.flatten(0, 1), everyone).view(-1, m, n, m).mean((1, 3))
        for part in draws.split(max(1, BLOCK // m))
    ]
    return torch.cat(rows).fill_diagonal_(0).numpy()

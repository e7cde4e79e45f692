"""Expected calibration error, with an interval that knows that the plain figure is never 0.

The plain error of n images, sum over bins of |mean(p - y)| weighted by the bins' shares, is biased upwards: chance
alone makes it positive, and resampling the images adds that chance a second time, so a percentile bootstrap misses the
truth. Here the distribution of the plain error is simulated for classifiers whose bins are off by t times what was
found, t >= 0, and the interval holds those t under which the error found is neither among the least nor among the
largest 2.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .estimate import NO_UNITS, Estimate

BINS = 15  # of equal width, as is usual (Guo et al. 2017)
DRAWS = 1000


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error.

    Args:
        plain: as usually printed, biased upwards.
        by_chance: what the plain figure would be on average for a perfectly calibrated classifier.
        corrected: the error that would show as `plain` or less half of the time, with its interval.
    """

    plain: float
    by_chance: float
    corrected: Estimate


def calibration_error(
    truth: np.ndarray, p: np.ndarray, generator: torch.Generator, bins: int = BINS
) -> CalibrationError:
    """The expected calibration error of probabilities, over bins of equal width.

    Args:
        truth: (n,) booleans.
        p: (n,) probabilities of True.
        generator: source of randomness.
        bins: how many.

    Source: Guo, Pleiss, Sun, Weinberger (2017) for the plain figure; the interval is defined here.

    Example:
        >>> p = np.full(100, 0.75)
        >>> found = calibration_error(np.arange(100) < 75, p, torch.Generator().manual_seed(0))
        >>> found.plain, found.corrected.low
        (0.0, 0.0)
    """
    n = len(truth)
    if not n:
        return CalibrationError(math.nan, math.nan, NO_UNITS)
    place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(place, p - truth, bins) / n
    plain = float(np.abs(gap).sum())
    # The larger of what calibrated probabilities would give and what was found: a bin without a single 1 still varies.
    model, found = np.bincount(place, p * (1 - p), bins), np.bincount(place, (p - truth) ** 2, bins)
    spread = np.sqrt(np.maximum(model, found)) / n
    chance = torch.randn(DRAWS, bins, generator=generator, dtype=torch.float64).numpy() * spread

    def errors(t: float) -> np.ndarray:
        return np.abs(t * gap + chance).sum(1)

    calibrated = errors(0.0)
    by_chance = float(calibrated.mean())
    if plain == 0.0:
        return CalibrationError(plain, by_chance, Estimate(0.0, 0.0, float(np.quantile(calibrated, 0.975))))
    middle, low, high = (plain * _reach(errors, plain, level) for level in (0.5, 0.975, 0.025))
    # An error smaller than almost every calibrated classifier shows says only that the truth is not above it.
    return CalibrationError(plain, by_chance, Estimate(middle, low, high if high > 0 else plain))


def _reach(errors: Callable[[float], np.ndarray], plain: float, level: float) -> float:
    """The t >= 0 at which that quantile of the simulated errors is the error found; 0 where every t exceeds it."""

    def excess(t: float) -> float:
        return float(np.quantile(errors(t), level)) - plain

    if excess(0.0) >= 0:
        return 0.0
    low, high = 0.0, 1.0
    while excess(high) < 0:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high

"""Effects with the judge's own errors taken out.

A judge with sensitivity se and specificity sp sees an effect e as (se + sp - 1) e: inverting its confusion matrix
divides by that gain. The gain is an estimate itself, so the interval draws it anew with every resample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from .effectiveness import Rate
from .intervals import WILSON, Interval, mean_intervals

LEAST_GAIN = 0.1  # a judge with less hardly tells the label at all: dividing by it would make numbers out of noise


def corrected_effects(
    values: np.ndarray,
    gains: Sequence[tuple[Rate, Rate]],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
) -> list[tuple[float, Interval] | None]:
    """Each mean of paired differences divided by the judge's gain, with an interval widened by what is not known of it.

    Args:
        values: (q, n) differences of 0/1 readings.
        gains: of each, the judge's sensitivity and specificity.
        rng: source of randomness.
        level: of the intervals.
        resamples: draws of effect and gain.

    Returns:
        (effect, interval) each, cut at -1 and 1, beyond which no effect lies. None where the gain is not clearly above
        0 (its interval reaches below .1), and where all of an interval lies beyond: the judge does not err on these
        images as it did where it was scored.

    Source: Rogan and Gladen (1978); sensitivity and specificity by Jeffreys' posterior (Brown, Cai, DasGupta 2001).

    Example:
        >>> changes, right = np.array([[1.0] * 40 + [0.0] * 60]), Rate(90, 100)
        >>> ((effect, _),) = corrected_effects(changes, [(right, right)], np.random.default_rng(0))
        >>> round(effect, 3)  # .4 over a gain of .9 + .9 - 1
        0.5
    """
    found: list[tuple[float, Interval] | None] = []
    raw = mean_intervals(values, rng, level, resamples)
    for row, (sensitivity, specificity), interval in zip(np.asarray(values, float), gains, raw, strict=True):
        gain = sensitivity.value + specificity.value - 1
        drawn = _jeffreys(sensitivity, rng, resamples) + _jeffreys(specificity, rng, resamples) - 1
        if not np.isfinite(gain) or gain < LEAST_GAIN or np.quantile(drawn, (1 - level) / 2) < LEAST_GAIN:
            found.append(None)
            continue
        low, high = _widened(row, interval, gain, drawn, rng, level)
        if low >= 1 or high <= -1:
            found.append(None)
            continue
        told = Interval(_cut(low), _cut(high), f"{interval.method} of the effect, Jeffreys of the judge")
        found.append((_cut(float(row.mean()) / gain), told))
    return found


def _widened(
    row: np.ndarray, raw: Interval, gain: float, drawn: np.ndarray, rng: np.random.Generator, level: float
) -> tuple[float, float]:
    """Quantiles of effect over gain; never narrower than the raw interval over the gain."""
    means = (_scattered if raw.method == WILSON else _resampled)(row, raw, rng, len(drawn), level)
    low, high = np.quantile(means / drawn, ((1 - level) / 2, (1 + level) / 2))
    return min(float(low), raw.low / gain), max(float(high), raw.high / gain)


def _resampled(row: np.ndarray, raw: Interval, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """Bootstrap means of a sample, by how often each distinct value is drawn."""
    distinct, counts = np.unique(row, return_counts=True)
    return rng.multinomial(len(row), counts / len(row), draws) @ distinct / len(row)


def _scattered(row: np.ndarray, raw: Interval, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """Where resampling shows too little: normal draws about the mean, each side as wide as the interval's."""
    mean, z = row.mean(), rng.standard_normal(draws)
    return mean + z * np.where(z < 0, mean - raw.low, raw.high - mean) / norm.ppf((1 + level) / 2)


def _cut(effect: float) -> float:
    return min(max(effect, -1.0), 1.0)


def _jeffreys(rate: Rate, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.beta(rate.hits + 0.5, rate.n - rate.hits + 0.5, draws)

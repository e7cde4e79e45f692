"""Effects corrected for the judge's own errors (Rogan and Gladen 1978).
The gain, sensitivity + specificity - 1, divides the effect; the interval includes its error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from .intervals import WILSON, Interval, mean_intervals
from .rates import Rate

MIN_GAIN = 0.1  # a judge with less hardly tells the label at all: dividing by it would make numbers out of noise


def corrected_effects(
    values: np.ndarray,
    gains: Sequence[tuple[Rate, Rate]],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
) -> list[tuple[float, Interval] | None]:
    """Divide each mean of (q, n) differences by the judge's gain; None where the gain is too uncertain."""
    found: list[tuple[float, Interval] | None] = []
    raw = mean_intervals(values, rng, level, resamples)
    for row, (sensitivity, specificity), interval in zip(np.asarray(values, float), gains, raw, strict=True):
        gain = sensitivity.value + specificity.value - 1
        drawn = _jeffreys(sensitivity, rng, resamples) + _jeffreys(specificity, rng, resamples) - 1
        if not np.isfinite(gain) or gain < MIN_GAIN or np.quantile(drawn, (1 - level) / 2) < MIN_GAIN:
            found.append(None)
            continue
        low, high = _widened(row, interval, gain, drawn, rng, level)
        if low >= 1 or high <= -1:
            found.append(None)
            continue
        interval_ = Interval(_cut(low), _cut(high), f"{interval.method} of the effect, Jeffreys of the judge")
        found.append((_cut(float(row.mean()) / gain), interval_))
    return found


def _widened(
    row: np.ndarray, raw: Interval, gain: float, drawn: np.ndarray, rng: np.random.Generator, level: float
) -> tuple[float, float]:
    """Return quantiles of effect over gain, never narrower than the raw interval over the gain."""
    means = (_scattered if raw.method == WILSON else _resampled)(row, raw, rng, len(drawn), level)
    low, high = np.quantile(means / drawn, ((1 - level) / 2, (1 + level) / 2))
    return min(float(low), raw.low / gain), max(float(high), raw.high / gain)


def _resampled(row: np.ndarray, raw: Interval, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """Draw bootstrap means of a sample by a multinomial over its distinct values."""
    distinct, counts = np.unique(row, return_counts=True)
    return rng.multinomial(len(row), counts / len(row), draws) @ distinct / len(row)


def _scattered(row: np.ndarray, raw: Interval, rng: np.random.Generator, draws: int, level: float) -> np.ndarray:
    """Draw normal means about the sample's mean, each side as wide as the raw interval."""
    mean, z = row.mean(), rng.standard_normal(draws)
    return mean + z * np.where(z < 0, mean - raw.low, raw.high - mean) / norm.ppf((1 + level) / 2)


def _cut(effect: float) -> float:
    return min(max(effect, -1.0), 1.0)


def _jeffreys(rate: Rate, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.beta(rate.hits + 0.5, rate.n - rate.hits + 0.5, draws)

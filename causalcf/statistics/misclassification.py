"""Sample sizes, p-values, multiple testing, and effects corrected for the judge's errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, norm, ttest_1samp

from ..errors import CausalCFError
from .rates import WILSON, Interval, Rate, mean_intervals

SD = 0.5  # of one unit's answer: the largest that a rate has
MIN_GAIN = 0.1  # a judge with less hardly tells the label at all: dividing by it would make numbers out of noise


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values by Holm's step-down method (Holm 1979), in their own order."""
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():  # also false for NaN
        raise CausalCFError(f"p-values must lie in [0, 1]; found {[float(one) for one in p if not 0 <= one <= 1]}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = stepped
    return adjusted.tolist()


def sign_test(values: np.ndarray) -> float:
    """Return the two-sided p-value of mean 0: McNemar's exact test for -1/0/1 values, else a t test."""
    values = np.asarray(values, dtype=float)
    if not values.size or not np.isfinite(values).all():
        raise CausalCFError(f"values must be finite and at least one; found {values.tolist()[:5]}")
    if np.isin(values, (-1.0, 0.0, 1.0)).all():
        up, down = int((values > 0).sum()), int((values < 0).sum())
        return float(binomtest(up, up + down).pvalue) if up + down else 1.0
    if (values == values[0]).all():
        return float(min(1.0, 2 * (1 + abs(values[0])) ** -float(len(values))))
    return float(ttest_1samp(values, 0.0).pvalue)


def units_for(half_width: float, sd: float = SD) -> int:
    """Return the units needed for a 95 % interval of a mean, by the normal approximation."""
    if not 0 < half_width < 1:
        raise CausalCFError(f"half_width is {half_width}; it must lie in (0, 1)")
    if not 0 < sd < math.inf:
        raise CausalCFError(f"sd is {sd}; it must be finite and above 0")
    return math.ceil((norm.ppf(0.975) * sd / half_width) ** 2)


def describe_units(half_width: float) -> str:
    return (
        f"{units_for(half_width):,} faces for each cause: an effect's 95 % interval is then about {half_width:g} "
        f"either way where single answers have a standard deviation of {SD:g}, and narrower where they vary less."
    )


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
        known = np.isfinite(gain) and gain >= MIN_GAIN and np.quantile(drawn, (1 - level) / 2) >= MIN_GAIN
        low, high = _widened(row, interval, gain, drawn, rng, level) if known else (math.nan, math.nan)
        if not (low < 1 and high > -1):
            found.append(None)
            continue
        corrected = Interval(_cut(low), _cut(high), f"{interval.method} of the effect, Jeffreys of the judge")
        found.append((_cut(float(row.mean()) / gain), corrected))
    return found


def _widened(
    row: np.ndarray, raw: Interval, gain: float, drawn: np.ndarray, rng: np.random.Generator, level: float
) -> tuple[float, float]:
    """Return quantiles of effect over gain, never narrower than the raw interval over the gain."""
    if raw.method == WILSON:  # normal about the sample's mean, each side as wide as the raw interval
        mean, z = row.mean(), rng.standard_normal(len(drawn))
        means = mean + z * np.where(z < 0, mean - raw.low, raw.high - mean) / norm.ppf((1 + level) / 2)
    else:  # bootstrap means, by a multinomial over the sample's distinct values
        distinct, counts = np.unique(row, return_counts=True)
        means = rng.multinomial(len(row), counts / len(row), len(drawn)) @ distinct / len(row)
    low, high = np.quantile(means / drawn, ((1 - level) / 2, (1 + level) / 2))
    return min(float(low), raw.low / gain), max(float(high), raw.high / gain)


def _cut(effect: float) -> float:
    return min(max(effect, -1.0), 1.0)


def _jeffreys(rate: Rate, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.beta(rate.hits + 0.5, rate.n - rate.hits + 0.5, draws)

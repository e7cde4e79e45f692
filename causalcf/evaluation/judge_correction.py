"""Effects with the judge's own errors taken out.

A judge with sensitivity se and specificity sp sees an effect e as (se + sp - 1) e: inverting its confusion matrix
divides by that gain. The gain is an estimate itself, so the interval draws it anew with every resample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
        (effect, interval) each; None where the gain is not clearly above 0: its interval reaches below .1.

    Source: Rogan and Gladen (1978); sensitivity and specificity by Jeffreys' posterior (Brown, Cai, DasGupta 2001).
    """
    found: list[tuple[float, Interval] | None] = []
    raw = mean_intervals(values, rng, level, resamples)
    for row, (sensitivity, specificity), interval in zip(np.asarray(values, float), gains, raw, strict=True):
        gain = sensitivity.value + specificity.value - 1
        drawn = _jeffreys(sensitivity, rng, resamples) + _jeffreys(specificity, rng, resamples) - 1
        if not np.isfinite(gain) or gain < LEAST_GAIN or np.quantile(drawn, (1 - level) / 2) < LEAST_GAIN:
            found.append(None)
            continue
        found.append((float(row.mean()) / gain, _widened(row, interval, gain, drawn, rng, level)))
    return found


def _widened(
    row: np.ndarray, raw: Interval, gain: float, drawn: np.ndarray, rng: np.random.Generator, level: float
) -> Interval:
    """Quantiles of effect over gain; never narrower than the raw interval over the gain."""
    means = _resampled_means(row, rng, len(drawn)) if raw.method != WILSON else np.full(len(drawn), row.mean())
    low, high = np.quantile(means / drawn, ((1 - level) / 2, (1 + level) / 2))
    ends = min(float(low), raw.low / gain), max(float(high), raw.high / gain)
    return Interval(*ends, f"{raw.method} of the effect, Jeffreys of the judge")


def _resampled_means(row: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Bootstrap means of a sample, by how often each distinct value is drawn."""
    distinct, counts = np.unique(row, return_counts=True)
    return rng.multinomial(len(row), counts / len(row), resamples) @ distinct / len(row)


def _jeffreys(rate: Rate, rng: np.random.Generator, draws: int) -> np.ndarray:
    return rng.beta(rate.hits + 0.5, rate.n - rate.hits + 0.5, draws)

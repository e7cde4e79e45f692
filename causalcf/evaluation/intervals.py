"""Intervals of means over independent units, the method always told.

BCa bootstrap where it can be had (Efron 1987); the percentile bootstrap where its acceleration or its bias cannot; and
where fewer than twelve units differ from the commonest value, no bootstrap at all: resampling cannot show what hardly
occurred. There the shares of units above and below the commonest value take Wilson's intervals (1927), combined by
square-and-add (Newcombe 1998, method 10).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, bootstrap

from ..errors import CausalCFError

BCA, PERCENTILE, WILSON = "BCa bootstrap", "percentile bootstrap", "Wilson"
FEW = 12  # units that differ from the commonest value
MEMORY = 2**24  # resampled values held at a time: 128 MiB


@dataclass(frozen=True)
class Interval:
    """An interval and how it was found."""

    low: float
    high: float
    method: str


def mean_intervals(
    values: np.ndarray, rng: np.random.Generator, level: float = 0.95, resamples: int = 2000
) -> list[Interval]:
    """An interval for the mean of each of q quantities that were measured on the same n units.

    Args:
        values: (q, n) float64, n > 1: one value for each unit, such as the difference of a pair.
        rng: source of the resampling, which all quantities share.
        level: of the intervals.
        resamples: of the bootstrap.

    Raises:
        CausalCFError: another shape, or values that are not finite.

    Source: Efron (1987); Wilson (1927) with Newcombe (1998) for data too degenerate to be resampled.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] < 2:
        raise CausalCFError(f"values have shape {values.shape}; expected (q, n) with n of at least 2")
    if not np.isfinite(values).all():
        raise CausalCFError("values hold some that are not finite")
    found: list[Interval | None] = [_of_few(row, level) for row in values]
    rest = [i for i, interval in enumerate(found) if interval is None]
    if rest:
        for i, interval in zip(rest, _bootstrapped(values[rest], rng, level, resamples), strict=True):
            found[i] = interval
    return [interval for interval in found if interval is not None]


def _bootstrapped(values: np.ndarray, rng: np.random.Generator, level: float, resamples: int) -> list[Interval]:
    """BCa intervals, and percentile ones in the places where those do not exist, from the same resamples."""
    batch = max(1, min(resamples, MEMORY // values.size))
    options = {"axis": -1, "confidence_level": level, "n_resamples": resamples, "batch": batch, "vectorized": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate ones come as NaN, which is looked for
        best = bootstrap((values,), np.mean, method="BCa", rng=rng, **options)
    plain = np.quantile(best.bootstrap_distribution, ((1 - level) / 2, (1 + level) / 2), axis=-1)
    ends = best.confidence_interval
    return [
        Interval(float(low), float(high), BCA)
        if np.isfinite(low) and np.isfinite(high)
        else Interval(float(plain[0, i]), float(plain[1, i]), PERCENTILE)
        for i, (low, high) in enumerate(zip(np.atleast_1d(ends.low), np.atleast_1d(ends.high), strict=True))
    ]


def _of_few(row: np.ndarray, level: float) -> Interval | None:
    """The interval of data of which nearly all are one value; None for others.

    A unit that differs is taken to differ by as much as any on its side does (by 1, where none does: what readings of 0
    and 1 can change by).
    """
    distinct, counts = np.unique(row, return_counts=True)
    n, common = len(row), float(distinct[counts.argmax()])
    if n - counts.max() >= FEW:
        return None
    mean = float(row.mean())
    below, above = [], []  # how far the mean may lie beneath and above the one found
    for side in (row[row > common] - common, common - row[row < common]):
        size = float(side.max()) if len(side) else 1.0
        share = float(side.sum()) / (size * n)
        low, high = binomtest(round(share * n), n).proportion_ci(level, method="wilson")
        below.append(size * (share - low))
        above.append(size * (high - share))
    return Interval(mean - float(np.hypot(below[0], above[1])), mean + float(np.hypot(above[0], below[1])), WILSON)

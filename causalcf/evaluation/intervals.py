"""Intervals of means over independent units, and of rates that each unit was measured for several times.

BCa bootstrap where it can be had (Efron 1987), and the percentile bootstrap where its bias or its acceleration cannot.
Where hardly any unit differs from the commonest value there is no bootstrap at all: resampling cannot show what hardly
occurred. There the shares of units above and below the commonest value take Wilson's intervals (1927), combined by
square-and-add (Newcombe 1998, method 10). The method is always told.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap, norm

from ..errors import CausalCFError

BCA, PERCENTILE, WILSON = "BCa bootstrap", "percentile bootstrap", "Wilson"
FEW = 20  # units that differ from the commonest value
MEMORY = 2**21  # counts held at a time, 16 MiB, and a few times that while they are made


@dataclass(frozen=True)
class Interval:
    """An interval and how it was found."""

    low: float
    high: float
    method: str


def mean_intervals(
    values: np.ndarray,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
    reference: np.ndarray | None = None,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> list[Interval]:
    """An interval for the mean of each of q quantities that were measured on the same n units.

    Args:
        values: (q, n) float64, n > 1: one value for each unit, such as the difference of a pair.
        rng: source of the resampling, which all quantities share.
        level: of the intervals.
        resamples: of the bootstrap.
        reference: (q, n) subtracted from the values, unit by unit. Passed apart because whether changes are rare must
            be seen on the values alone: after subtraction every unit differs from every other, and a bootstrap covers
            as seldom as one time in three.
        bounds: what one unit's value can be at least and at most, known beforehand; widened to the values where these
            exceed it. The units not yet seen may lie there.

    Raises:
        CausalCFError: another shape, or values that are not finite.

    Source: Efron (1987); Wilson (1927) with Newcombe (1998) for data too degenerate to be resampled.

    Example:
        >>> changes = np.array([[1.0] * 40 + [0.0] * 60])
        >>> (found,) = mean_intervals(changes, np.random.default_rng(0))
        >>> round(found.low, 1), round(found.high, 1), found.method
        (0.3, 0.5, 'BCa bootstrap')
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] < 2:
        raise CausalCFError(f"values have shape {values.shape}; expected (q, n) with n of at least 2")
    once = np.ones(values.shape[1])
    less = np.zeros_like(values) if reference is None else np.asarray(reference, dtype=float)
    if less.shape != values.shape:
        raise CausalCFError(f"the reference has shape {less.shape}; expected that of the values, {values.shape}")
    if not (np.isfinite(values).all() and np.isfinite(less).all()):
        raise CausalCFError("values or reference hold some that are not finite")
    z = float(norm.ppf((1 + level) / 2))
    found = [_of_few(row, other, once, z, bounds) for row, other in zip(values, less, strict=True)]
    rest = [i for i, interval in enumerate(found) if interval is None]
    if rest:
        resampled = iter(_bootstrapped((values - less)[rest], once, rng, level, resamples))
        return [next(resampled) if interval is None else interval for interval in found]
    return [interval for interval in found if interval is not None]


def ratio_interval(
    sums: np.ndarray, trials: np.ndarray, rng: np.random.Generator, level: float = 0.95, resamples: int = 2000
) -> Interval:
    """An interval for a rate, the sum of `sums` over the sum of `trials`, where a unit has several trials.

    The trials of one unit may all go wrong for one reason, so that they count for no more than a unit: units are
    resampled, each with all its trials. Where hardly any unit differs from the commonest rate, Wilson's interval is
    that of as many trials as there are units.

    Args:
        sums: (n,) what the trials of each unit add up to, in [0, trials]; n > 1.
        trials: (n,) how many each unit had, above 0.
        rng: source of the resampling.
        level: of the interval.
        resamples: of the bootstrap.

    Raises:
        CausalCFError: another shape, a unit without trials, or a sum that is negative or not finite.

    Source: the ratio estimator of cluster sampling, Cochran (1977), chapter 9A; Efron (1987); Wilson (1927).

    Example:
        >>> trials = np.full(100, 9)
        >>> found = ratio_interval(np.array([9] * 60 + [0] * 40), trials, np.random.default_rng(0))
        >>> round(found.low, 1), round(found.high, 1), found.method  # of 100 units, not of 900 trials
        (0.5, 0.7, 'BCa bootstrap')
    """
    sums, trials = np.asarray(sums, dtype=float), np.asarray(trials, dtype=float)
    if sums.ndim != 1 or sums.shape != trials.shape or len(sums) < 2:
        raise CausalCFError(f"sums and trials have shapes {sums.shape} and {trials.shape}; expected (n,), n at least 2")
    if not ((trials > 0).all() and (sums >= 0).all() and np.isfinite(sums).all()):
        raise CausalCFError("sums or trials are out of range; expected trials above 0 and sums in [0, trials]")
    rates, z = sums / trials, float(norm.ppf((1 + level) / 2))
    few = _of_few(rates, np.zeros_like(rates), trials, z, (0.0, 1.0))
    return few or _bootstrapped(rates[None], trials, rng, level, resamples)[0]


def _bootstrapped(
    values: np.ndarray, weights: np.ndarray, rng: np.random.Generator, level: float, resamples: int
) -> list[Interval]:
    """BCa intervals, and percentile ones in the places where those do not exist, from the same resamples.

    Units are resampled, not values: a mean is then a product with how often each unit was drawn, and all quantities
    share one pass.
    """
    q, n = values.shape
    weighted = values * weights

    def means(units: np.ndarray, axis: int = -1) -> np.ndarray:
        rows = np.atleast_2d(units).astype(np.intp)
        cells = rows + n * np.arange(len(rows))[:, None]
        counts = np.bincount(cells.ravel(), minlength=len(rows) * n).reshape(len(rows), n)
        return (weighted @ counts.T / (weights @ counts.T)).reshape(q, *units.shape[:-1])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate ones come as NaN, which is looked for
        best = bootstrap(
            (np.arange(n),),
            means,
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, MEMORY // n),
            confidence_level=level,
            method="BCa",
            rng=rng,
        )
    plain = np.quantile(best.bootstrap_distribution, ((1 - level) / 2, (1 + level) / 2), axis=-1)
    ends = best.confidence_interval
    return [
        Interval(float(low), float(high), BCA)
        if np.isfinite(low) and np.isfinite(high)
        else Interval(float(plain[0, i]), float(plain[1, i]), PERCENTILE)
        for i, (low, high) in enumerate(zip(ends.low, ends.high, strict=True))
    ]


def _of_few(
    row: np.ndarray, less: np.ndarray, weights: np.ndarray, z: float, bounds: tuple[float, float]
) -> Interval | None:
    """The interval of data of which nearly all are one value; None for others.

    What units lie above the commonest value is counted in units that lie at the upper bound, so counts may be
    fractions. No distribution within the bounds that has this mean varies more: the interval is, if anything, too wide.
    """
    distinct, counts = np.unique(row, return_counts=True)
    n, common = len(row), float(distinct[counts.argmax()])
    if n - counts.max() >= FEW:
        return None
    sizes = max(bounds[1], row.max()) - common, common - min(bounds[0], row.min())
    up, down = (
        _wilson(float(np.average(side, weights=weights)), size, n, z)
        for side, size in zip((np.maximum(row - common, 0), np.maximum(common - row, 0)), sizes, strict=True)
    )
    off = z * float(less.std(ddof=1)) / math.sqrt(n)  # 0 without a reference
    mean = float(np.average(row, weights=weights) - less.mean())
    return Interval(mean - math.hypot(up[0], down[1], off), mean + math.hypot(up[1], down[0], off), WILSON)


def _wilson(mean: float, size: float, n: int, z: float) -> tuple[float, float]:
    """How far below and above the mean of values in [0, size] Wilson's interval of the share mean / size reaches."""
    if size == 0:
        return 0.0, 0.0
    p = mean / size
    centre, spread = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n)
    spread *= math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return size * (p - max(0.0, centre - spread)), size * (min(1.0, centre + spread) - p)

"""Rates and estimates, and intervals of means over independent units or of several trials per unit.
Wilson; BCa or percentile bootstrap (Efron 1987); Newcombe's method 10 if few units differ.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest, bootstrap, norm
from torch import Tensor

from ..errors import CausalCFError
from ..randomness import seed_of

ALIKE = 1e-6  # a mean difference of floats in [0, 1] that rounding alone makes


@dataclass(frozen=True)
class Rate:
    """Rate of hits among n, with its 95 % Wilson interval; NaN if n is 0."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return float("nan"), float("nan")
        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.value, *self.interval)

    def to_dict(self) -> dict[str, float | None]:
        """Return value and interval, JSON-ready; null if n is 0."""
        return self.estimate.to_dict()

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] (n={self.n})" if self.n else "no units"


@dataclass(frozen=True)
class Estimate:
    """Estimate with its 95 % interval; all three numbers are NaN where there are no images."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "no units" if math.isnan(self.value) else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return JSON-ready values, with null in place of NaN."""
        parts = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(number) else number for name, number in parts.items()}


def mean_estimate(values: Tensor) -> Estimate:
    """Return the mean of (n,) values with its normal interval; the interval of a single value is NaN."""
    mean, n = float(values.double().mean()), len(values)
    reach = float(norm.ppf(0.975) * values.double().std()) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(mean, mean - reach, mean + reach)


NO_UNITS = Estimate(math.nan, math.nan, math.nan)

BCA, PERCENTILE, WILSON = "BCa bootstrap", "percentile bootstrap", "Wilson"
FEW = 20  # units that differ from the commonest value
MEMORY = 2**21  # counts held at a time, 16 MiB, and a few times that while they are made


@dataclass(frozen=True)
class Interval:
    """Interval and the method that gave it."""

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
    """Return an interval for the mean of each row of (q, n) values, minus a (q, n) reference."""
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
    resampled = iter(_bootstrapped((values - less)[rest], once, rng, level, resamples) if rest else [])
    return [interval or next(resampled) for interval in found]


def ratio_interval(
    sums: np.ndarray, trials: np.ndarray, rng: np.random.Generator, level: float = 0.95, resamples: int = 2000
) -> Interval:
    """Return an interval of sum(sums) / sum(trials), resampling whole units (Cochran 1977, chapter 9A)."""
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
    """Return BCa intervals, or percentile ones where BCa fails; all rows share the resamples."""
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
    """Return a conservative Wilson interval if nearly all units have one value, else None."""
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
    """Return how far Wilson's interval reaches below and above a mean of values in [0, size]."""
    if size == 0:
        return 0.0, 0.0
    p = mean / size
    centre, spread = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n)
    spread *= math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return size * (p - max(0.0, centre - spread)), size * (min(1.0, centre + spread) - p)


def over_units(units: Tensor, sums: Tensor, trials: int | Tensor, asked: int | None, *names: object) -> dict[str, Any]:
    """Return a pooled rate in [0, 1] with its interval over units and the counts, JSON-ready."""
    each = torch.as_tensor(trials).expand(len(units))
    known, place = torch.unique(units, return_inverse=True)
    total, taken = (torch.zeros(len(known)).double().index_add(0, place, part.double()) for part in (sums, each))
    counts = {"n": int(each.sum()), "units": len(known), "answered": len(units), "asked": asked}
    if len(known) < 2:
        return {**NO_UNITS.to_dict(), "interval_method": None, **counts}
    if bool((taken == 1).all() and ((total == 0) | (total == 1)).all()):  # one yes or no of each unit
        found = Interval(*Rate(int(total.sum()), len(total)).interval, WILSON)
    else:
        found = ratio_interval(total.numpy(), taken.numpy(), np.random.default_rng(seed_of(*names)))
    value = float(total.sum() / taken.sum())
    return {**Estimate(value, found.low, found.high).to_dict(), "interval_method": found.method, **counts}


def as_share(found: dict[str, Any], yardstick: float) -> dict[str, Any]:
    """Divide a rate by a scale, which it may exceed; null if the scale is 0."""
    if found["value"] is None:
        return found
    if yardstick < ALIKE:
        return {**found, **NO_UNITS.to_dict(), "interval_method": None}
    return {**found, **{key: found[key] / yardstick for key in ("value", "low", "high")}}

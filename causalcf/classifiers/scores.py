"""Scores of a classifier with 95 % intervals: accuracy, AUROC, expected calibration error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm, rankdata
from torch import Tensor

from ..statistics.rates import NO_UNITS, Estimate, Rate

BINS = 15  # of equal width, as is usual (Guo et al. 2017)
DRAWS = 1000
Z = float(norm.ppf(0.975))


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error: plain estimate, its mean under perfect calibration, corrected estimate."""

    plain: float
    by_chance: float
    corrected: Estimate


def calibration_error(
    truth: np.ndarray, p: np.ndarray, generator: torch.Generator, bins: int = BINS
) -> CalibrationError:
    """Estimate the calibration error over bins of equal width (Guo et al. 2017; the interval is our own)."""
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
    return CalibrationError(
        plain, by_chance, Estimate(min(middle, 1.0), min(low, 1.0), min(high, 1.0) if high > 0 else plain)
    )


def _reach(errors: Callable[[float], np.ndarray], plain: float, level: float) -> float:
    """Return the t >= 0 at which the quantile of the simulated errors equals `plain`; 0 if none does."""

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


@dataclass(frozen=True)
class AttributeScores:
    """Scores of one attribute at threshold 0.5; `balanced_accuracy` uses the base rate as threshold."""

    n: int
    positives: int
    majority: float
    accuracy: Estimate
    balanced_accuracy: Estimate
    balanced_accuracy_at_half: Estimate
    auroc: Estimate
    calibration_error: CalibrationError
    confusion: dict[str, int]
    confusion_at_base_rate: dict[str, int]


def score_attributes(
    names: Sequence[str], labels: Tensor, probabilities: Tensor, base_rates: Sequence[float], generator: torch.Generator
) -> dict[str, AttributeScores]:
    """Score every attribute from (n, d) labels and probabilities; balanced accuracy uses the base rates."""
    scored = {}
    for column, name in enumerate(names):
        truth, p = labels[:, column].numpy().astype(bool), probabilities[:, column].double().numpy()
        said, at_base_rate = p > 0.5, p > base_rates[column]
        positives, n = int(truth.sum()), len(truth)
        scored[name] = AttributeScores(
            n,
            positives,
            max(positives, n - positives) / n if n else math.nan,
            Rate(int((said == truth).sum()), n).estimate,
            balanced_accuracy(truth, at_base_rate),
            balanced_accuracy(truth, said),
            auroc(truth, p),
            calibration_error(truth, p, generator),
            confusion(truth, said),
            confusion(truth, at_base_rate),
        )
    return scored


def confusion(truth: np.ndarray, said: np.ndarray) -> dict[str, int]:
    """Return {"true 1, said 1": count, ...} of (n,) booleans."""
    return {f"true {t}, said {s}": int(((truth == t) & (said == s)).sum()) for t in (1, 0) for s in (1, 0)}


def balanced_accuracy(truth: np.ndarray, said: np.ndarray) -> Estimate:
    """Estimate the mean of sensitivity and specificity; interval by Newcombe 1998, method 10."""
    ones, zeros = Rate(int(said[truth].sum()), int(truth.sum())), Rate(int((~said[~truth]).sum()), int((~truth).sum()))
    if not ones.n or not zeros.n:
        return NO_UNITS
    below = [rate.value - rate.interval[0] for rate in (ones, zeros)]
    above = [rate.interval[1] - rate.value for rate in (ones, zeros)]
    value = (ones.value + zeros.value) / 2
    return Estimate(value, value - math.hypot(*below) / 2, value + math.hypot(*above) / 2)


def auroc(truth: np.ndarray, score: np.ndarray) -> Estimate:
    """Estimate the ROC area; Newcombe's method 5 (2006), its variance raised to DeLong's if larger."""
    m, n = int(truth.sum()), int((~truth).sum())
    if not m or not n:
        return NO_UNITS
    area, delong = area_and_variance(truth, score)
    modelled = _modelled_variance(area, m, n)
    raised = max(1.0, delong / modelled) if modelled > 0 else 1.0

    def excess(theta: float) -> float:
        return (area - theta) ** 2 - Z**2 * raised * _modelled_variance(theta, m, n)

    edge = 1e-12  # at 0 and 1 themselves the variance is 0, whatever the area found
    low = brentq(excess, edge, min(area, 1 - edge)) if area > 2 * edge and excess(edge) > 0 else 0.0
    high = brentq(excess, max(area, edge), 1 - edge) if area < 1 - 2 * edge and excess(1 - edge) > 0 else 1.0
    return Estimate(area, float(low), float(high))


def area_and_variance(truth: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve and its variance by DeLong (midranks, Sun and Xu 2014)."""
    m, n = int(truth.sum()), int((~truth).sum())
    ranks = rankdata(score)
    passed = (ranks[truth] - rankdata(score[truth])) / n  # share of negatives below each positive
    passing = 1 - (ranks[~truth] - rankdata(score[~truth])) / m  # share of positives above each negative
    parts = [own.var(ddof=1) / len(own) if len(own) > 1 else 0.0 for own in (passed, passing)]
    return float(passed.mean()), float(sum(parts))


def _modelled_variance(area: float, m: int, n: int) -> float:
    """Return Hanley and McNeil's variance (1982) in Newcombe's symmetric form."""
    inner = (m + n) / 2 - 1
    return area * (1 - area) * (1 + inner * (1 - area) / (2 - area) + inner * area / (1 + area)) / (m * n)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Average estimates and interval bounds, without NaN; too wide unless errors are fully correlated."""
    known = [e for e in estimates if not math.isnan(e.value)]
    if not known:
        return NO_UNITS
    return Estimate(*(sum(getattr(e, part) for e in known) / len(known) for part in ("value", "low", "high")))

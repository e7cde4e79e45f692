"""How well a classifier reads: pooled counts over all images, each figure with a 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm, rankdata
from torch import Tensor

from ..evaluation.effectiveness import Rate
from .calibration_error import CalibrationError, calibration_error
from .estimate import NO_UNITS, Estimate

Z = float(norm.ppf(0.975))


@dataclass(frozen=True)
class AttributeScores:
    """The scores of one attribute.

    Args:
        positives, n: how many of the n images have it.
        majority: how often the commoner value occurs: the accuracy of always saying that.
        accuracy: of saying 1 above one half, Wilson's interval.
        balanced_accuracy: mean of the two values' accuracies, of saying 1 above the base rate.
        balanced_accuracy_at_half: the same, of saying 1 above one half.
        auroc: area under the receiver operating characteristic.
        calibration: expected calibration error.
        confusion: at one half, {"true 1, said 1": count, ...}.
        confusion_at_base_rate: the same, of saying 1 above the base rate.
    """

    n: int
    positives: int
    majority: float
    accuracy: Estimate
    balanced_accuracy: Estimate
    balanced_accuracy_at_half: Estimate
    auroc: Estimate
    calibration: CalibrationError
    confusion: dict[str, int]
    confusion_at_base_rate: dict[str, int]


def score_attributes(
    names: Sequence[str],
    labels: Tensor,
    probabilities: Tensor,
    base_rates: Sequence[float],
    generator: torch.Generator,
) -> dict[str, AttributeScores]:
    """Scores of every attribute.

    Args:
        names: the d attributes.
        labels: (n, d) 0/1, the truth.
        probabilities: (n, d) in [0, 1].
        base_rates: (d,) thresholds of balanced accuracy: how often each attribute is 1 where the classifier learned.
        generator: source of randomness of the calibration error's interval.
    """
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
    """{"true 1, said 1": count, ...} of (n,) booleans."""
    return {f"true {t}, said {s}": int(((truth == t) & (said == s)).sum()) for t in (1, 0) for s in (1, 0)}


def balanced_accuracy(truth: np.ndarray, said: np.ndarray) -> Estimate:
    """Mean of sensitivity and specificity; their Wilson intervals are combined by square-and-add.

    Args:
        truth, said: (n,) booleans.

    Returns:
        The estimate; without units where either value does not occur.

    Source: Newcombe (1998), method 10, for the mean of two independent rates.
    """
    ones, zeros = Rate(int(said[truth].sum()), int(truth.sum())), Rate(int((~said[~truth]).sum()), int((~truth).sum()))
    if not ones.n or not zeros.n:
        return NO_UNITS
    below = [rate.value - rate.interval[0] for rate in (ones, zeros)]
    above = [rate.interval[1] - rate.value for rate in (ones, zeros)]
    value = (ones.value + zeros.value) / 2
    return Estimate(value, value - math.hypot(*below) / 2, value + math.hypot(*above) / 2)


def auroc(truth: np.ndarray, score: np.ndarray) -> Estimate:
    """P(a positive's score exceeds a negative's), ties counting half.

    The interval holds the areas that differ from the one found by no more than 1.96 standard errors of their own
    (Newcombe 2006). Their variance follows Hanley and McNeil, raised throughout where DeLong's at the area found is
    larger: Newcombe's alone is too narrow where positives vary more than negatives, and DeLong's alone where positives
    are few and the area is large, as for rare attributes read well (`tests/classifiers` shows both failing).

    Args:
        truth: (n,) booleans.
        score: (n,) floats.

    Source: Newcombe (2006), part 2, method 5; DeLong, DeLong, Clarke-Pearson (1988) by midranks (Sun, Xu 2014).

    Example:
        >>> auroc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.3, 0.9])).value
        0.75
    """
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
    """The area under the ROC curve and DeLong's estimate of its variance; 0 where a kind has a single image."""
    m, n = int(truth.sum()), int((~truth).sum())
    ranks = rankdata(score)
    passed = (ranks[truth] - rankdata(score[truth])) / n  # share of negatives below each positive
    passing = 1 - (ranks[~truth] - rankdata(score[~truth])) / m  # share of positives above each negative
    parts = [own.var(ddof=1) / len(own) if len(own) > 1 else 0.0 for own in (passed, passing)]
    return float(passed.mean()), float(sum(parts))


def _modelled_variance(area: float, m: int, n: int) -> float:
    """Hanley and McNeil's variance (1982) in Newcombe's symmetric form."""
    inner = (m + n) / 2 - 1
    return area * (1 - area) * (1 + inner * (1 - area) / (2 - area) + inner * area / (1 + area)) / (m * n)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over attributes, without those that had no units.

    Its interval is the mean of the intervals: right if the attributes err together on the same images, else too wide.
    """
    known = [e for e in estimates if not math.isnan(e.value)]
    if not known:
        return NO_UNITS
    return Estimate(*(sum(getattr(e, part) for e in known) / len(known) for part in ("value", "low", "high")))

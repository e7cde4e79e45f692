"""p-values of single links, and of families of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest, ttest_1samp

from ..errors import CausalCFError


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number, in their own order; each is compared with the family-wise error rate itself.

    Raises:
        CausalCFError: a value that is no probability.

    Source: Holm (1979), step-down.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():  # also false for NaN
        raise CausalCFError(f"p-values must lie in [0, 1]; found {[float(one) for one in p if not 0 <= one <= 1]}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = stepped
    return adjusted.tolist()


def sign_test(values: np.ndarray) -> float:
    """Two-sided p-value of a mean of 0 of paired differences.

    Differences of 0/1 readings are -1, 0 or 1: McNemar's exact test, binomial on those that are not 0. Other values
    take the one-sample t test; if they are all one value c it has no spread to go by, and the p-value is twice the
    largest chance, (1 + |c|)^-n, that n units in [-1, 1] with mean 0 are all c.

    Args:
        values: (n,) one difference for each unit, n > 0.

    Raises:
        CausalCFError: no values, or some that are not finite.

    Source: McNemar (1947), exact; Student's t else; of a constant, defined here.

    Example:
        >>> sign_test(np.array([1, 1, 1, 1, 1, 0, 0, 0]))
        0.0625
    """
    values = np.asarray(values, dtype=float)
    if not values.size or not np.isfinite(values).all():
        raise CausalCFError(f"values must be finite and at least one; found {values.tolist()[:5]}")
    if np.isin(values, (-1.0, 0.0, 1.0)).all():
        up, down = int((values > 0).sum()), int((values < 0).sum())
        return float(binomtest(up, up + down).pvalue) if up + down else 1.0
    if (values == values[0]).all():
        return float(min(1.0, 2 * (1 + abs(values[0])) ** -float(len(values))))
    return float(ttest_1samp(values, 0.0).pvalue)

"""Figures that a unit was measured for several times: pooled in their value, kept together in their interval.

One face is flipped once for each cause and read once for each label. If it is drawn badly all of these go wrong
together, so an interval that takes them for independent is too narrow by far.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..classifiers.estimate import NO_UNITS, Estimate
from ..seeds import seed_of
from .effectiveness import Rate
from .intervals import WILSON, Interval, ratio_interval

ALIKE = 1e-6  # a mean difference of floats in [0, 1] that rounding alone makes


def over_units(units: Tensor, sums: Tensor, trials: int | Tensor, asked: int | None, *names: object) -> dict[str, Any]:
    """A pooled figure in [0, 1] with its interval over units, and how many there were, JSON-ready.

    Args:
        units: (m,) int64, whose answer each of m answers is.
        sums: (m,) what the measurements on an answer add up to, in [0, trials].
        trials: how many these are, above 0, the same for all or (m,).
        asked: how many answers were asked for; None where that is not known.
        names: of the draw, as in `seed_of`.

    Returns:
        `value`, `low`, `high` and `interval_method`, null with fewer than two units; and `n` measurements on so many
        `units`, which `answered` so many of what was `asked`.

    Example:
        >>> found = over_units(torch.tensor([0, 0, 1]), torch.tensor([2, 2, 0]), 2, 4, 0)
        >>> round(found["value"], 3), found["n"], found["units"], found["answered"], found["asked"]
        (0.667, 6, 2, 3, 4)
    """
    each = torch.as_tensor(trials).expand(len(units))
    known, place = torch.unique(units, return_inverse=True)
    total, taken = (torch.zeros(len(known)).double().index_add(0, place, part.double()) for part in (sums, each))
    told = {"n": int(each.sum()), "units": len(known), "answered": len(units), "asked": asked}
    if len(known) < 2:
        return {**NO_UNITS.to_dict(), "interval_method": None, **told}
    found = _interval(total.numpy(), taken.numpy(), seed_of(*names))
    value = float(total.sum() / taken.sum())
    return {**Estimate(value, found.low, found.high).to_dict(), "interval_method": found.method, **told}


def as_share(found: dict[str, Any], yardstick: float) -> dict[str, Any]:
    """The same as a share of a yardstick, which it may exceed; null where the yardstick is 0.

    Example:
        >>> as_share({"value": 0.125, "low": 0.0, "high": 0.5, "n": 9}, 0.25)
        {'value': 0.5, 'low': 0.0, 'high': 2.0, 'n': 9}
    """
    if found["value"] is None:
        return found
    if yardstick < ALIKE:
        return {**found, **NO_UNITS.to_dict(), "interval_method": None}
    return {**found, **{key: found[key] / yardstick for key in ("value", "low", "high")}}


def _interval(total: np.ndarray, taken: np.ndarray, seed: int) -> Interval:
    """Wilson's where each unit was asked once, yes or no; else over units."""
    if (taken == 1).all() and np.isin(total, (0, 1)).all():
        return Interval(*Rate(int(total.sum()), len(total)).interval, WILSON)
    return ratio_interval(total, taken, np.random.default_rng(seed))

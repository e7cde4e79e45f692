"""A group of units with one counterfactual each: what a statement is held against."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Group:
    """m units.

    Args:
        noise, moved: (m, k) actual and counterfactual noise.
        labels, supposed: (m, d) int8 actual and counterfactual labels; (m, 0) for a generator without labels.
    """

    noise: Tensor
    labels: Tensor
    moved: Tensor
    supposed: Tensor

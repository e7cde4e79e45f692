"""Counterfactual noise as it is handed back, with what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .diagnostics import Diagnostics


@dataclass(frozen=True)
class CounterfactualNoise:
    """n draws of z* for which the antecedent holds.

    Args:
        noise: (n, k), on z's device and in its dtype.
        kept: (n, k) bool: the coordinates that stayed z's.
        diagnostics: how the draws came about and how many independent ones they are worth.
    """

    noise: Tensor
    kept: Tensor
    diagnostics: Diagnostics

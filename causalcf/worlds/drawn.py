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

    Example:
        >>> import torch
        >>> from causalcf import counterfactual_noise
        >>> shade = lambda z: ((z + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> found = counterfactual_noise(torch.tensor([-0.5]), shade, bright, {"Bright": 1}, 4, attributes=["Bright"])
        >>> found.noise.shape, bool((found.noise > 0).all()), bool(found.kept.any())
        (torch.Size([4, 1]), True, False)
    """

    noise: Tensor
    kept: Tensor
    diagnostics: Diagnostics

"""How much images change, pixel by pixel, and how much is much."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import CausalCFError


def pixel_change(before: Tensor, after: Tensor) -> Tensor:
    """Mean absolute difference of each image from its counterfactual.

    Args:
        before, after: (n, c, h, w) floats in [0, 1], on one device.

    Returns:
        (n,) float64 in [0, 1], on that device: 0 is no change, 1 is black for white everywhere.

    Raises:
        CausalCFError: images of different shapes, of integers, or out of range.

    Source: composition, reversibility and minimality of Monteiro et al. (2023) with the L1 distance over pixels.

    Example:
        >>> pixel_change(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.25)).tolist()
        [0.25, 0.25]
    """
    if before.shape != after.shape:
        shapes = f"{tuple(before.shape)} and {tuple(after.shape)}"
        raise CausalCFError(f"images before and after have shapes {shapes}; expected the same")
    _check(before)
    _check(after)
    return (before - after).abs().mean((1, 2, 3), dtype=torch.float64)


def unrelated_change(images: Tensor) -> float:
    """Mean absolute difference between different images: the yardstick for `pixel_change`.

    Each image is compared with the next, the last with the first, so that the figure is the same each time.

    Args:
        images: (n, c, h, w) floats in [0, 1], n > 1, of different units in no particular order.

    Returns:
        The mean, in [0, 1].

    Raises:
        CausalCFError: a single image, images of integers, or out of range.

    Source: defined here.

    Example:
        >>> unrelated_change(torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)]))
        1.0
    """
    _check(images)
    if len(images) < 2:
        raise CausalCFError(f"{len(images)} image(s) to compare with each other; expected at least 2")
    return float(pixel_change(images, images.roll(1, 0)).mean())


def _check(images: Tensor) -> None:
    if images.ndim != 4:
        raise CausalCFError(f"images have shape {tuple(images.shape)}; expected (n, c, h, w)")
    if not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.")
        reason = "differences of integers wrap around: 0 - 1 is 255 in uint8"
        raise CausalCFError(f"images are {kind}; expected floats in [0, 1] ({reason})")
    if images.numel() == 0:
        return
    low, high = images.detach().aminmax()
    if not (float(low) >= -1e-4 and float(high) <= 1 + 1e-4):  # also false for NaN
        raise CausalCFError(f"images have values from {float(low):.3g} to {float(high):.3g}; expected [0, 1]")

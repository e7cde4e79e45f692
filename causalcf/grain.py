"""Training images with grain: the speckle that young GANs leave, and the softness of old ones.

A classifier that only ever saw clean images is lost on generated ones, though it scores 1.000 on held-out images: it
read "man" off a run's speckled faces rightly .83 of the time, and .98 once the same images were blurred. What reads
generated images must have learned to look through the grain.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

Grain = tuple[Tensor, Tensor, Tensor]


def grained(images: Tensor, most: float, noise: Grain) -> Tensor:
    """Half of the images with grain of a random strength, fine or coarse; a quarter of all blurred before that.

    Args:
        images: (n, 3, h, w) in [-1, 1], h and w even, on any device.
        most: the greatest standard deviation of the grain, at least 0.
        noise: of n images of that size.

    Returns:
        (n, 3, h, w); grain may carry values beyond [-1, 1].
    """
    draws, fine, coarse = (part.to(images.device) for part in noise)
    draws = draws[:, :, None, None, None]
    grain = torch.where(draws[:, 0] < 0.5, fine, interpolate(coarse, scale_factor=2)).to(images.dtype)
    strength = most * draws[:, 1] * (draws[:, 2] < 0.5)
    return torch.where(draws[:, 3] < 0.25, blurred(images), images) + strength * grain


def draw_grain(shape: torch.Size, generator: torch.Generator) -> Grain:
    """Noise for images of that shape.

    Args:
        shape: (n, 3, h, w), h and w even.
        generator: source of randomness; the noise lies on its device.

    Returns:
        (n, 4) uniform on [0, 1): what becomes of each image; (n, 3, h, w) and (n, 3, h / 2, w / 2) standard normal.
    """
    n, channels, height, width = shape
    draws = torch.rand(n, 4, generator=generator, device=generator.device)
    fine = torch.randn(shape, generator=generator, device=generator.device)
    coarse = torch.randn(n, channels, height // 2, width // 2, generator=generator, device=generator.device)
    return draws, fine, coarse


def blurred(images: Tensor) -> Tensor:
    """Images under a 3x3 binomial kernel, edges repeated."""
    line = torch.tensor([0.25, 0.5, 0.25], dtype=images.dtype, device=images.device)
    kernel = torch.outer(line, line).expand(3, 1, 3, 3)
    return conv2d(pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)

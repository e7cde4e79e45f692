"""The noise term: how much of the noise can be read back off the images (InfoGAN, Chen et al. 2016)."""

from __future__ import annotations

from torch import Tensor


def noise_error(estimate: Tensor, noise: Tensor) -> Tensor:
    """(n,) squared error over the variance of uniform(-1, 1), mean over the coordinates read: 1 if nothing can be read.

    Args:
        estimate: (n, c) readings of the first c coordinates.
        noise: (n, k) the noise, uniform on (-1, 1).
    """
    return (estimate.float() - noise[:, : estimate.shape[1]]).square().mean(1) * 3

"""Losses of a reconstructed image and of the normals it came from; (n,) terms, not averaged over the batch."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d

SCALES = (1, 2, 4, 8)  # pixels a side that are averaged: images of 64, 32, 16 and 8 pixels
KL_WEIGHT = 1e-4  # of a nat, beside the mean distance of pixels at four scales


def multi_scale_l1(made: Tensor, images: Tensor) -> Tensor:
    """Return the (n,) mean absolute differences of (n, 3, 64, 64) images, summed over four scales."""
    apart = made.float() - images.float()
    pooled = [avg_pool2d(apart, scale) if scale > 1 else apart for scale in SCALES]
    return sum((scale.abs().flatten(1).mean(1) for scale in pooled), start=apart.new_zeros(len(apart)))


def divergence_from_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the (n,) KL divergence in nats of (n, k) normals from standard ones, summed over k."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2

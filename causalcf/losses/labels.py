"""CausalGAN's label terms (Kocaoglu et al. 2018, eq. 5) and InfoGAN's noise term (Chen et al. 2016)."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the (n,) cross-entropy of (n, d) logits and 0/1 labels, in nats, summed over the labels."""
    return binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none").sum(1)


def anti_labeler_weight(images: int, decay: float) -> float:
    """Return the Anti-Labeler's weight exp(-images / decay), which fades during training."""
    return math.exp(-images / decay)


def noise_error(estimate: Tensor, noise: Tensor) -> Tensor:
    """Return the (n,) mean squared error divided by the variance of uniform(-1, 1); 1 if uninformative."""
    return (estimate.float() - noise[:, : estimate.shape[1]]).square().mean(1) * 3

"""The label terms of CausalGAN's objectives (Kocaoglu et al. 2018, eq. 5)."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(n,) cross-entropy of a reading of the labels, in nats, summed over the d labels.

    Args:
        logits: (n, d) readings.
        labels: (n, d) 0/1 labels.
    """
    return binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none").sum(1)


def anti_labeler_weight(step: int, decay: float = 3000.0) -> float:
    """k_t = exp(-t / decay): the Anti-Labeler's weight fades once the generator has learned the labels."""
    return math.exp(-step / decay)

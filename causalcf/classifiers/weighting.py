"""Loss weights against imbalance, and what they do to the log-odds.

A loss that weighs ones by w1 and zeros by w0 is least where the network says log-odds(true) + log(w1 / w0): the shift
is known exactly, so calibration takes it off again.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

MOST_UNEVEN = 20.0  # the weights of an attribute's two values differ by no more than this factor


def base_rates(labels: Tensor) -> Tensor:
    """How often each attribute is 1, (d,) float64, drawn a little towards one half so that none is 0 or 1.

    Args:
        labels: (n, d) 0/1.
    """
    return (labels.double().sum(0) + 0.5) / (len(labels) + 1)


@dataclass(frozen=True)
class Weighting:
    """Weights of the two values of each attribute, whose mean over the data is 1.

    Args:
        ones, zeros: (d,) float64.
    """

    ones: Tensor
    zeros: Tensor

    @property
    def shift(self) -> Tensor:
        """What the weights add to the log-odds that minimise the loss, (d,) float64."""
        return (self.ones / self.zeros).log()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The weighted cross-entropy, (n, d), unreduced.

        Args:
            logits, labels: (n, d) floats; labels 0 or 1.
        """
        ones, zeros = self.ones.to(logits), self.zeros.to(logits)
        weight = zeros + (ones - zeros) * labels
        return weight * binary_cross_entropy_with_logits(logits, labels, reduction="none")


def weighting(rates: Tensor, balance: float) -> Weighting:
    """Weights with ratio ((1 - rate) / rate)^balance, at most 20 either way.

    Args:
        rates: (d,) base rates in (0, 1).
        balance: 0 weighs every image alike, 1 gives both values the same total weight.

    Example:
        >>> import torch
        >>> both = weighting(torch.tensor([0.2], dtype=torch.float64), 1.0)
        >>> round(float(both.ones), 3), round(float(both.zeros), 3)
        (2.5, 0.625)
    """
    ratio = ((1 - rates) / rates).pow(balance).clamp(1 / MOST_UNEVEN, MOST_UNEVEN)
    mean = rates * ratio + (1 - rates)
    return Weighting(ratio / mean, 1 / mean)

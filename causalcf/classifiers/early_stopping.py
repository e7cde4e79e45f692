"""Early stopping on the held-out loss after calibration, and loss weights against class imbalance.
Source: Berta, Holzmüller, Jordan, Bach 2025, "Rethinking early stopping: refine, then calibrate".
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..data.images import to_symmetric
from ..errors import CausalCFError
from .calibration import fit_calibration
from .classifier import CHUNK, raw_logits
from .splits import Split

MAX_UNEVEN = 20.0  # the weights of an attribute's two values differ by no more than this factor


def base_rates(labels: Tensor) -> Tensor:
    """Return the rate of 1 of each attribute, (d,) float64, shrunk slightly towards 0.5, never 0 or 1."""
    return (labels.double().sum(0) + 0.5) / (len(labels) + 1)


@dataclass(frozen=True)
class Weighting:
    """Loss weights of the two values of each attribute, (d,) float64; their mean over the data is 1."""

    ones: Tensor
    zeros: Tensor

    @property
    def shift(self) -> Tensor:
        """Return what the weights add to the log-odds that minimise the loss, (d,) float64."""
        return (self.ones / self.zeros).log()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted cross-entropy, (n, d), unreduced."""
        ones, zeros = self.ones.to(logits), self.zeros.to(logits)
        weight = zeros + (ones - zeros) * labels
        return weight * binary_cross_entropy_with_logits(logits, labels, reduction="none")


def weighting(rates: Tensor, balance: float) -> Weighting:
    """Return weights with ratio ((1 - rate) / rate)^balance, clamped to [1/20, 20]."""
    ratio = ((1 - rates) / rates).pow(balance).clamp(1 / MAX_UNEVEN, MAX_UNEVEN)
    mean = rates * ratio + (1 - rates)
    return Weighting(ratio / mean, 1 / mean)


@dataclass(frozen=True)
class Progress:
    """State of a training at one evaluation; losses in nats per label, the held-out loss calibrated."""

    images: int
    train_loss: float
    held_out_loss: float
    best: bool


class Choice:
    """Early stopping that keeps the weights with the lowest calibrated loss on held-out images."""

    def __init__(self, held_out: Split, attributes: Sequence[str], rates: Tensor, shift: Tensor) -> None:
        self.held_out, self.labels, self.rates, self.shift = held_out, held_out.labels(attributes), rates, shift
        self.least, self.worse_in_a_row = math.inf, 0
        self.best: nn.Module = nn.Identity()

    def consider(self, network: nn.Module, images: int, train_loss: float) -> Progress:
        """Evaluate a copy of the network and keep it if it is the best so far; refuse a non-finite loss."""
        network = copy.deepcopy(network).eval().requires_grad_(False)
        logits = classify_split(network, self.held_out, mirror=False)
        loss = fit_calibration(logits, self.labels, self.rates, self.shift).loss(logits, self.labels)
        if not (math.isfinite(loss) and math.isfinite(train_loss)):
            raise CausalCFError(f"training diverged by image {images:,}: a loss is not finite; lower learning_rate")
        best = loss < self.least
        self.worse_in_a_row = 0 if best else self.worse_in_a_row + 1
        if best:
            self.least, self.best = loss, network
        return Progress(images, train_loss, loss, best)


@torch.no_grad()
def classify_split(network: nn.Module, part: Split, mirror: bool) -> Tensor:
    """Return the network's own logits of a split's images, (n, d) float32 on the CPU."""
    device = next(network.parameters()).device
    read = []
    for index in torch.arange(len(part)).split(CHUNK):
        images = to_symmetric(part.pixels(index).to(device)).contiguous(memory_format=torch.channels_last)
        read.append(raw_logits(network, images, mirror).float().cpu())
    return torch.cat(read)

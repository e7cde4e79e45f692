"""When a training has learned what it can: the loss on held-out images, after calibrating on them.

A network grows overconfident before it stops getting better at telling images apart. The overconfidence is taken off
after training, so it should not end one (Berta, Holzmüller, Jordan, Bach 2025, "Rethinking early stopping: refine, then
calibrate").
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data.images import to_symmetric
from ..errors import CausalCFError
from .calibration import fit_calibration
from .classifier import CHUNK, raw_logits
from .parts import Part


@dataclass(frozen=True)
class Progress:
    """How a training stood at one evaluation.

    Args:
        images: how many it had seen.
        train_loss: mean weighted loss since the evaluation before, in nats a label.
        held_out_loss: mean loss on the held-out images after calibration, in nats a label.
        best: whether every evaluation before was worse.
    """

    images: int
    train_loss: float
    held_out_loss: float
    best: bool


class Choice:
    """Keeps the weights whose calibrated loss on held-out images is least.

    Args:
        held_out: images that the network does not learn from.
        attributes: what it reads.
        rates, shift: as in `fit_calibration`.
    """

    def __init__(self, held_out: Part, attributes: Sequence[str], rates: Tensor, shift: Tensor) -> None:
        self.held_out, self.labels, self.rates, self.shift = held_out, held_out.labels(attributes), rates, shift
        self.least, self.worse_in_a_row = math.inf, 0
        self.best: nn.Module = nn.Identity()

    def consider(self, network: nn.Module, images: int, train_loss: float) -> Progress:
        """Evaluates a copy of the network and keeps it if it is the best yet.

        Raises:
            CausalCFError: a loss is no longer finite.
        """
        network = copy.deepcopy(network).eval().requires_grad_(False)
        logits = read_part(network, self.held_out, mirror=False)
        loss = fit_calibration(logits, self.labels, self.rates, self.shift).loss(logits, self.labels)
        if not (math.isfinite(loss) and math.isfinite(train_loss)):
            raise CausalCFError(f"training diverged by image {images:,}: a loss is not finite; lower learning_rate")
        best = loss < self.least
        self.worse_in_a_row = 0 if best else self.worse_in_a_row + 1
        if best:
            self.least, self.best = loss, network
        return Progress(images, train_loss, loss, best)


@torch.no_grad()
def read_part(network: nn.Module, part: Part, mirror: bool) -> Tensor:
    """The network's own logits of a part's images, (n, d) float32 on the CPU."""
    device = next(network.parameters()).device
    read = []
    for index in torch.arange(len(part)).split(CHUNK):
        images = to_symmetric(part.pixels(index).to(device)).contiguous(memory_format=torch.channels_last)
        read.append(raw_logits(network, images, mirror).float().cpu())
    return torch.cat(read)

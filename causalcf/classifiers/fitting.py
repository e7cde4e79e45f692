"""One step of a classifier's training: AdamW on a one-cycle schedule, and the average of the weights beside it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..precision import autocast
from .recipe import ClassifierRecipe
from .weighting import Weighting

AVERAGED_STEPS = 20  # the average looks back over one step in so many of the whole training
WARM_UP = 0.2  # of the training, until the rate is at its peak


class Fit:
    """A network in training and its moving average, norms' statistics included.

    Args:
        network: fresh, on its device.
        weights: of the loss.
        recipe: resolved; of it the learning rate at its peak and the weight decay.
        steps: how many there will be.
        precision: "bf16" or "float32", of the convolutions.
    """

    def __init__(
        self, network: nn.Module, weights: Weighting, recipe: ClassifierRecipe, steps: int, precision: str
    ) -> None:
        rate, decay = recipe.learning_rate, recipe.weight_decay
        assert rate is not None and decay is not None
        self.network, self.weights, self.precision = network.train(), weights, precision
        self.device = next(network.parameters()).device
        matrices = [w for w in network.parameters() if w.ndim > 1]
        others = [w for w in network.parameters() if w.ndim <= 1]  # norms and biases are not drawn towards 0
        groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, rate, fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=steps, pct_start=WARM_UP)
        kept = max(0.0, 1 - AVERAGED_STEPS / steps)
        self._averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(kept), use_buffers=True)

    @property
    def average(self) -> nn.Module:
        """The averaged network."""
        return self._averaged.module

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step down the loss.

        Args:
            images: (n, 3, 64, 64) in [-1, 1], on the network's device.
            labels: (n, d) floats of 0 and 1, there too.

        Returns:
            The mean loss, detached, still on the device.
        """
        with autocast(self.device, self.precision):
            logits = self.network(images)
        loss = self.weights.loss(logits.float(), labels).mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self._averaged.update_parameters(self.network)
        return loss.detach()

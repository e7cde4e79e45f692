"""EMA weights of the generator; every sample comes from them."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


def ema_copy(net: Net) -> Net:
    """Return a frozen copy of `net` in evaluation mode, to hold the EMA weights."""
    return copy.deepcopy(net).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Update the EMA weights: move each a share 1 - decay towards the current weight."""
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)


@torch.no_grad()
def calibrate_batch_norm(average: nn.Module, noise: Tensor, labels: Tensor, batch: int = 64) -> None:
    """Recompute the batch norm statistics for the EMA weights, averaged over batches of inputs."""
    norms = [m for m in average.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
        norm.train()
    for z, row in zip(noise.split(batch), labels.split(batch), strict=True):
        average(z, row)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()

"""Batch norm over the images of all processes: the generator's statistics are those of the whole batch.

torch.nn.SyncBatchNorm does the same, but on CUDA devices only. The sums of all processes are added up, forwards the
channels' sums and squares, and backwards their gradients, one message of two numbers a channel each way.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .group import size


class _SumOverProcesses(torch.autograd.Function):
    """Of every process's tensor. All processes' losses depend on each summand, so that gradients are summed, too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _SumOverProcesses.apply(gradients[0])


class SharedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d`, whose statistics in training mode are those of all processes' images, in at least float32."""

    def forward(self, features: Tensor) -> Tensor:
        """(n, c, h, w) to the same."""
        if not self.training:
            return super().forward(features)
        assert self.running_mean is not None
        # Less a mean that all processes know already, so that squares far from 0 do not swallow the variance.
        exact = features.to(torch.promote_types(features.dtype, torch.float32))
        near = exact - _planes(self.running_mean)
        sums = torch.stack([near.sum((0, 2, 3)), near.square().sum((0, 2, 3))])
        n = size() * features.numel() // self.num_features
        mean, square = _SumOverProcesses.apply(sums) / n
        variance = (square - mean.square()).clamp(min=0)
        self._remember(mean.detach(), variance.detach() * n / (n - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return ((near - _planes(mean)) * _planes(scale) + _planes(self.bias)).to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Running statistics for evaluation mode, as batch norm keeps them; `mean` is how far the mean moved."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.running_mean.add_(mean, alpha=self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


def share_batch_norm(net: nn.Module) -> None:
    """Puts shared batch norm in the place of a network's `nn.BatchNorm2d`; weights and names stay as they are."""
    if size() == 1:
        return
    for parent in list(net.modules()):
        for name, norm in list(parent.named_children()):
            if type(norm) is nn.BatchNorm2d:
                setattr(parent, name, _shared(norm))


def _shared(norm: nn.BatchNorm2d) -> SharedBatchNorm2d:
    shared = SharedBatchNorm2d(norm.num_features, norm.eps, norm.momentum)
    shared.weight, shared.bias = norm.weight, norm.bias
    shared.running_mean, shared.running_var = norm.running_mean, norm.running_var
    shared.num_batches_tracked = norm.num_batches_tracked
    return shared.train(norm.training)


def _planes(channels: Tensor) -> Tensor:
    return channels[:, None, None]

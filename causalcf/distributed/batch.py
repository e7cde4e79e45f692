"""One batch shared by all processes: each draws the whole batch and takes its part.
Gradients are averaged here because DistributedDataParallel does not support `torch.autograd.grad`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .group import rank, size


def own_share(whole: Tensor) -> Tensor:
    """Return this process's rows of `whole` (n, ...); n must be a multiple of the number of processes."""
    return whole.chunk(size())[rank()]


def whole_batch(share: Tensor) -> Tensor:
    """Return the rows of all processes in order, without a gradient."""
    if size() == 1:
        return share
    parts = [torch.empty_like(share, memory_format=torch.contiguous_format) for _ in range(size())]
    dist.all_gather(parts, share.detach().contiguous())
    return torch.cat(parts)


def average_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, in one message."""
    _replace(tensors, dist.all_reduce, size())


def take_first(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by that of the first process, in one message."""
    _replace(tensors, partial(dist.broadcast, src=0))


@torch.no_grad()
def _replace(tensors: Sequence[Tensor], exchange: Callable[[Tensor], Any], divisor: int = 1) -> None:
    if size() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    exchange(flat)
    parts = (flat / divisor).split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))


class _SumOverProcesses(torch.autograd.Function):
    """Sum over all processes; gradients are summed too, since every loss depends on every summand."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _SumOverProcesses.apply(gradients[0])


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with training statistics over the images of all processes, in at least float32."""

    def forward(self, features: Tensor) -> Tensor:
        """Normalise (n, c, h, w) features; the shape stays the same."""
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
        scale = (variance + self.eps).rsqrt()
        if not self.affine:
            return ((near - _planes(mean)) * _planes(scale)).to(features.dtype)
        return ((near - _planes(mean)) * _planes(self.weight * scale) + _planes(self.bias)).to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics; `mean` is the difference from the running mean."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.running_mean.add_(mean, alpha=self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


def share_batch_norm(net: nn.Module) -> None:
    """Make a network's `nn.BatchNorm2d` layers shared ones; weights and names stay the same."""
    if size() == 1:
        return
    for norm in net.modules():
        if type(norm) is nn.BatchNorm2d:
            norm.__class__ = SharedBatchNorm2d  # which adds no state


def _planes(channels: Tensor) -> Tensor:
    return channels[:, None, None]

"""One batch shared out: every process draws the whole of it and takes its part; gradients and losses are averaged.

All parts are of one size, and every loss is a mean over images that no other image has a say in, but through the
generator's batch norm (batch_norm.py). So the mean over processes of their means is the mean over the whole batch, and
the same holds for gradients.

Gradients are averaged here and not by DistributedDataParallel: that works only where they are accumulated by
`backward` in `.grad` (its own documentation says so), and the step takes them by `torch.autograd.grad`, twice through
the discriminator for R1. tests/test_distributed.py shows what it would do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from .group import rank, size


def own_share(whole: Tensor) -> Tensor:
    """This process's rows of what all have drawn alike.

    Args:
        whole: (n, ...), n a multiple of the number of processes.
    """
    return whole.chunk(size())[rank()]


def whole_batch(share: Tensor) -> Tensor:
    """The rows of all processes in order, without a gradient."""
    if size() == 1:
        return share
    parts = [torch.empty_like(share, memory_format=torch.contiguous_format) for _ in range(size())]
    dist.all_gather(parts, share.detach().contiguous())
    return torch.cat(parts)


@torch.no_grad()
def average_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replaces each tensor by its mean over all processes; all go in one message."""
    if size() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    _spread(flat / size(), tensors)


@torch.no_grad()
def take_first(tensors: Sequence[Tensor]) -> None:
    """Replaces each tensor by the first process's."""
    if size() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.broadcast(flat, src=0)
    _spread(flat, tensors)


def _spread(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))

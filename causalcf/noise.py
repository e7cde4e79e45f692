"""The prior of the image noise."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform_noise(n: int, dimensions: int, generator: torch.Generator | None) -> Tensor:
    """(n, dimensions) noise, uniform on (-1, 1)."""
    return torch.rand(n, dimensions, generator=generator) * 2 - 1

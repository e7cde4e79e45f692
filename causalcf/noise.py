"""The prior of the image noise."""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import check_count
from .labels.randomness import fresh


def uniform_noise(n: int, dimensions: int, generator: torch.Generator | None) -> Tensor:
    """(n, dimensions) float32 noise, uniform on (-1, 1), on the generator's device; a new one's where None."""
    check_count("n", n, least=0, each=dimensions)
    generator = fresh(generator)
    return torch.rand(n, dimensions, generator=generator, dtype=torch.float32, device=generator.device) * 2 - 1

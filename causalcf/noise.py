"""The prior of the image noise."""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import check, check_count


def uniform_noise(n: int, dimensions: int, generator: torch.Generator | None) -> Tensor:
    """(n, dimensions) float32 noise, uniform on (-1, 1), on the generator's device."""
    check_count("n", n, least=0, each=dimensions)
    check(generator is None or isinstance(generator, torch.Generator), "generator", generator, "a torch.Generator")
    device = None if generator is None else generator.device
    return torch.rand(n, dimensions, generator=generator, dtype=torch.float32, device=device) * 2 - 1

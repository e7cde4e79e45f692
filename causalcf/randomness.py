"""Random draws that leave torch's global state alone: seeds of named draws, uniforms, the noise prior."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from .checks import check, check_count


def seed_of(*names: object) -> int:
    """Return a seed in [0, 2^63) from a seed and names, the same on every machine."""
    digest = hashlib.sha256("\n".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator_of(*names: object) -> torch.Generator:
    """Return a generator seeded by a seed and names."""
    return torch.Generator().manual_seed(seed_of(*names))


def fresh(generator: torch.Generator | None) -> torch.Generator:
    """Return the given generator, or a new one seeded by the operating system."""
    check(generator is None or isinstance(generator, torch.Generator), "generator", generator, "a torch.Generator")
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    return generator


def uniform(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Draw float64 uniforms in [0, 1) on the CPU, for any default dtype and generator device."""
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device).cpu()


def uniform_noise(n: int, dimensions: int, generator: torch.Generator | None) -> Tensor:
    """Return (n, dimensions) float32 noise, uniform on (-1, 1), on the generator's device."""
    check_count("n", n, least=0, each=dimensions)
    generator = fresh(generator)
    return torch.rand(n, dimensions, generator=generator, dtype=torch.float32, device=generator.device) * 2 - 1

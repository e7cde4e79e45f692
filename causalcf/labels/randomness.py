"""Random numbers that never touch torch's global state."""

from __future__ import annotations

import torch

from ..arguments import check


def fresh(generator: torch.Generator | None) -> torch.Generator:
    """The given generator, or a new one seeded by the operating system.

    Raises:
        CausalCFError: something else.
    """
    check(generator is None or isinstance(generator, torch.Generator), "generator", generator, "a torch.Generator")
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    return generator


def uniform(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Float64 uniforms in [0, 1) on the CPU, whatever the default dtype and the generator's device."""
    return torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device).cpu()

"""The law that an image generator's noise is drawn from: uniform on (-1, 1), standard normal, or the user's own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..arguments import check_choice
from ..errors import CausalCFError
from ..noise import uniform_noise

Prior = Callable[[int, int, torch.Generator], Tensor]
"""(n, k, generator) -> (n, k) independent draws."""


def _normal(n: int, k: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, k, generator=generator, dtype=torch.float32, device=generator.device)


PRIORS: dict[str, Prior] = {"uniform": uniform_noise, "normal": _normal}


def find_prior(prior: str | Prior) -> Prior:
    """The prior with a name, or the given callable.

    Args:
        prior: "uniform" on (-1, 1), "normal", or a callable (n, k, generator) -> (n, k) draws.

    Raises:
        CausalCFError: another name; says the nearest.
    """
    if callable(prior):
        return prior
    allowed = [*PRIORS, "a callable (n, k, generator) -> (n, k)"]
    return PRIORS[check_choice("prior", prior, allowed[:2] if isinstance(prior, str) else allowed)]


def draw_prior(prior: Prior, n: int, k: int, generator: torch.Generator) -> Tensor:
    """(n, k) draws from the prior, checked.

    Raises:
        CausalCFError: the prior gave something else.
    """
    drawn = prior(n, k, generator)
    if not isinstance(drawn, Tensor) or drawn.shape != (n, k):
        shape = tuple(drawn.shape) if isinstance(drawn, Tensor) else type(drawn).__name__
        raise CausalCFError(f"prior gave {shape}; it must give a tensor of shape ({n}, {k}): n draws of k coordinates")
    if not bool(drawn.isfinite().all()):
        raise CausalCFError("prior gave values that are not finite")
    return drawn


def uniform01(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Float32 uniforms in [0, 1) on the generator's device, whatever the default dtype."""
    return torch.rand(shape, generator=generator, dtype=torch.float32, device=generator.device)

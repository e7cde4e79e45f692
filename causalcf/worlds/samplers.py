"""Counterfactual noise around an actual one, with no antecedent: the Gaussian baseline, and the ESM kernel."""

from __future__ import annotations

import math
from numbers import Real

import torch
from torch import Tensor

from ..arguments import check_count
from ..errors import CausalCFError
from ..labels.randomness import fresh
from .priors import Prior, find_prior
from .sticky import StickyKernel


def gaussian_cf_sampler(z: Tensor, n: int, scale: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """n noises around z: z + scale * standard normal. The baseline; its draws do not follow the prior.

    Args:
        z: (k,) or (b, k) actual noise, on any device.
        n: draws for each.
        scale: standard deviation, at least 0.
        generator: source of randomness, on any device; a new one is seeded by the operating system where None.

    Returns:
        (n, k), or (b, n, k); z's device and dtype.

    Raises:
        CausalCFError: a z of another shape or not finite, n below 1, a negative scale.

    Source: defined here.

    Example:
        >>> z = torch.zeros(100)
        >>> gaussian_cf_sampler(z, 2, scale=0.0, generator=torch.Generator().manual_seed(0)).abs().max().item()
        0.0
    """
    check_noise(z, (1, 2))
    check_count("n", n, each=z.numel())
    if not (isinstance(scale, Real) and math.isfinite(scale) and scale >= 0):
        raise CausalCFError(f"scale is {scale!r}; it must be a number, at least 0")
    source = fresh(generator)
    shape = (*z.shape[:-1], n, z.shape[-1])
    steps = torch.randn(shape, generator=source, dtype=torch.float32, device=source.device)
    return z.unsqueeze(-2) + scale * steps.to(z)


def esm_cf_sampler(
    z: Tensor,
    n: int,
    stickiness: float = 0.5,
    prior: str | Prior = "uniform",
    per: str = "dimension",
    generator: torch.Generator | None = None,
) -> Tensor:
    """n counterfactual noises of z: each coordinate kept with probability `stickiness`, else drawn anew.

    Where z follows the prior, so do the draws.

    Args:
        z: (k,) or (b, k) actual noise, on any device.
        n: draws for each.
        stickiness: s in [0, 1]; 1 returns z itself, 0 draws from the prior.
        prior: "uniform" on (-1, 1), "normal", or a callable (n, k, generator) -> (n, k); for per="dimension" its
            coordinates must be independent.
        per: "dimension": every coordinate is an exogenous variable; "vector": the whole noise is one.
        generator: source of randomness, on any device; a new one is seeded by the operating system where None.

    Returns:
        (n, k), or (b, n, k); z's device and dtype.

    Raises:
        CausalCFError: a z of another shape or not finite, n below 1, a stickiness outside [0, 1], an unknown prior or
            per.

    Source: Lucas and Kemp (2015), the extended structural model, on the generator's noise.

    Example:
        >>> z = torch.full((1000,), 5.0)
        >>> drawn = esm_cf_sampler(z, 4, stickiness=0.5, generator=torch.Generator().manual_seed(0))
        >>> drawn.shape, 0.4 < (drawn == 5).float().mean().item() < 0.6
        (torch.Size([4, 1000]), True)
    """
    check_noise(z, (1, 2))
    check_count("n", n, each=z.numel())
    kernel = StickyKernel(stickiness, find_prior(prior), per)
    actual = z.unsqueeze(-2).expand(*z.shape[:-1], n, z.shape[-1])
    rows = actual.reshape(-1, z.shape[-1])
    return kernel.draw(len(rows), z, fresh(generator)).noise(rows).view(actual.shape)


def check_noise(z: Tensor, dimensions: tuple[int, ...]) -> None:
    """Refuse a noise that is no finite floating-point tensor of the right number of dimensions.

    Raises:
        CausalCFError: says what was found.
    """
    shapes = " or ".join({1: "(k,)", 2: "(b, k)"}[d] for d in dimensions)
    if not isinstance(z, Tensor):
        raise CausalCFError(f"z is a {type(z).__name__}; it must be a tensor of shape {shapes}")
    if z.ndim not in dimensions or 0 in z.shape:
        raise CausalCFError(f"z has shape {tuple(z.shape)}; it must be {shapes}")
    if not z.is_floating_point():
        raise CausalCFError(f"z is of {z.dtype}; it must be floating point")
    if not bool(z.isfinite().all()):
        raise CausalCFError("z holds values that are not finite")

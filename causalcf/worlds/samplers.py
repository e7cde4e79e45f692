"""Priors of the image noise, the ESM kernel K_s, and counterfactual noise without an antecedent.
K_s: z*_i = z_i with probability s, else a new draw from the prior.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from ..checks import check, check_choice, check_count
from ..errors import CausalCFError
from ..randomness import fresh, uniform_noise

Prior = Callable[[int, int, torch.Generator], Tensor]
"""(n, k, generator) -> (n, k) independent draws."""
PER = ("dimension", "vector")


def _normal(n: int, k: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, k, generator=generator, dtype=torch.float32, device=generator.device)


PRIORS: dict[str, Prior] = {"uniform": uniform_noise, "normal": _normal}
LARGEST = {"uniform": 1.0, "normal": 38.0}  # values; a normal one beyond has a probability below the smallest float


def find_prior(prior: str | Prior) -> Prior:
    """Return the prior with this name, or the given callable (n, k, generator) -> (n, k)."""
    if callable(prior):
        return prior
    allowed = [*PRIORS, "a callable (n, k, generator) -> (n, k)"]
    return PRIORS[check_choice("prior", prior, allowed[:2] if isinstance(prior, str) else allowed)]


def draw_prior(prior: Prior, n: int, k: int, generator: torch.Generator) -> Tensor:
    """Draw (n, k) samples from the prior, and check that they have this shape and are finite."""
    drawn = prior(n, k, generator)
    if not isinstance(drawn, Tensor) or drawn.shape != (n, k):
        wanted = f"a tensor of shape ({n}, {k}): n draws of k coordinates"
        raise CausalCFError(f"prior gave {shape_of(drawn)}; it must give {wanted}")
    if not bool(drawn.isfinite().all()):
        raise CausalCFError("prior gave values that are not finite")
    return drawn


def shape_of(value: object) -> str:
    """Return a tensor's type and shape, or the type of what is none, for errors."""
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"


def uniform01(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw float32 uniforms in [0, 1) on the generator's device, for any default dtype."""
    return torch.rand(shape, generator=generator, dtype=torch.float32, device=generator.device)


@dataclass(frozen=True)
class Pairs:
    """Pairs (m, v): `kept` is (n, k) bool or (n, 1) per vector; `fresh` is (n, k) prior draws."""

    kept: Tensor
    fresh: Tensor

    def noise(self, z: Tensor) -> Tensor:
        """Return (n, k): z, (k,) or (n, k), where kept (bit for bit), else fresh."""
        return torch.where(self.kept, z, self.fresh)

    def __getitem__(self, rows: Tensor) -> Pairs:
        return Pairs(self.kept[rows], self.fresh[rows])

    def replaced(self, where: Tensor, other: Pairs) -> Pairs:
        """Return the pairs with the rows of `other` where `where` (n,) is true."""
        rows = where[:, None]
        return Pairs(torch.where(rows, other.kept, self.kept), torch.where(rows, other.fresh, self.fresh))


@dataclass(frozen=True)
class StickyKernel:
    """Kernel K_s: keep each coordinate (or the vector) with probability s, else redraw (Lucas, Kemp 2015)."""

    stickiness: float
    prior: Prior
    per: str

    def __post_init__(self) -> None:
        check_choice("per", self.per, PER)
        s = self.stickiness
        check(isinstance(s, Real) and not isinstance(s, bool), "stickiness", s, "a number from 0 to 1")
        check(0 <= s <= 1, "stickiness", s, "from 0 (all redrawn) to 1 (all kept)")

    def draw(self, n: int, like: Tensor, generator: torch.Generator) -> Pairs:
        """Draw n pairs, on the device and in the dtype of `like` (..., k)."""
        k = like.shape[-1]
        kept = uniform01((n, k if self.per == "dimension" else 1), generator) < self.stickiness
        fresh = draw_prior(self.prior, n, k, generator)
        return Pairs(kept.to(like.device), fresh.to(like))

    def sites(self, k: int) -> int:
        """Return the number of independent parts of a pair: k pairs (m_i, v_i), or one m and k v_i."""
        return k if self.per == "dimension" else k + 1

    def refresh(self, pairs: Pairs, size: float, generator: torch.Generator) -> Pairs:
        """Redraw a random subset of parts, at least one and `size` on average: a reversible proposal."""
        n, k = pairs.fresh.shape
        parts = self.sites(k)
        share = (size - 1) / (parts - 1) if parts > 1 else 0.0
        chosen = uniform01((n, parts), generator) < share
        certain = (uniform01((n, 1), generator) * parts).long().clamp(max=parts - 1)
        chosen = chosen.scatter(1, certain, True).to(pairs.fresh.device)
        new = self.draw(n, pairs.fresh, generator)
        kept_parts, fresh_parts = (chosen, chosen) if self.per == "dimension" else (chosen[:, k:], chosen[:, :k])
        return Pairs(torch.where(kept_parts, new.kept, pairs.kept), torch.where(fresh_parts, new.fresh, pairs.fresh))


def gaussian_cf_sampler(z: Tensor, n: int, scale: float = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """Draw n noises around z: z + scale * standard normal. This baseline does not preserve the prior.

    Args:
        z: (k,) or (b, k) actual noise, on any device.
        n: number of draws for each z.
        scale: standard deviation, at least 0.
        generator: source of randomness, on any device; None means a new one, seeded by the operating system.

    Returns:
        (n, k), or (b, n, k); z's device and dtype.

    Raises:
        CausalCFError: a z of another shape or not finite, n below 1, a negative scale.

    Source: defined here.

    Examples:
        >>> z = torch.zeros(100)
        >>> gaussian_cf_sampler(z, 2, scale=0.0, generator=torch.Generator().manual_seed(0)).abs().max().item()
        0.0
    """
    check_noise(z, (1, 2))
    check_count("n", n, each=z.numel())
    check(isinstance(scale, Real) and math.isfinite(scale) and scale >= 0, "scale", scale, "a number, at least 0")
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
    """Draw n counterfactual noises of z: each coordinate is kept with probability `stickiness`, else redrawn.

    If z follows the prior, the draws follow it too.

    Args:
        z: (k,) or (b, k) actual noise, on any device.
        n: number of draws for each z.
        stickiness: s in [0, 1]; 1 returns z itself, 0 draws from the prior.
        prior: "uniform" on (-1, 1), "normal", or a callable (n, k, generator) -> (n, k). For per="dimension" its
            coordinates must be independent.
        per: "dimension": every coordinate is an exogenous variable; "vector": the whole noise is one.
        generator: source of randomness, on any device; None means a new one, seeded by the operating system.

    Returns:
        (n, k), or (b, n, k); z's device and dtype.

    Raises:
        CausalCFError: a z of another shape, not finite or beyond what the prior gives ([-1, 1]; for "normal" 38), n
            below 1, a stickiness outside [0, 1], an unknown prior or per.

    Source: Lucas and Kemp (2015), the extended structural model, on the generator's noise.

    Examples:
        >>> z = torch.full((1000,), 0.5)
        >>> drawn = esm_cf_sampler(z, 4, stickiness=0.5, generator=torch.Generator().manual_seed(0))
        >>> drawn.shape, 0.4 < (drawn == 0.5).float().mean().item() < 0.6
        (torch.Size([4, 1000]), True)
    """
    law = find_prior(prior)
    check_noise(z, (1, 2), law)
    check_count("n", n, each=z.numel())
    kernel = StickyKernel(stickiness, law, per)
    actual = z.unsqueeze(-2).expand(*z.shape[:-1], n, z.shape[-1])
    rows = actual.reshape(-1, z.shape[-1])
    return kernel.draw(len(rows), z, fresh(generator)).noise(rows).view(actual.shape)


def check_noise(z: Tensor, dimensions: tuple[int, ...], prior: Prior | None = None) -> None:
    """Check that z is a finite float tensor with one of these numbers of dimensions, which the prior can give."""
    shapes = " or ".join({1: "(k,)", 2: "(b, k)"}[d] for d in dimensions)
    if not isinstance(z, Tensor):
        raise CausalCFError(f"z is a {type(z).__name__}; it must be a tensor of shape {shapes}")
    if z.ndim not in dimensions or 0 in z.shape:
        raise CausalCFError(f"z has shape {tuple(z.shape)}; it must be {shapes}")
    if not z.is_floating_point():
        raise CausalCFError(f"z is of {z.dtype}; it must be floating point")
    if not bool(z.isfinite().all()):
        raise CausalCFError("z holds values that are not finite")
    name = next((name for name, law in PRIORS.items() if law is prior), None)
    if name is not None and (largest := float(z.abs().max())) > LARGEST[name]:
        other = 'prior="normal", or a callable' if name == "uniform" else "a callable"
        raise CausalCFError(
            f"z has a value of size {largest:.9g}, which prior={name!r} cannot give: at most {LARGEST[name]:g}; set "
            f"prior= to the law that z was drawn from: {other}"
        )

"""The ESM kernel K_s on noise, as pairs: which coordinates are kept, and what the others are redrawn to.

    z*_i = z_i where m_i, else v_i        m_i ~ Bernoulli(s), v_i ~ prior, all independent

The pair (m, v) has a product law, so redrawing any of its parts leaves that law as it is: all that Metropolis needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from ..errors import CausalCFError, unknown
from .priors import Prior, draw_prior, uniform01

PER = ("dimension", "vector")


@dataclass(frozen=True)
class Pairs:
    """n pairs (m, v).

    Args:
        kept: (n, k) bool, or (n, 1) where the whole vector is kept or redrawn.
        fresh: (n, k) draws from the prior.
    """

    kept: Tensor
    fresh: Tensor

    def noise(self, z: Tensor) -> Tensor:
        """(n, k): z where kept, else fresh; kept coordinates are z's to the bit. z is (k,) or (n, k)."""
        return torch.where(self.kept, z, self.fresh)

    def __getitem__(self, rows: Tensor) -> Pairs:
        return Pairs(self.kept[rows], self.fresh[rows])

    def replaced(self, where: Tensor, other: Pairs) -> Pairs:
        """Other's rows where `where` (n,) holds."""
        rows = where[:, None]
        return Pairs(torch.where(rows, other.kept, self.kept), torch.where(rows, other.fresh, self.fresh))


@dataclass(frozen=True)
class StickyKernel:
    """K_s: each coordinate (or the whole vector) kept with probability s, else drawn anew from the prior.

    Args:
        stickiness: s in [0, 1].
        prior: the law of the noise.
        per: "dimension" or "vector".

    Source: Lucas and Kemp (2015), the extended structural model.
    """

    stickiness: float
    prior: Prior
    per: str

    def __post_init__(self) -> None:
        if self.per not in PER:
            raise CausalCFError(unknown("per", str(self.per), PER))
        if isinstance(self.stickiness, bool) or not isinstance(self.stickiness, Real):
            raise CausalCFError(f"stickiness is {self.stickiness!r}; it must be a number from 0 to 1")
        if not 0 <= self.stickiness <= 1:
            raise CausalCFError(f"stickiness is {self.stickiness}; it must be from 0 (all redrawn) to 1 (all kept)")

    def draw(self, n: int, like: Tensor, generator: torch.Generator) -> Pairs:
        """n pairs from their own law, on the device and in the dtype of `like` (..., k)."""
        k = like.shape[-1]
        kept = uniform01((n, k if self.per == "dimension" else 1), generator) < self.stickiness
        fresh = draw_prior(self.prior, n, k, generator)
        return Pairs(kept.to(like.device), fresh.to(like))

    def sites(self, k: int) -> int:
        """How many independent parts a pair has: k pairs (m_i, v_i), or one m and k v_i."""
        return k if self.per == "dimension" else k + 1

    def refresh(self, pairs: Pairs, size: float, generator: torch.Generator) -> Pairs:
        """The pairs with a random subset of their parts drawn anew: a proposal that is reversible for their law.

        Args:
            pairs: n pairs.
            size: parts redrawn on average, from 1 to all of them; one at least is redrawn always.
        """
        n, k = pairs.fresh.shape
        parts = self.sites(k)
        share = (size - 1) / (parts - 1) if parts > 1 else 0.0
        chosen = uniform01((n, parts), generator) < share
        certain = (uniform01((n, 1), generator) * parts).long().clamp(max=parts - 1)
        chosen = chosen.scatter(1, certain, True).to(pairs.fresh.device)
        new = self.draw(n, pairs.fresh, generator)
        kept_parts, fresh_parts = (chosen, chosen) if self.per == "dimension" else (chosen[:, k:], chosen[:, :k])
        return Pairs(
            torch.where(kept_parts, new.kept, pairs.kept),
            torch.where(fresh_parts, new.fresh, pairs.fresh),
        )

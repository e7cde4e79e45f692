"""Exact draws from the noise posterior by rejection: the reference, fastest for common antecedents."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UnreachedError
from ..randomness import uniform
from .condition import Progress
from .diagnostics import CounterfactualNoise, Diagnostics, distinct
from .posterior import Posterior

BLOCK = 1024  # proposals drawn at a time, whatever the batch: the draws do not depend on it


@dataclass(frozen=True)
class Rejection:
    """Draw from K_s, accept with probability L: independent draws, at 1/P(A) proposals each.

    Source: von Neumann (1951).
    """

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n independent samples; the error of a spent budget gives the acceptance rate."""
        judge, z = posterior.judge, posterior.z
        noise: list[Tensor] = []
        kept: list[Tensor] = []
        found = tried = 0
        while True:
            block = posterior.kernel.draw(BLOCK, z, source)
            log_u = uniform((BLOCK,), source).log()
            for rows in torch.arange(BLOCK).split(judge.batch):
                rows = rows[: judge.left]
                if not len(rows):
                    raise UnreachedError(_too_few(posterior, found, n, tried))
                pairs = block[rows.to(z.device)]
                judge.charge(len(rows))
                proposed = pairs.noise(z)
                accepted = log_u[rows] < posterior.path.log_likelihood(posterior.judged(proposed))
                hits = accepted.nonzero().squeeze(1)[: n - found]
                noise.append(proposed[hits.to(z.device)])
                kept.append(pairs.kept.expand_as(proposed)[hits.to(z.device)])
                found += len(hits)
                tell(found, judge.evaluations)
                if found == n:
                    drawn = torch.cat(noise)
                    made = _diagnostics(posterior, drawn, tried + int(hits[-1]) + 1)
                    return CounterfactualNoise(drawn, torch.cat(kept), made)
                tried += len(rows)


def _diagnostics(posterior: Posterior, noise: Tensor, tried: int) -> Diagnostics:
    n = len(noise)
    return Diagnostics(
        method="rejection",
        draws=n,
        effective_size=float(n),
        evaluations=posterior.judge.evaluations,
        proposals=posterior.judge.judged,
        acceptance=n / tried,
        families=n,
        distinct=distinct(noise),
        memory=0.0,
        probability=n / tried,
        levels=(),
    )


def _too_few(posterior: Posterior, found: int, n: int, tried: int) -> str:
    rate = f", an acceptance rate of {found / tried:.3g}" if tried else ""
    return (
        f"{found} of {n} draws with {posterior.judge.antecedent} among {tried} proposals{rate}, then the budget ended; "
        'raise budget= or use method="smc"'
    )

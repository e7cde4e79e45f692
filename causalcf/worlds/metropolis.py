"""Metropolis-Hastings on the noise posterior, with moves that the ESM kernel leaves reversible."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import norm
from torch import Tensor

from ..errors import CausalCFError, UnreachedError
from .condition import BudgetEnded, Progress
from .diagnostics import ROUNDING, CounterfactualNoise, Diagnostics, distinct, effective_size
from .posterior import Population, Posterior

ACCEPTANCE = 0.35  # e^-1: best for a proposal whose acceptance falls geometrically with the parts it redraws


class StepSize:
    """Mean number of parts a proposal redraws, adapted towards an acceptance rate of 0.35."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.size = float(parts)

    def adapt(self, acceptance: float) -> None:
        self.size = min(max(self.size * math.exp(2 * (acceptance - ACCEPTANCE)), 1.0), float(self.parts))


def forget(
    posterior: Posterior,
    now: Population,
    step: float,
    size: StepSize,
    generator: torch.Generator,
    *,
    until: float,
    most: int,
    adapt: bool,
    on_move: Callable[[Population], None],
) -> tuple[Population, list[float], float]:
    """Move until the correlation with the start is at most `until`; the returned float is what is left."""
    before, left = now.state(), 1.0
    acceptances: list[float] = []
    while left > until and len(acceptances) < most:
        now, acceptance = posterior.move(now, step, size.size, generator)
        acceptances.append(acceptance)
        if adapt:
            size.adapt(acceptance)
        on_move(now)
        left = memory(before, now.state())
    return now, acceptances, left


def memory(before: Tensor, after: Tensor) -> float:
    """Return the correlation of two (n, c) states: mean over columns, or one column's excess over chance."""
    first, second = before - before.mean(0), after - after.mean(0)
    spread = first.square().mean(0).sqrt(), second.square().mean(0).sqrt()
    varies = torch.minimum(*spread) > ROUNDING
    correlations = ((first * second).mean(0) / (spread[0] * spread[1]))[varies]
    if not len(correlations):
        return 0.0
    chance = float(norm.isf(0.05 / len(correlations))) / math.sqrt(len(first))
    return float(torch.maximum(correlations.mean(), correlations.max() - chance))


@dataclass(frozen=True)
class Metropolis:
    """Independent chains side by side; each starts from K_s, only climbs until the antecedent holds, then walks.

    The first `burn_in` times as many moves as forgetting takes are thrown away, with the step size adapting; then it
    is fixed, and every chain gives a draw each time half as many moves are made.

    Args:
        chains: how many.
        forgotten: correlation with its start at which a chain counts as having forgotten it, in (0, 1).
        burn_in: at least 1.
        most_moves: most moves waited for forgetting.

    Raises:
        CausalCFError: a value out of range.

    Source: Metropolis et al. (1953).
    """

    chains: int = 64
    forgotten: float = 0.1
    burn_in: int = 3
    most_moves: int = 200

    def __post_init__(self) -> None:
        if self.chains < 2:
            raise CausalCFError(f"chains is {self.chains}; it must be at least 2")
        if not 0 < self.forgotten < 1:
            raise CausalCFError(f"forgotten is {self.forgotten}; it must be between 0 and 1")
        for name in ("burn_in", "most_moves"):
            if getattr(self, name) < 1:
                raise CausalCFError(f"{name} is {getattr(self, name)}; it must be at least 1")

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n samples, in turns from all chains; the error of a spent budget gives the chains that arrived."""
        walk = _Walk(posterior, self, source, tell)
        try:
            walk.climb()
            walk.burn_in()
            return walk.collect(n)
        except BudgetEnded:
            raise UnreachedError(walk.too_far(n)) from None


class _Walk:
    """State of one sampling: the chains and the draws so far."""

    def __init__(self, posterior: Posterior, options: Metropolis, source: torch.Generator, tell: Progress) -> None:
        self.posterior, self.options, self.source, self.tell = posterior, options, source, tell
        self.goal = posterior.path.goal
        self.size = StepSize(posterior.kernel.sites(len(posterior.z)))
        self.now: Population | None = None
        self.drawn: list[Population] = []

    def climb(self) -> None:
        """Move until the antecedent has a likelihood above 0 in every chain."""
        self.now = self.posterior.start(self.options.chains, self.source)
        while self._arrived() < self.options.chains:
            self.now, acceptance = self.posterior.move(self.now, self.goal, self.size.size, self.source)
            self.size.adapt(acceptance)
            self.tell(0, self.posterior.judge.evaluations)

    def burn_in(self) -> None:
        """Decorrelate from the climb `burn_in` times, and set the thinning to half the moves this takes."""
        assert self.now is not None
        taken = 0
        for _ in range(self.options.burn_in):
            self.now, acceptances, _ = forget(
                self.posterior,
                self.now,
                self.goal,
                self.size,
                self.source,
                until=self.options.forgotten,
                most=self.options.most_moves,
                adapt=True,
                on_move=lambda now: self.tell(0, self.posterior.judge.evaluations),
            )
            taken = len(acceptances)
        self.thin = math.ceil(taken / 2)

    def collect(self, n: int) -> CounterfactualNoise:
        """Take a draw from every chain every `thin` moves, n in all."""
        assert self.now is not None
        acceptances, chains = [], self.options.chains
        last = self.now.state()
        for _ in range(math.ceil(n / chains)):
            last = self.now.state()
            for _ in range(self.thin):
                self.now, acceptance = self.posterior.move(self.now, self.goal, self.size.size, self.source)
                acceptances.append(acceptance)
            self.drawn.append(self.now)
            self.tell(min(n, len(self.drawn) * chains), self.posterior.judge.evaluations)
        noise = torch.cat([part.noise for part in self.drawn])
        kept = torch.cat([part.pairs.kept.expand_as(part.noise) for part in self.drawn])
        families = torch.arange(chains).repeat(len(self.drawn))
        made = Diagnostics(
            method="mh",
            draws=n,
            effective_size=effective_size(families[:n], families, torch.cat([part.state() for part in self.drawn])),
            evaluations=self.posterior.judge.evaluations,
            proposals=self.posterior.judge.judged,
            acceptance=sum(acceptances) / len(acceptances),
            families=min(n, chains),
            distinct=distinct(noise[:n]),
            memory=memory(last, self.now.state()),
            probability=None,
            levels=(),
        )
        return CounterfactualNoise(noise[:n], kept[:n], made)

    def too_far(self, n: int) -> str:
        judge, chains = self.posterior.judge, self.options.chains
        ended = f"the budget of {judge.budget} proposals ended"
        if self.now is None:
            return f"{ended} before {chains} chains could start; raise budget="
        arrived = self._arrived()
        if arrived < chains:
            goal = self.posterior.path.shown(self.goal, judge.antecedent.threshold)
            least = self.posterior.path.shown(float(self.now.values.min()), judge.antecedent.threshold)
            return (
                f"{ended} with {judge.antecedent} reached by {arrived} of {chains} chains (the last has {least:.3g} "
                f'where {goal:.3g} is asked); raise budget=, lower stickiness=, or use method="smc"'
            )
        return f"{ended} after {min(n, len(self.drawn) * chains)} of {n} draws with {judge.antecedent}; raise budget="

    def _arrived(self) -> int:
        assert self.now is not None
        return int((self.posterior.path.log_likelihood(self.now.values) > -math.inf).sum())

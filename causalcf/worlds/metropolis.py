"""Metropolis-Hastings on the noise posterior, with moves that the ESM kernel leaves reversible."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import f as f_distribution
from scipy.stats import norm
from torch import Tensor

from ..checks import check
from ..errors import UnreachedError
from .condition import BudgetEnded, Progress
from .posterior import CounterfactualNoise, Population, Posterior

ACCEPTANCE = 0.35  # e^-1: best for a proposal whose acceptance falls geometrically with the parts it redraws
ROUNDING = 1e-9  # a column that spreads by less is constant


class Chains:
    """Draws that moves change side by side; the step size is the mean number of parts that a proposal redraws."""

    def __init__(self, posterior: Posterior, n: int, source: torch.Generator) -> None:
        self.posterior, self.source = posterior, source
        self.parts = float(posterior.kernel.sites(len(posterior.z)))
        self.size = self.parts
        self.now = posterior.start(n, source)

    def reached(self) -> int:
        """Return the number of draws whose antecedent has a likelihood above 0."""
        return int((self.posterior.path.log_likelihood(self.now.values) > -math.inf).sum())

    def move(self, step: float, adapt: bool) -> float:
        """Move every draw once and return the acceptance; `adapt` moves the step size towards a rate of 0.35."""
        self.now, acceptance = self.posterior.move(self.now, step, self.size, self.source)
        if adapt:
            self.size = min(max(self.size * math.exp(2 * (acceptance - ACCEPTANCE)), 1.0), self.parts)
        return acceptance

    def forget(
        self, step: float, until: float, most: int, adapt: bool, on_move: Callable[[], None]
    ) -> tuple[list[float], float]:
        """Move until the correlation with the start is at most `until`; return acceptances and what is left."""
        before, left = self.now.state(), 1.0
        acceptances: list[float] = []
        while left > until and len(acceptances) < most:
            acceptances.append(self.move(step, adapt))
            on_move()
            left = memory(before, self.now.state())
        return acceptances, left


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


def effective_size(drawn: Tensor, every: Tensor, states: Tensor) -> float:
    """Return the effective size n / (1 + (m - 1) rho) for families of draws (Kish 1965; Donner 1986)."""
    n = len(drawn)
    size = float(drawn.unique(return_counts=True)[1].double().square().sum()) / n
    return n / (1 + (size - 1) * intraclass_correlation(every, states))


def intraclass_correlation(families: Tensor, states: Tensor) -> float:
    """Estimate the intraclass correlation in [0, 1] over all columns, or in one significant column."""
    _, index, counts = families.unique(return_inverse=True, return_counts=True)
    n, groups = len(families), len(counts)
    values = states.detach().cpu().double()
    values = values - values.mean(0)
    spread = values.square().mean(0).sqrt()
    varies = spread > ROUNDING
    if groups == n or not bool(varies.any()):
        return 0.0
    values = (values / spread)[:, varies]  # every column counts alike
    if groups == 1:
        return 1.0
    sizes = counts.double()
    sums = torch.zeros(groups, values.shape[1], dtype=torch.float64).index_add(0, index, values)
    between = (sums.square() / sizes[:, None]).sum(0)
    within = (values.square().sum(0) - between).clamp(min=0) / (n - groups)
    between = between / (groups - 1)
    typical = (n - float(sizes.square().sum()) / n) / (groups - 1)
    overall = _correlation(between.mean(), within.mean(), typical)
    chance = float(f_distribution.isf(0.05 / values.shape[1], groups - 1, n - groups))
    alone = _correlation(between / chance, within, typical).max()
    return float(torch.maximum(overall, alone).clamp(0, 1))


def _correlation(between: Tensor, within: Tensor, size: float) -> Tensor:
    total = between + (size - 1) * within
    return torch.where(total > 0, (between - within) / total, 0.0)


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
        check(self.chains >= 2, "chains", self.chains, "at least 2")
        check(0 < self.forgotten < 1, "forgotten", self.forgotten, "between 0 and 1")
        check(self.burn_in >= 1, "burn_in", self.burn_in, "at least 1")
        check(self.most_moves >= 1, "most_moves", self.most_moves, "at least 1")

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n samples, in turns from all chains; the error of a spent budget gives the chains that arrived."""
        judge, goal = posterior.judge, posterior.path.goal
        ended = f"the budget of {judge.budget} proposals ended"
        drawn: list[Population] = []
        try:
            chains = Chains(posterior, self.chains, source)
        except BudgetEnded:
            raise UnreachedError(f"{ended} before {self.chains} chains could start; raise budget=") from None
        try:
            while chains.reached() < self.chains:
                chains.move(goal, adapt=True)
                tell(0, judge.evaluations)
            for _ in range(self.burn_in):
                made, _ = chains.forget(
                    goal, self.forgotten, self.most_moves, adapt=True, on_move=lambda: tell(0, judge.evaluations)
                )
            thin, acceptances = math.ceil(len(made) / 2), []
            for _ in range(math.ceil(n / self.chains)):
                last = chains.now.state()
                acceptances += [chains.move(goal, adapt=False) for _ in range(thin)]
                drawn.append(chains.now)
                tell(min(n, len(drawn) * self.chains), judge.evaluations)
        except BudgetEnded:
            raise UnreachedError(f"{ended} {self._too_far(chains, len(drawn), n)}") from None
        every, families = Population.joined(drawn), torch.arange(self.chains).repeat(len(drawn))
        return posterior.result(
            "mh",
            every[torch.arange(n)],
            effective_size(families[:n], families, every.state()),
            acceptance=sum(acceptances) / len(acceptances),
            families=min(n, self.chains),
            memory=memory(last, chains.now.state()),
            probability=None,
            levels=(),
        )

    def _too_far(self, chains: Chains, rounds: int, n: int) -> str:
        judge, path, arrived = chains.posterior.judge, chains.posterior.path, chains.reached()
        if arrived == self.chains:
            return f"after {min(n, rounds * self.chains)} of {n} draws with {judge.antecedent}; raise budget="
        least, goal = (
            path.shown(step, judge.antecedent.threshold) for step in (float(chains.now.values.min()), path.goal)
        )
        return (
            f"with {judge.antecedent} reached by {arrived} of {self.chains} chains (the last has {least:.3g} "
            f'where {goal:.3g} is asked); raise budget=, lower stickiness=, or use method="smc"'
        )

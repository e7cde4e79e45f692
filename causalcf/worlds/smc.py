"""Sequential Monte Carlo from the ESM prior to the noise posterior, for rare antecedents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import check
from ..errors import UnreachedError
from ..randomness import uniform
from .condition import BudgetEnded, Progress
from .metropolis import Chains, effective_size
from .posterior import CounterfactualNoise, Posterior


def systematic(weights: Tensor, n: int, source: torch.Generator) -> Tensor:
    """Draw (n,) indices in proportion to the weights by systematic resampling (Carpenter et al. 1999)."""
    points = (torch.arange(n) + uniform((1,), source)) / n
    cumulative = weights.cumsum(0) / weights.sum()
    return torch.searchsorted(cumulative, points, right=True).clamp(max=len(weights) - 1)


def spread(families: Tensor, n: int, source: torch.Generator) -> Tensor:
    """Choose n particles, each equally likely, over as many families as possible, in random order."""
    by_family = families.argsort(stable=True)
    chosen = by_family[systematic(torch.ones(len(families), dtype=torch.float64), n, source)]
    return chosen[uniform((n,), source).argsort()]


@dataclass(frozen=True)
class SMC:
    """Sequential Monte Carlo; its draws follow the target up to O(1 / particles).

    Args:
        particles: size of the population (None: 256); n where that is more.
        survival: share that survives each step, in (0, 1).
        between: correlation with its start at which a step's moves end, in (0, 1).
        memory: the same at the target, in (0, 1).
        most_moves: most moves at one step.

    Raises:
        CausalCFError: a value out of range.

    Source: Del Moral, Doucet and Jasra (2006); moves until a correlation falls, as in Kantas, Beskos and Jasra (2014).
    """

    particles: int | None = None
    survival: float = 0.25
    between: float = 0.7
    memory: float = 0.2
    most_moves: int = 100

    def __post_init__(self) -> None:
        check(self.particles is None or self.particles >= 2, "particles", self.particles, "at least 2")
        for name in ("survival", "between", "memory"):
            check(0 < getattr(self, name) < 1, name, getattr(self, name), "between 0 and 1")
        check(self.most_moves >= 1, "most_moves", self.most_moves, "at least 1")

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n samples; exact if the first population already holds n accepted ones."""
        judge, path, particles = posterior.judge, posterior.path, max(n, self.particles or 256)
        missed = f"{judge.antecedent} not reached within the budget of {judge.budget} proposals"

        def shown(step: float) -> float:
            return path.shown(step, judge.antecedent.threshold)

        def report() -> None:
            tell(chains.reached(), judge.evaluations)

        try:
            chains = Chains(posterior, particles, source)
        except BudgetEnded:
            raise UnreachedError(f"{missed}: it does not suffice for {particles} particles; raise budget=") from None
        report()
        # What rejection sampling accepts at once are independent draws from the target.
        log_u = uniform((particles,), source).log()
        at_once = (log_u < path.log_likelihood(chains.now.values)).nonzero().squeeze(1)
        if len(at_once) >= n:
            share, levels = len(at_once) / particles, (shown(path.goal),)
            numbers = {"acceptance": share, "families": n, "memory": 0.0, "probability": share, "levels": levels}
            return posterior.result("smc", chains.now[at_once[:n]], float(n), **numbers)

        families, step, probability = torch.arange(particles), path.start, 1.0
        steps: list[float] = []
        try:
            while step != path.goal:
                higher, log_weights = path.advance(chains.now.values, step, self.survival)
                if higher != step:  # else no step leads up: the draws move on where they are
                    probability *= float((log_weights.logsumexp(0) - math.log(particles)).exp())
                    chosen = systematic(log_weights.softmax(0), particles, source)
                    chains.now, families, step = chains.now[chosen], families[chosen], higher
                    steps.append(shown(step))
                at_goal = step == path.goal
                until = self.memory if at_goal else self.between
                acceptances, left = chains.forget(step, until, self.most_moves, adapt=not at_goal, on_move=report)
        except BudgetEnded:
            if step == path.goal:
                text = f"{judge.antecedent} reached, but the budget ended before the draws had mixed; raise budget="
                raise UnreachedError(text) from None
            best = shown(float(chains.now.values.max()))
            raise UnreachedError(
                f"{missed}: after {len(steps)} steps the best of {particles} particles has {best:.3g} where "
                f"{shown(path.goal):.3g} is asked; raise budget= or lower stickiness="
            ) from None
        chosen = spread(families, n, source)
        return posterior.result(
            "smc",
            chains.now[chosen],
            effective_size(families[chosen], families, chains.now.state()),
            acceptance=sum(acceptances) / len(acceptances),
            families=len(families[chosen].unique()),
            memory=left,
            probability=probability,
            levels=tuple(steps),
        )

"""Sequential Monte Carlo from the ESM prior to the noise posterior, for rare antecedents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import CausalCFError, UnreachedError
from ..randomness import uniform
from .condition import BudgetEnded, Progress
from .diagnostics import CounterfactualNoise, Diagnostics, distinct, effective_size
from .metropolis import StepSize, forget
from .posterior import Population, Posterior


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
        if self.particles is not None and self.particles < 2:
            raise CausalCFError(f"particles is {self.particles}; it must be at least 2")
        for name in ("survival", "between", "memory"):
            if not 0 < getattr(self, name) < 1:
                raise CausalCFError(f"{name} is {getattr(self, name)}; it must be between 0 and 1")
        if self.most_moves < 1:
            raise CausalCFError(f"most_moves is {self.most_moves}; it must be at least 1")

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n samples; exact if the first population already holds n accepted ones."""
        climb = _Climb(posterior, self, max(n, self.particles or 256), source, tell)
        try:
            climb.start()
            at_once = climb.accepted_at_once()
            if len(at_once) >= n:
                return climb.exact(at_once[:n], len(at_once))
            climb.to_the_goal()
        except BudgetEnded:
            raise UnreachedError(climb.too_far()) from None
        return climb.result(n)


class _Climb:
    """State of one sampling: the population, its families, and the current step."""

    def __init__(
        self, posterior: Posterior, options: SMC, particles: int, source: torch.Generator, tell: Progress
    ) -> None:
        self.posterior, self.options, self.source, self.tell = posterior, options, source, tell
        self.path, self.particles = posterior.path, particles
        self.families = torch.arange(particles)
        self.step, self.probability = self.path.start, 1.0
        self.steps: list[float] = []
        self.size = StepSize(posterior.kernel.sites(len(posterior.z)))
        self.now: Population | None = None

    def start(self) -> None:
        self.now = self.posterior.start(self.particles, self.source)
        self._told(self.now)

    def accepted_at_once(self) -> Tensor:
        """Return the particles that rejection sampling accepts, in order: independent draws from the target."""
        assert self.now is not None
        log_u = uniform((self.particles,), self.source).log()
        return (log_u < self.path.log_likelihood(self.now.values)).nonzero().squeeze(1)

    def to_the_goal(self) -> None:
        assert self.now is not None
        while self.step != self.path.goal:
            self._rise()
            at_goal = self.step == self.path.goal
            self.now, self.acceptances, self.left = forget(
                self.posterior,
                self.now,
                self.step,
                self.size,
                self.source,
                until=self.options.memory if at_goal else self.options.between,
                most=self.options.most_moves,
                adapt=not at_goal,
                on_move=self._told,
            )

    def _rise(self) -> None:
        """Take the next step and resample the survivors; change nothing if no step leads up."""
        assert self.now is not None
        step, log_weights = self.path.advance(self.now.values, self.step, self.options.survival)
        if step == self.step:
            return
        self.probability *= float((log_weights.logsumexp(0) - math.log(self.particles)).exp())
        chosen = systematic(log_weights.softmax(0), self.particles, self.source)
        self.now, self.families = self.now[chosen], self.families[chosen]
        self.step = step
        self.steps.append(self._shown(step))

    def _told(self, now: Population) -> None:
        reached = self.path.log_likelihood(now.values) > -torch.inf
        self.tell(int(reached.sum()), self.posterior.judge.evaluations)

    def exact(self, chosen: Tensor, accepted: int) -> CounterfactualNoise:
        """Return the exact draws of the first population."""
        share = accepted / self.particles
        self.steps.append(self._shown(self.path.goal))
        return self._drawn(chosen, float(len(chosen)), share, 0.0, share)

    def result(self, n: int) -> CounterfactualNoise:
        """Return n draws of the last population, spread over its families."""
        assert self.now is not None
        chosen = spread(self.families, n, self.source)
        worth = effective_size(self.families[chosen], self.families, self.now.state())
        acceptance = sum(self.acceptances) / len(self.acceptances)
        return self._drawn(chosen, worth, acceptance, self.left, self.probability)

    def _drawn(
        self, chosen: Tensor, worth: float, acceptance: float, memory: float, probability: float
    ) -> CounterfactualNoise:
        assert self.now is not None
        drawn = self.now[chosen]
        made = Diagnostics(
            method="smc",
            draws=len(chosen),
            effective_size=worth,
            evaluations=self.posterior.judge.evaluations,
            proposals=self.posterior.judge.judged,
            acceptance=acceptance,
            families=len(self.families[chosen].unique()),
            distinct=distinct(drawn.noise),
            memory=memory,
            probability=probability,
            levels=tuple(self.steps),
        )
        return CounterfactualNoise(drawn.noise, drawn.pairs.kept.expand_as(drawn.noise), made)

    def too_far(self) -> str:
        judge = self.posterior.judge
        text = f"{judge.antecedent} not reached within the budget of {judge.budget} proposals"
        if self.now is None:
            return f"{text}: it does not suffice for {self.particles} particles; raise budget="
        if self.step == self.path.goal:
            return f"{judge.antecedent} reached, but the budget ended before the draws had mixed; raise budget="
        return (
            f"{text}: after {len(self.steps)} steps the best of {self.particles} particles has "
            f"{self._shown(float(self.now.values.max())):.3g} where {self._shown(self.path.goal):.3g} is asked; raise "
            "budget= or lower stickiness="
        )

    def _shown(self, step: float) -> float:
        return self.path.shown(step, self.posterior.judge.antecedent.threshold)

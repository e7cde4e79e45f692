"""Posterior of ESM noise given an observed antecedent: K_s(z -> z*) L(A | G(z*)), unnormalised.
The value of a draw (float64, CPU) is its margin (hard; above 0 where A holds) or log L (soft).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..checks import check_choice
from ..errors import ImpossibleWorldError
from ..randomness import uniform
from .condition import Antecedent, Judge
from .samplers import Pairs, StickyKernel


class LevelSets:
    """Targets K_s(z -> z*) L_step(z*) for steps from `start` (L is 1) to `goal` (L itself), by multilevel splitting:
    L_step = [margin >= step] (Cérou and Guyader 2007).
    """

    start = -math.inf
    goal = sys.float_info.min  # margin > 0, written with >=

    def values(self, antecedent: Antecedent, probabilities: Tensor) -> Tensor:
        """Return the (n,) values that order the draws."""
        return antecedent.margin(probabilities)

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Return (n,) log L: -inf where L is 0."""
        return torch.where(values >= self.goal, 0.0, -math.inf)

    def accept(self, step: float, current: Tensor, proposed: Tensor, log_u: Tensor) -> Tensor:
        """Return (n,) bool: the Metropolis decision at a step; draws outside its support only climb."""
        return proposed >= current.clamp(max=step)

    def advance(self, values: Tensor, step: float, survival: float) -> tuple[float, Tensor]:
        """Return the next step, at which about `survival` of the draws count, and their (n,) log weights."""
        best_first = values.sort(descending=True).values
        level = float(best_first[max(1, round(survival * len(values))) - 1])
        if level <= step:  # more draws than should die tie at the present level: step over the tie, if any draw did
            above = values[values > step]
            level = float(above.min()) if len(above) else step
        level = min(level, self.goal)
        return level, torch.where(values >= level, 0.0, -math.inf).double()

    def shown(self, step: float, threshold: float) -> float:
        """Return the step as shown to the user: the probability that the least probable condition must have."""
        return float(torch.tensor(step + math.log(threshold / (1 - threshold)), dtype=torch.float64).sigmoid())


class Tempering:
    """The same by adaptive tempering: L_step = L^step (Del Moral et al. 2006; Jasra et al. 2011)."""

    start = 0.0
    goal = 1.0

    def values(self, antecedent: Antecedent, probabilities: Tensor) -> Tensor:
        return antecedent.log_likelihood(probabilities)

    def log_likelihood(self, values: Tensor) -> Tensor:
        return values

    def accept(self, step: float, current: Tensor, proposed: Tensor, log_u: Tensor) -> Tensor:
        return (log_u < step * (proposed - current)) | (current == -math.inf)

    def advance(self, values: Tensor, step: float, survival: float) -> tuple[float, Tensor]:
        possible = int((values > -math.inf).sum())
        if not possible:
            return step, torch.zeros_like(values)
        low, high = step, self.goal
        if _effective((high - step) * values) < survival * possible:
            for _ in range(60):  # bisection to the last bit
                middle = (low + high) / 2
                enough = _effective((middle - step) * values) >= survival * possible
                low, high = (middle, high) if enough else (low, middle)
        return high, (high - step) * values

    def shown(self, step: float, threshold: float) -> float:
        return step


def _effective(log_weights: Tensor) -> float:
    """Return the effective sample size of weighted draws (Kong 1992); the weights need no normalising."""
    weights = log_weights.softmax(0)
    return 1 / float(weights.square().sum())


LIKELIHOODS: dict[str, type[LevelSets] | type[Tempering]] = {"hard": LevelSets, "soft": Tempering}


@dataclass
class Population:
    """Current draws: n pairs, their (n, k) noise, and their (n,) values."""

    pairs: Pairs
    noise: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def joined(cls, parts: Sequence[Population]) -> Population:
        """Return all draws of several populations."""
        pairs = (torch.cat([part.pairs.kept for part in parts]), torch.cat([part.pairs.fresh for part in parts]))
        return cls(Pairs(*pairs), torch.cat([part.noise for part in parts]), torch.cat([part.values for part in parts]))

    def state(self) -> Tensor:
        """Return (n, c) float64 on the CPU: noise and kept flags, the state that correlations compare."""
        return torch.cat([self.noise, self.pairs.kept.to(self.noise)], 1).cpu().double()

    def __getitem__(self, rows: Tensor) -> Population:
        there = rows.to(self.noise.device)
        return Population(self.pairs[there], self.noise[there], self.values[rows])


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of n draws: effective size, cost, acceptance, autocorrelation (`memory`), levels."""

    method: str
    draws: int
    effective_size: float
    evaluations: int
    proposals: int
    acceptance: float
    families: int
    distinct: int
    memory: float
    probability: float | None
    levels: tuple[float, ...]

    @property
    def evaluations_per_effective_draw(self) -> float:
        """Return the number of images generated per effective draw."""
        return self.evaluations / self.effective_size


@dataclass(frozen=True)
class CounterfactualNoise:
    """Set of n draws of z*, given the antecedent.

    Args:
        noise: (n, k), on z's device and in its dtype.
        kept: (n, k) bool: the coordinates that keep z's value.
        diagnostics: how the draws were made, and how many independent draws they equal.

    Examples:
        >>> import torch
        >>> from causalcf import counterfactual_noise
        >>> shade = lambda z: ((z + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> found = counterfactual_noise(torch.tensor([-0.5]), shade, bright, {"Bright": 1}, 4, attributes=["Bright"])
        >>> found.noise.shape, bool((found.noise > 0).all()), bool(found.kept.any())
        (torch.Size([4, 1]), True, False)
    """

    noise: Tensor
    kept: Tensor
    diagnostics: Diagnostics


class Posterior:
    """Target distribution, and the Metropolis move that leaves it (or a step on its path) invariant."""

    def __init__(self, z: Tensor, kernel: StickyKernel, judge: Judge, likelihood: str) -> None:
        check_choice("likelihood", likelihood, LIKELIHOODS)
        self.z, self.kernel, self.judge = z, kernel, judge
        self.path = LIKELIHOODS[likelihood]()
        judge.charge(1)
        self.at_actual = float(self._read(z[None])[0])
        if likelihood == "hard" and self.at_actual <= 0:
            # z itself is ruled out, whatever its margin: keeping all noise must not look like progress on the way.
            self.at_actual = -math.inf
        if kernel.stickiness == 1 and self.at_actual == -math.inf:
            raise ImpossibleWorldError(
                f"stickiness 1 keeps the actual noise, and its image does not satisfy {judge.antecedent}: "
                "an event of probability zero; lower stickiness="
            )

    def start(self, n: int, generator: torch.Generator) -> Population:
        """Draw n samples from K_s alone, with their values."""
        pairs = self.kernel.draw(n, self.z, generator)
        noise = pairs.noise(self.z)
        self.judge.charge(n)
        return Population(pairs, noise, self.judged(noise))

    def judged(self, noise: Tensor) -> Tensor:
        """Return (n,) values; noise that equals the actual noise needs no new image."""
        values = torch.full((len(noise),), self.at_actual, dtype=torch.float64)
        elsewhere = (noise != self.z).any(1)
        values[elsewhere.cpu()] = self._read(noise[elsewhere])
        return values

    def move(self, now: Population, step: float, size: float, generator: torch.Generator) -> tuple[Population, float]:
        """Move every draw once by Metropolis; return the draws and the acceptance among changed proposals."""
        self.judge.charge(len(now))
        pairs = self.kernel.refresh(now.pairs, size, generator)
        noise = pairs.noise(self.z)
        differs = (noise != now.noise).any(1)
        changed = differs.cpu()
        values = now.values.clone()
        values[changed] = self.judged(noise[differs])
        accepted = self.path.accept(step, now.values, values, uniform((len(now),), generator).log())
        there = accepted.to(noise.device)
        after = Population(
            now.pairs.replaced(there, pairs),
            torch.where(there[:, None], noise, now.noise),
            torch.where(accepted, values, now.values),
        )
        return after, int((accepted & changed).sum()) / max(1, int(changed.sum()))

    def _read(self, noise: Tensor) -> Tensor:
        return self.path.values(self.judge.antecedent, self.judge.probabilities(noise))

    def result(self, method: str, drawn: Population, effective_size: float, **numbers: Any) -> CounterfactualNoise:
        """Return draws with their diagnostics; `numbers` are what the method alone knows."""
        made = Diagnostics(
            method,
            len(drawn),
            effective_size,
            evaluations=self.judge.evaluations,
            proposals=self.judge.judged,
            distinct=len(drawn.noise.detach().cpu().unique(dim=0)),
            **numbers,
        )
        return CounterfactualNoise(drawn.noise, drawn.pairs.kept.expand_as(drawn.noise), made)

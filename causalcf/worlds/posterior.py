"""What is drawn from when an antecedent is observed: ESM noise, weighted by how well its image shows the antecedent.

    target(z*)  proportional to  K_s(z -> z*) L(A | G(z*))

All methods draw from this one target. L is "hard" by default, 1 where the classifier says A and 0 elsewhere; "soft" is
the product of the classifier's probabilities. Each z* has one number, its value: the margin (hard; positive where A
holds) or log L (soft). Values are float64 on the CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..arguments import check_choice
from ..errors import ImpossibleWorldError
from ..labels.randomness import uniform
from .judge import Judge
from .paths import LevelSets, Path, Tempering
from .sticky import Pairs, StickyKernel

LIKELIHOODS: dict[str, type[LevelSets] | type[Tempering]] = {"hard": LevelSets, "soft": Tempering}


@dataclass
class Population:
    """n current draws: pairs, the (n, k) noise they make, and its (n,) values."""

    pairs: Pairs
    noise: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def state(self) -> Tensor:
        """(n, c) float64 on the CPU: the noise, and what is kept of it; what resemblance is measured in."""
        return torch.cat([self.noise, self.pairs.kept.to(self.noise)], 1).cpu().double()

    def __getitem__(self, rows: Tensor) -> Population:
        there = rows.to(self.noise.device)
        return Population(self.pairs[there], self.noise[there], self.values[rows])


class Posterior:
    """The target, and the Metropolis move that leaves it (or a step on the path to it) invariant.

    Args:
        z: (k,) the actual noise.
        kernel: K_s.
        judge: generator, classifier and antecedent.
        likelihood: "hard" or "soft".

    Raises:
        CausalCFError: another likelihood.
        ImpossibleWorldError: all noise is kept, and the actual image does not satisfy the antecedent.
        BudgetEnded: the budget does not allow to look at the actual image.
    """

    def __init__(self, z: Tensor, kernel: StickyKernel, judge: Judge, likelihood: str) -> None:
        check_choice("likelihood", likelihood, LIKELIHOODS)
        self.z, self.kernel, self.judge = z, kernel, judge
        self.path: Path = LIKELIHOODS[likelihood]()
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
        """n draws from K_s alone, judged."""
        pairs = self.kernel.draw(n, self.z, generator)
        noise = pairs.noise(self.z)
        self.judge.charge(n)
        return Population(pairs, noise, self.judged(noise))

    def judged(self, noise: Tensor) -> Tensor:
        """(n,) values; noise that equals the actual one needs no image."""
        values = torch.full((len(noise),), self.at_actual, dtype=torch.float64)
        elsewhere = (noise != self.z).any(1)
        values[elsewhere.cpu()] = self._read(noise[elsewhere])
        return values

    def move(self, now: Population, step: float, size: float, generator: torch.Generator) -> tuple[Population, float]:
        """One Metropolis move of every draw, by redrawing a random subset of its parts.

        The proposal is reversible for K_s, so K_s cancels from the acceptance ratio: min(1, L'/L).

        Args:
            now: the population.
            step: where on the path to the target.
            size: parts redrawn on average.

        Returns:
            The population after it, and the share accepted of the proposals that differ from what they replace.

        Raises:
            BudgetEnded: as many proposals are not allowed.
        """
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

"""Approaches without labels: a plain DCGAN's noise, moved until a classifier sees the antecedent.

Facts are what the judge sees in the actual image; the antecedent is observed, by a classifier that is not the judge.
Candidates of every unit are drawn one after another until one shows the antecedent, which is exact: the first success
among independent draws of a kernel follows the kernel's law given the antecedent.

A search that cannot get there stops after a quarter of its budget. Units are found no faster later on, as those with
better chances go first: four times what the first quarter found is the most that all of it can. Where that is less than
nine tenths of the units no verdict could be given. (That is 22.5 % found by then; the rule takes 20 %, for chance.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import RunError, UnreachedError
from ..labels.cells import matching
from ..seeds import generator_of
from ..worlds.counterfactual import Worlds
from ..worlds.run import Run
from ..worlds.samplers import esm_cf_sampler, gaussian_cf_sampler
from .approaches import Antecedent, Drawn

Read = Callable[[Tensor], Tensor]
Kernel = Callable[[Tensor, torch.Generator], Tensor]  # (n, k) noise to (n, k), each unit's moved

ROUND = 2048  # candidates looked at together
MOST_EACH = 64  # candidates of one unit in a round
HOPELESS = 0.8  # share of units left after a quarter of the budget


def esm_kernel(stickiness: float) -> Kernel:
    """Each coordinate kept with probability `stickiness`, else redrawn (Lucas and Kemp, 2015)."""
    return lambda z, generator: esm_cf_sampler(z, 1, stickiness, generator=generator)[:, 0]


def gaussian_kernel(scale: float) -> Kernel:
    """z plus `scale` times a standard normal."""
    return lambda z, generator: gaussian_cf_sampler(z, 1, scale, generator=generator)[:, 0]


@dataclass(frozen=True)
class UnlabelledApproach:
    """A run without labels, its noise moved by a kernel and kept when the run's classifier sees the antecedent.

    Args:
        judge: (n, 3, h, w) images to (n, d) int8 labels, by which the actual world's facts are known.
        kernel: how noise is moved.
        budget: candidates looked at for each cause, as a multiple of the units.
    """

    kind: str
    run: str
    asked: Run
    nodes: tuple[str, ...]
    judge: Read
    kernel: Kernel
    stickiness: float
    told: str
    budget: int = 30
    mode: str = "observe"
    has_labels: bool = False
    one_of_several: bool = False
    looked: dict[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return f"{self.kind} ({self.run})" if self.one_of_several else self.kind

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        if not given:
            noise = self.asked.sample_noise(n, generator)
            images = self.generate(noise, None)
            return Worlds(noise, self.judge(images), images)
        noise, labels = self._showing(n, given, generator)
        return Worlds(noise, labels, self.generate(noise, None))

    def _showing(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """n noises whose images the judge sees as given, and all that it sees in them."""
        found: list[tuple[Tensor, Tensor]] = []
        drawn = kept = 0
        budget = max(self.budget * n, ROUND)
        while kept < n:
            if drawn >= budget or (drawn >= budget / 4 and kept < n / 8):  # a quarter of the way, not half of a quarter
                raise UnreachedError(
                    f"{self.name}: {kept} of {drawn:,} images show {_words(given)}; {n} were asked for, within a "
                    f"budget of {budget:,} images"
                )
            noise, labels = self._looked_at(generator.initial_seed(), drawn // ROUND)
            fits = matching(labels, self.nodes, given)
            found.append((noise[fits], labels[fits]))
            drawn, kept = drawn + len(noise), kept + int(fits.sum())
        noise, labels = (torch.cat(parts)[:n] for parts in zip(*found, strict=True))
        return noise, labels

    def _looked_at(self, seed: int, number: int) -> tuple[Tensor, Tensor]:
        """One round of noise, and what the judge sees in its images; remembered, for whoever else is asked about."""
        if (seed, number) not in self.looked:
            noise = self.asked.sample_noise(ROUND, generator_of(seed, "round", number))
            self.looked[seed, number] = noise, self.judge(self.generate(noise, None))
        return self.looked[seed, number]

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        noise, images = worlds.noise.clone(), worlds.images.clone()
        budget = max(self.budget * len(worlds), ROUND)
        pending, left = torch.arange(len(worlds)), budget
        while len(pending) and left > 0:
            if left <= 0.75 * budget and len(pending) > HOPELESS * len(worlds):
                break
            each = max(1, min(MOST_EACH, ROUND // len(pending), left // len(pending)))
            looked = pending[:left]
            units = looked.repeat_interleave(each)
            moved = self.kernel(worlds.noise[units], generator)
            seen = self.generate(moved, None)
            fits = matching(self._observe(seen, antecedent), self.nodes, {a: v[units] for a, v in antecedent.items()})
            first = _first(fits.view(len(looked), each))
            hit = (first >= 0).nonzero()[:, 0]
            place = hit * each + first[hit]
            noise[looked[hit]], images[looked[hit]] = moved[place], seen[place]
            pending, left = pending[~torch.isin(pending, looked[hit])], left - len(units)
        rows = torch.arange(len(worlds))
        rows = rows[~torch.isin(rows, pending)]
        return Drawn(rows, noise[rows], None, images[rows], unreached=len(pending))

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        return self.asked.generate(noise)

    def _observe(self, images: Tensor, antecedent: Antecedent) -> Tensor:
        """Labels as the run's own classifier sees them, which is not the judge; nobody looks where nothing is asked."""
        if not antecedent:
            return torch.zeros(len(images), len(self.nodes), dtype=torch.int8)
        if self.asked.observer is None:
            raise RunError(f"{self.run} is a dcgan run: it needs a classifier to see antecedents in its images")
        return self.asked.observer.select(self.nodes).labels(images)


def _first(hits: Tensor) -> Tensor:
    """(r,) the first True of each row of (r, m), -1 where there is none."""
    return torch.where(hits.any(1), hits.int().argmax(1), -1)


def _words(given: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())

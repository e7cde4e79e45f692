"""Approaches without labels: a DCGAN's noise is resampled until a classifier sees the antecedent.
The first success among independent draws follows the kernel's distribution given the antecedent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import RunError, UnreachedError
from ..labels.evidence import matching
from ..randomness import generator_of
from ..runs.counterfactual import Worlds
from ..runs.run import Run
from ..worlds.samplers import esm_cf_sampler, gaussian_cf_sampler
from .approaches import Antecedent, Drawn

Read = Callable[[Tensor], Tensor]
Kernel = Callable[[Tensor, torch.Generator], Tensor]  # (n, k) noise to (n, k), each unit's moved

ROUND = 2048  # candidates looked at together
MAX_EACH = 64  # candidates of one unit in a round
HOPELESS = 0.8  # share of units left after a quarter of the budget


def esm_kernel(stickiness: float) -> Kernel:
    """Keep each coordinate with probability `stickiness`, else redraw it (Lucas and Kemp 2015)."""
    return lambda z, generator: esm_cf_sampler(z, 1, stickiness, generator=generator)[:, 0]


def gaussian_kernel(scale: float) -> Kernel:
    """Add `scale` times a standard normal to z."""
    return lambda z, generator: gaussian_cf_sampler(z, 1, scale, generator=generator)[:, 0]


@dataclass(frozen=True)
class UnlabelledApproach:
    """Approach without labels: a kernel moves the noise, the run's classifier accepts or rejects."""

    kind: str
    run: str
    asked: Run
    nodes: tuple[str, ...]
    judge: Read
    kernel: Kernel
    stickiness: float
    description: str
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
        """Return n noises whose images have the given labels by the judge, and all labels read."""
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
        """Return one round of noise and the judge's labels of its images; cached by seed and number."""
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
            each = max(1, min(MAX_EACH, ROUND // len(pending), left // len(pending)))
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
        """Read labels with the run's own classifier, not the judge; skip this for an empty antecedent."""
        if not antecedent:
            return torch.zeros(len(images), len(self.nodes), dtype=torch.int8)
        if self.asked.antecedent_classifier is None:
            raise RunError(f"{self.run} is a dcgan run: it needs a classifier to see antecedents in its images")
        return self.asked.antecedent_classifier.select(self.nodes).labels(images)


def _first(hits: Tensor) -> Tensor:
    """Return (r,), the index of the first True in each row of (r, m), or -1."""
    return torch.where(hits.any(1), hits.int().argmax(1), -1)


def _words(given: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())

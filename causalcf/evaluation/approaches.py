"""Approaches that an evaluation compares: runs with labels, and runs without labels by exact rejection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ..errors import RunError, UnreachedError
from ..labels import LabelSCM
from ..labels.evidence import matching
from ..labels.reference import Reference
from ..randomness import generator_of
from ..runs.counterfactual import Worlds, labelled_counterfactual
from ..runs.run import Run
from ..worlds.samplers import esm_cf_sampler, gaussian_cf_sampler

Antecedent = Mapping[str, Tensor]  # label -> (n,) 0/1, one value for each unit


@dataclass(frozen=True)
class Drawn:
    """Counterfactuals of the r units that have one; units without one are only counted."""

    rows: Tensor
    noise: Tensor
    labels: Tensor | None
    images: Tensor
    unreached: int = 0
    impossible: int = 0

    def worlds(self, labels: Tensor) -> Worlds:
        """Return the counterfactual worlds as actual worlds, so that they can be asked again."""
        return Worlds(self.noise, labels, self.images)


class Approach(Protocol):
    """Trained run and a way to draw counterfactuals from it."""

    @property
    def kind(self) -> str:
        """Kind of approach, such as "causalgan-do"."""

    @property
    def name(self) -> str:
        """The kind; followed by the run's name where several approaches share the kind."""

    @property
    def run(self) -> str:
        """Name of the run that generates the images."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the d labels, in the order of all label columns."""

    @property
    def mode(self) -> str:
        """ "do" or "observe"."""

    @property
    def stickiness(self) -> float:
        """Stickiness of the noise, in [0, 1]; the reference uses the same value."""

    @property
    def description(self) -> str:
        """How the approach makes a counterfactual, in words."""

    @property
    def has_labels(self) -> bool:
        """Whether the images are generated from labels."""

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        """Draw n actual worlds; with one seed, all approaches with labels draw the same labels and noise."""

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        """Draw one counterfactual per unit; under an empty antecedent only stickiness below 1 changes it."""

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Generate images from (r, k) noise and (r, d) labels in the order `nodes`."""


def dropped_units(unreached: int, impossible: int) -> str:
    """Return why units have no counterfactual, or "" if all have one."""
    description = []
    if unreached:
        description.append(f"{unreached} did not show the antecedent within the budget")
    if impossible:
        description.append(f"{impossible} have facts or an antecedent of probability zero")
    return "; ".join(description)


def in_order(labels: Tensor, have: tuple[str, ...], want: tuple[str, ...]) -> Tensor:
    """Reorder the columns of labels."""
    return labels if have == want else labels[:, [have.index(name) for name in want]]


@dataclass(frozen=True)
class LabelledApproach:
    """Approach with labels from the run's label model; actual labels come from the reference."""

    kind: str
    run: str
    asked: Run
    reference: Reference
    mode: str
    stickiness: float
    description: str
    has_labels: bool = True
    one_of_several: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind} ({self.run})" if self.one_of_several else self.kind

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.reference.nodes

    @property
    def scm(self) -> LabelSCM:
        assert self.asked.labels is not None
        return self.asked.labels

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        labels = self.reference.sample(n, given, generator)  # first: runs differ in how much noise they take
        noise = self.asked.sample_noise(n, generator)
        return Worlds(noise, labels, self.generate(noise, labels))

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        theirs = self.scm.graph.nodes
        labels = in_order(worlds.labels, self.nodes, theirs)
        rows = self._possible(labels, antecedent).nonzero()[:, 0]
        if not len(rows):
            nobody = worlds.noise[:0], worlds.labels[:0], worlds.images[:0]
            return Drawn(rows, *nobody, impossible=len(labels))
        intervention = {name: value[rows] for name, value in antecedent.items()}
        do, observe = (intervention, None) if self.mode == "do" else (None, intervention)
        units = Worlds(worlds.noise[rows], labels[rows], worlds.images[rows])
        s = self.stickiness
        found = labelled_counterfactual(self.scm, self.asked.generate, units, do, observe, s, s, 1, generator)
        after = in_order(found.labels[:, 0], theirs, self.nodes)
        return Drawn(rows, found.noise[:, 0], after, found.images[:, 0], impossible=len(labels) - len(rows))

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return self.asked.generate(noise, in_order(labels, self.nodes, self.scm.graph.nodes))

    def _possible(self, labels: Tensor, antecedent: Antecedent) -> Tensor:
        possible = self.scm.log_probability(labels).isfinite()
        if self.mode == "observe" and antecedent and bool(possible.any()):
            event = {name: value[possible] for name, value in antecedent.items()}
            reached = self.scm.counterfactual_probabilities(event, labels[possible], stickiness=self.stickiness) > 0
            possible[possible.clone()] = reached
        return possible


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

"""Approaches that an evaluation compares: runs with labels, with some of them, and without, by exact rejection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import CausalCFError, RunError, UnreachedError
from ..labels import LabelSCM
from ..labels.evidence import matching
from ..labels.reference import Reference
from ..randomness import generator_of
from ..runs.counterfactual import CounterfactualWorlds, Worlds, labelled_counterfactual
from ..runs.directory import run_kind
from ..runs.recipe import STICKINESS
from ..runs.run import Run
from ..worlds.samplers import esm_cf_sampler, gaussian_cf_sampler
from .judge import Judge

Antecedent = Mapping[str, Tensor]  # label -> (n,) 0/1, one value for each unit
Read = Callable[[Tensor], Tensor]  # (n, 3, h, w) images in [0, 1] to (n, d) int8 labels
Kernel = Callable[[Tensor, torch.Generator], Tensor]  # (n, k) noise to (n, k), each unit's moved
ROUND = 2048  # candidates looked at together
MAX_EACH = 64  # candidates of one unit in a round
HOPELESS = 0.8  # share of units left after a quarter of the budget
SCALE = 0.5  # of dcgan-gaussian's steps, in units of z


@dataclass(frozen=True)
class Drawn:
    """Counterfactuals of the r units that have one; units without one are only counted."""

    rows: Tensor
    noise: Tensor
    labels: Tensor | None
    images: Tensor
    unreached: int = 0
    impossible: int = 0
    why: str = ""  # why no unit at all can have a counterfactual

    def only(self, some: Tensor) -> Drawn:
        """Keep some of the units, by mask or index."""
        labels = None if self.labels is None else self.labels[some]
        return replace(self, rows=self.rows[some], noise=self.noise[some], labels=labels, images=self.images[some])

    def possible(self, units: Tensor) -> Drawn:
        """Count the units, (n,) bool, that are impossible for the reference as such."""
        found = self.only(units[self.rows])
        return replace(found, impossible=self.impossible + len(self.rows) - len(found.rows))

    @property
    def lost(self) -> str:
        """Why units have no counterfactual, or "" if all have one."""
        if self.why:
            return self.why
        unreached = f"{self.unreached} did not show the antecedent within the budget" if self.unreached else ""
        impossible = f"{self.impossible} have facts or an antecedent of probability zero" if self.impossible else ""
        return "; ".join(filter(None, (unreached, impossible)))

    def units(self, asked: int) -> dict[str, Any]:
        """Count the units asked and the units without a counterfactual, as in report.json."""
        return {"asked": asked, "unreached": self.unreached, "impossible": self.impossible, "told": self.lost}


@dataclass(frozen=True)
class Approach(ABC):
    """Trained run and a way to draw counterfactuals from it."""

    kind: str  # such as "causalgan-do"
    run: str  # its name
    asked: Run
    nodes: tuple[str, ...]  # the d labels, in the order of all label columns
    mode: str  # "do" or "observe"
    stickiness: float  # of the noise; the reference uses the same value
    description: str  # how a counterfactual is made, in words
    one_of_several: bool = field(default=False, kw_only=True)  # of this kind
    has_labels: ClassVar[bool]  # whether the images are generated from labels

    @property
    def name(self) -> str:
        return f"{self.kind} ({self.run})" if self.one_of_several else self.kind

    @property
    def scm(self) -> LabelSCM:
        """Return the run's label model; not for a run without labels."""
        assert self.asked.labels is not None
        return self.asked.labels

    @abstractmethod
    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        """Draw n actual worlds; with one seed, all approaches with labels draw the same labels and noise."""

    @abstractmethod
    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        """Draw one counterfactual per unit; under an empty antecedent only stickiness below 1 changes it."""

    def by_labels(
        self, units: Worlds, do: Mapping[str, Any] | None, observe: Antecedent | None, generator: torch.Generator
    ) -> CounterfactualWorlds:
        """Draw one counterfactual of each unit, whose labels are in the run's order, by the run's own label model."""
        run, s = self.asked, self.stickiness
        return labelled_counterfactual(
            self.scm, lambda _, *inputs: run.generate(*inputs), run.sample_noise, units, do, observe, s, s, 1, generator
        )

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Generate images from (r, k) noise and (r, d) labels in the order `nodes`."""
        if labels is None:
            return self.asked.generate(noise)
        return self.asked.generate(noise, in_order(labels, self.nodes, self.scm.graph.nodes))


def units_missed(asked: int, why: CausalCFError) -> dict[str, Any]:
    """Count the units where nobody is as given, as `Drawn.units` does."""
    unreached = asked if isinstance(why, UnreachedError) else 0
    return {"asked": asked, "unreached": unreached, "impossible": asked - unreached, "told": str(why)}


def in_order(labels: Tensor, have: tuple[str, ...], want: tuple[str, ...]) -> Tensor:
    """Reorder the columns of labels."""
    return labels if have == want else labels[:, [have.index(name) for name in want]]


@dataclass(frozen=True)
class LabelledApproach(Approach):
    """Approach with labels from the run's label model; actual labels come from the reference."""

    reference: Reference
    has_labels = True

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        labels = self.reference.sample(n, given, generator)  # first: runs differ in how much noise they take
        noise = self.asked.sample_noise(n, generator)
        return Worlds(noise, labels, self.generate(noise, labels))

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        theirs = self.scm.graph.nodes
        labels = in_order(worlds.labels, self.nodes, theirs)
        rows = self._possible(labels, antecedent).nonzero()[:, 0]
        if not len(rows):
            nobody = worlds.select(rows)
            return Drawn(rows, nobody.noise, nobody.labels, nobody.images, impossible=len(labels))
        intervention = {name: value[rows] for name, value in antecedent.items()}
        do, observe = (intervention, None) if self.mode == "do" else (None, intervention)
        units = replace(worlds, labels=labels).select(rows)
        found = self.by_labels(units, do, observe, generator)
        after = in_order(found.labels[:, 0], theirs, self.nodes)
        return Drawn(rows, found.noise[:, 0], after, found.images[:, 0], impossible=len(labels) - len(rows))

    def _possible(self, labels: Tensor, antecedent: Antecedent) -> Tensor:
        possible = self.scm.log_probability(labels).isfinite()
        if self.mode == "observe" and antecedent and bool(possible.any()):
            event = {name: value[possible] for name, value in antecedent.items()}
            reached = self.scm.counterfactual_probabilities(event, labels[possible], stickiness=self.stickiness) > 0
            possible[possible.clone()] = reached
        return possible


def refuse_hopeless(name: str, given: Mapping[str, int], n: int, drawn: int, kept: int, budget: int) -> None:
    """Raise UnreachedError where the budget is spent, or a quarter of it for less than an eighth of the units."""
    if drawn >= budget or (drawn >= budget / 4 and kept < n / 8):
        wanted = ", ".join(f"{label}={value}" for label, value in given.items())
        asked = f"{n} were asked for, within a budget of {budget:,} images"
        raise UnreachedError(f"{name}: {kept} of {drawn:,} images show {wanted}; {asked}")


@dataclass(frozen=True)
class PartlyLabelledApproach(Approach):
    """Approach whose generator is given some labels: these are set, and the others are read from the images."""

    judge: Read
    budget: int
    has_labels = False

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        own = {name: value for name, value in given.items() if name in self.scm.graph}
        found: list[Worlds] = []
        drawn = kept = 0
        while kept < n:
            refuse_hopeless(self.name, given, n, drawn, kept, max(self.budget * n, ROUND))
            worlds = self._drawn(min(ROUND, n) if own == given else ROUND, own, generator)
            shows = worlds.select(matching(worlds.labels, self.nodes, given).nonzero()[:, 0])
            found.append(shows)
            drawn, kept = drawn + len(worlds), kept + len(shows)
        noise, labels, images = zip(*((one.noise, one.labels, one.images) for one in found), strict=True)
        return Worlds(torch.cat(noise)[:n], torch.cat(labels)[:n], torch.cat(images)[:n])

    def _drawn(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        noise = self.asked.sample_noise(n, generator)
        labels = self.scm.sample(n, given=given, generator=generator)
        images = self.asked.generate(noise, labels)
        columns = torch.tensor([self.nodes.index(name) for name in self.scm.graph.nodes])
        return Worlds(noise, self.judge(images).index_copy(1, columns, labels), images)

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        rows = torch.arange(len(worlds))
        strangers = [name for name in antecedent if name not in self.scm.graph]
        if strangers:
            why = f"{strangers[0]} cannot be set: the generator is given {', '.join(self.scm.graph.nodes)} alone"
            nobody = worlds.select(rows[:0])
            return Drawn(rows[:0], nobody.noise, None, nobody.images, unreached=len(worlds), why=why)
        labels = in_order(worlds.labels, self.nodes, self.scm.graph.nodes)
        units = replace(worlds, labels=labels)
        found = self.by_labels(units, dict(antecedent), None, generator)
        return Drawn(rows, found.noise[:, 0], None, found.images[:, 0])


def esm_kernel(stickiness: float) -> Kernel:
    """Keep each coordinate with probability `stickiness`, else redraw it (Lucas and Kemp 2015)."""
    return lambda z, generator: esm_cf_sampler(z, 1, stickiness, generator=generator)[:, 0]


def gaussian_kernel(scale: float) -> Kernel:
    """Add `scale` times a standard normal to z."""
    return lambda z, generator: gaussian_cf_sampler(z, 1, scale, generator=generator)[:, 0]


@dataclass(frozen=True)
class UnlabelledApproach(Approach):
    """Approach without labels: a kernel moves the noise, the run's classifier accepts or rejects."""

    judge: Read
    kernel: Kernel
    budget: int
    looked: dict[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False, compare=False)
    has_labels = False

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
            refuse_hopeless(self.name, given, n, drawn, kept, budget)
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
            fits = fits.view(len(looked), each)
            hit = fits.any(1).nonzero()[:, 0]
            place = hit * each + fits.int().argmax(1)[hit]  # the first that fits
            noise[looked[hit]], images[looked[hit]] = moved[place], seen[place]
            pending, left = pending[~torch.isin(pending, looked[hit])], left - len(units)
        rows = torch.arange(len(worlds))
        rows = rows[~torch.isin(rows, pending)]
        return Drawn(rows, noise[rows], None, images[rows], unreached=len(pending))

    def _observe(self, images: Tensor, antecedent: Antecedent) -> Tensor:
        """Read labels with the run's own classifier, not the judge; skip this for an empty antecedent."""
        if not antecedent:
            return torch.zeros(len(images), len(self.nodes), dtype=torch.int8)
        if self.asked.antecedent_classifier is None:
            raise RunError(f"{self.run} is a dcgan run: it needs a classifier to see antecedents in its images")
        return self.asked.antecedent_classifier.select(self.nodes).labels(images)


def kind_of(run: Run) -> str:
    """Return the run's kind, such as "causalgan-statements"; see `run_kind`."""
    return run_kind(run.recipe.approach, run.recipe.statements, run.recipe.partial)


def approaches_of(
    run: Run,
    name: str,
    reference: Reference,
    judge: Judge,
    mode: str | None = None,
    stickiness: float | None = None,
    budget: int = 30,
) -> tuple[list[Approach], list[str]]:
    """Return a run's approaches, and one sentence for each that is left out; see the options of causalcf.eval."""
    kind = kind_of(run)

    def sticky(mode: str) -> float:
        return STICKINESS[mode] if stickiness is None else stickiness

    def labelled(way: str, mode: str, s: float, description: str) -> Approach:
        return LabelledApproach(f"{kind}-{way}", name, run, reference.nodes, mode, s, description, reference)

    def unlabelled(way: str, kernel: Kernel, description: str) -> Approach:
        s = sticky("observe")
        text = f"{description} stickiness {s:g}"
        shared = run, reference.nodes, "observe", s, text, judge.facts
        return UnlabelledApproach(f"{kind}-{way}", name, *shared, kernel, budget)

    if run.recipe.partial:
        s = 1.0 if stickiness is None else stickiness
        text = f"{', '.join(run.graph.nodes)} set, all noise at stickiness {s:g}; other labels read from the images"
        shared = run, reference.nodes, "do", s, text, judge.facts
        possible: list[Approach] = [PartlyLabelledApproach(f"{kind}-do", name, *shared, budget)]
    elif run.recipe.approach == "conditional":
        possible = [labelled("do", "do", 1.0, "labels set, same z")]
    elif run.recipe.approach in ("causalgan", "causalbegan"):
        by = mode or "observe"
        text = f"labels and z by ESM, {by}, stickiness {sticky(by):g}"
        possible = [labelled("do", "do", 1.0, "label model, do, stickiness 1, same z")]
        possible.append(labelled("esm", by, sticky(by), text))
    else:
        text = f"z moved by {SCALE:g} standard normals until the classifier sees the antecedent; reference at"
        possible = [unlabelled("gaussian", gaussian_kernel(SCALE), text)]
        text = "ESM on z given the antecedent that the classifier sees,"
        possible.append(unlabelled("esm", esm_kernel(sticky("observe")), text))
    found, left_out = [], []
    for one in possible:
        if mode not in (None, one.mode):
            left_out.append(f"{one.kind} is left out: it is asked by {one.mode}, not by {mode}")
        elif one.kind == f"{kind}-esm" and one.mode == "do" and one.stickiness == 1:
            left_out.append(f"{kind}-esm is left out: by do at stickiness 1 it is {kind}-do")
        else:
            found.append(one)
    return found, left_out

"""Approaches that generate images from labels: conditional-do, causalgan-do, causalgan-esm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..labels import LabelSCM
from ..labels.reference import Reference
from ..runs.counterfactual import Worlds, labelled_counterfactual
from ..runs.run import Run
from .approaches import Antecedent, Drawn, in_order


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

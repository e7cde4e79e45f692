"""Losses of a group against exact targets, running means over groups, and dual-ascent weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..labels import LabelSCM
from ..labels.reference import Reference
from ..language.modals import MODALS
from ..losses.labels import agreement_loss, contrast_loss, joint_probability, modal_loss
from .sources import Question

DECAY = 0.9  # of what is remembered, a group; the means are over about ten groups
Losses = dict[str, Tensor]


@dataclass
class RunningMeans:
    """Named means over this group and earlier ones, weighted by decay^age; `decay` is in [0, 1)."""

    decay: float = DECAY
    kept: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)  # name -> sums, counts

    def __call__(self, name: str, sums: Tensor, counts: Tensor) -> Tensor:
        """Return sums / counts over the groups so far (0 if nothing counted); gradient of this group only."""
        now, units = sums.detach(), counts.detach()
        if name in self.kept:
            before, units_before = self.kept[name]
            now, units = now + self.decay * before.to(now), units + self.decay * units_before.to(units)
        self.kept[name] = now, units
        own = sums / counts.clamp(min=1)
        return (now / units.clamp(min=torch.finfo(units.dtype).tiny)) + (own - own.detach())

    def value(self, name: str) -> Tensor | None:
        """Return the current mean, or None before the first group."""
        if name not in self.kept:
            return None
        sums, counts = self.kept[name]
        return sums / counts.clamp(min=torch.finfo(counts.dtype).tiny)

    def state(self) -> dict[str, Any]:
        """Return the tensors to resume from."""
        return {name: {"sums": sums, "counts": counts} for name, (sums, counts) in self.kept.items()}

    def restore(self, state: dict[str, Any]) -> None:
        self.kept = {name: (one["sums"], one["counts"]) for name, one in state.items()}


@dataclass
class Multipliers:
    """Multipliers of constraints "loss <= slack", by damped dual ascent (Platt and Barr 1988)."""

    rate: float
    damping: float
    slack: float
    values: dict[str, float] = field(default_factory=dict)

    def weigh(self, name: str, loss: float) -> float:
        """Return max(0, lambda + damping (loss - slack)), then add rate (loss - slack) to lambda."""
        value, excess = self.values.get(name, 0.0), loss - self.slack
        self.values[name] = max(0.0, value + self.rate * excess)
        return max(0.0, value + self.damping * excess)


@dataclass
class Targets:
    """Exact P(label* = 1) and P(consequent*) for units with known labels; cached."""

    scm: LabelSCM
    nodes: Sequence[str]
    stickiness: float
    known: dict[tuple[str, tuple[int, ...]], Tensor] = field(default_factory=dict)
    most: int = 2**16  # answers that are kept; 40 labels have 2^40 facts

    def __call__(self, question: Question, facts: Tensor) -> Tensor:
        """Return (m, d + c) float32: all labels, then each consequent; NaN for impossible facts."""
        rows = [tuple(row) for row in facts.tolist()]
        new = [row for row in dict.fromkeys(rows) if (question.name, row) not in self.known]
        if new:
            answers = self._ask(question, torch.tensor(new, dtype=torch.int8))
            self.known.update({(question.name, row): answer for row, answer in zip(new, answers, strict=True)})
        found = torch.stack([self.known[question.name, row] for row in rows])
        for key in list(self.known)[: max(0, len(self.known) - self.most)]:  # those asked about first
            del self.known[key]
        return found

    def before(self, question: Question, name: str) -> float:
        """Return P(consequent) in the actual world of the units in a group, in [0, 1].

        They are as given. Where the antecedent is observed, they are also those who come to have it.
        """
        consequent, query = question.statements[name].consequent, question.query
        share = self.scm.probability(consequent, given=query.given)
        if query.mode != "observe" or not share:
            return share
        come = partial(self.scm.counterfactual_probability, query.antecedent, stickiness=self.stickiness)
        possible = come(query.given)
        return share * come({**query.given, **consequent}) / possible if possible else share

    def _ask(self, question: Question, facts: Tensor) -> Tensor:
        query, reference = question.query, Reference(self.scm, tuple(self.nodes), "fitted")
        antecedent = {name: torch.full((len(facts),), value) for name, value in query.antecedent.items()}
        _, labels = reference.answer(facts, antecedent, query.mode, self.stickiness)
        consequents = [
            reference.expect(facts, query.antecedent, statement.consequent, query.mode, self.stickiness)[:, None]
            for statement in question.statements.values()
        ]
        return torch.cat([labels, *consequents], 1).float()


@dataclass
class Costs:
    """Losses of a group from classifier probabilities; the means also include earlier groups."""

    targets: Targets
    contrast: float = 1.0
    calibration: float = 1.0
    means: RunningMeans = field(default_factory=RunningMeans)

    def __call__(self, question: Question, before: Tensor | None, after: Tensor, facts: Tensor) -> Losses:
        """Return the losses by name; before and after are (m, d) P(label = 1 | image), facts (m, d) 0/1."""
        wanted = self.targets(question, facts).to(after.device)
        columns = wanted[:, len(self.targets.nodes) :].unbind(1)
        losses = {
            name: self._statement(name, question, before, after, column)
            for name, column in zip(question.statements, columns, strict=True)
        }
        if question.weight and question.kept:
            losses[f"{question.name}: kept"] = self._kept(question, after, facts.to(after.device), wanted)
        return losses

    def _statement(self, name: str, question: Question, before: Tensor | None, after: Tensor, wanted: Tensor) -> Tensor:
        statement = question.statements[name]
        columns = {self.targets.nodes.index(label): value for label, value in statement.consequent.items()}
        interval = MODALS[statement.modal].interval()
        q = self._mean(f"{name}: after", joint_probability(after, columns))
        loss = modal_loss(q, interval)
        if self.contrast:
            assert before is not None
            actual = self._mean(f"{name}: before", joint_probability(before, columns))
            known = self.targets.before(question, name)
            loss = loss + self.contrast * contrast_loss(q, actual, known, interval)
        possible = wanted[~wanted.isnan()]
        if self.calibration and len(possible):
            target = self._mean(f"{name}: target", possible)
            # What is told wins: a statement that the label model denies is calibrated to the bound of what it asks.
            loss = loss + self.calibration * agreement_loss(q, target.clamp(interval.low, interval.high))
        return loss

    def _kept(self, question: Question, after: Tensor, facts: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss of the fixed labels against the label model, separately for facts 0 and 1."""
        columns = [self.targets.nodes.index(label) for label in question.kept]
        had = torch.stack([facts == 0, facts == 1])[:, :, columns]
        known = ~wanted[:, 0].isnan()
        counted = (had & known[None, :, None]).to(after)
        target = torch.where(known[:, None], wanted, 0.0)[:, columns]
        units = counted.sum(1)
        reading = self.means(f"{question.name}: kept", (counted * after[:, columns]).sum(1), units)
        aim = self.means(f"{question.name}: aim", (counted * target).sum(1), units)
        share = units / units.sum(0).clamp(min=1)
        return question.weight * (share * agreement_loss(reading, aim)).sum()

    def _mean(self, name: str, values: Tensor) -> Tensor:
        return self.means(name, values.sum(), values.new_tensor(float(len(values))))

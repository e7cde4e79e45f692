"""What a group costs by what is said of it: the loss of each statement, and of what its question keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..losses.memory import RunningMeans
from ..losses.statement import agreement_loss, contrast_loss, joint_probability, modal_loss
from ..statement_modals import MODALS, Interval
from .questions import Question
from .targets import Targets

Losses = dict[str, Tensor]


@dataclass
class Costs:
    """Called on readings of a group's images; see `causalcf.losses.statement` for the terms.

    Args:
        targets: the label model's answers.
        contrast, calibration: weights of those terms.
        means: over this group and those before it.
    """

    targets: Targets
    contrast: float = 1.0
    calibration: float = 1.0
    means: RunningMeans = field(default_factory=RunningMeans)

    def contrasts(self, question: Question) -> bool:
        """Whether the actual images matter."""
        return self.contrast > 0 and bool(question.statements)

    def __call__(self, question: Question, before: Tensor | None, after: Tensor, facts: Tensor) -> Losses:
        """A loss for each statement and one for what is kept.

        Args:
            question: what was asked.
            before: (m, d) P(label = 1 | actual image); may be None where `contrasts` says so.
            after: (m, d) P(label = 1 | counterfactual image).
            facts: (m, d) 0/1 actual labels.
        """
        wanted = self.targets(question, facts).to(after.device)
        losses = {
            name: self._statement(name, question, before, after, wanted[:, len(self.targets.nodes) + place])
            for place, name in enumerate(question.statements)
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
            loss = loss + self.calibration * agreement_loss(q, _moved_into(target, interval))
        return loss

    def _kept(self, question: Question, after: Tensor, facts: Tensor, wanted: Tensor) -> Tensor:
        """How far kept labels are from what the label model says, apart for units that had them and that had not."""
        columns = [self.targets.nodes.index(label) for label in question.kept]
        had = torch.stack([facts == 0, facts == 1])[:, :, columns]
        told = ~wanted[:, 0].isnan()
        counted = (had & told[None, :, None]).to(after)
        target = torch.where(told[:, None], wanted, 0.0)[:, columns]
        units = counted.sum(1)
        reading = self.means(f"{question.name}: kept", (counted * after[:, columns]).sum(1), units)
        aim = self.means(f"{question.name}: aim", (counted * target).sum(1), units)
        share = units / units.sum(0).clamp(min=1)
        return question.weight * (share * agreement_loss(reading, aim)).sum()

    def _mean(self, name: str, values: Tensor) -> Tensor:
        return self.means(name, values.sum(), values.new_tensor(float(len(values))))


def _moved_into(target: Tensor, interval: Interval) -> Tensor:
    """The probability nearest to `target` that satisfies the modal."""
    return target.clamp(interval.low, interval.high)

"""Tells a generator statements, a group of counterfactuals at a time: draws, reads, weighs, and adds its gradient.

Groups are generated in evaluation mode, from batch norm's running statistics: an image then depends on no batch-mates,
as in sampling, and nothing of training's own state is touched. Every draw comes from a random state of its own. While
all statements hold, no gradient is added at all, and training goes on bit for bit as without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from ..classifiers import AttributeClassifier
from ..errors import RunError
from ..losses.memory import RunningMeans
from ..losses.multipliers import Multipliers
from ..losses.statement import agreement_loss, contrast_loss, joint_probability, modal_loss
from ..networks.dcgan import Generator
from ..precision import autocast
from ..statement_modals import MODALS, Interval
from .group import Group
from .questions import Question
from .replay import ReplaySource
from .targets import Targets

Losses = dict[str, Tensor]


class Source(Protocol):
    """Where groups come from."""

    proposed: int
    accepted: int

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """Up to m units; None where there are none yet."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain values to resume from."""

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state."""


@dataclass(frozen=True)
class Weights:
    """How much the terms beside the modal's own weigh; see `causalcf.losses.statement`."""

    contrast: float = 1.0
    calibration: float = 1.0


@dataclass
class Telling:
    """Applied once a step, after the generator's own backward pass and before its optimiser's step.

    Args:
        questions: asked in turn.
        source: of groups.
        targets: the label model's answers.
        classifier: frozen, of the label columns in their order; never the judge that evaluation uses.
        fingerprint: of the classifier.
        weights: of the terms.
        multipliers: one for each statement, and for what each question keeps.
        every: steps from one group to the next.
        size: units in a group.
        share: greatest norm of the statements' gradient, in norms of the generator's other gradient.
        start: steps before the first group.
        random: of all draws.
    """

    questions: Sequence[Question]
    source: Source
    targets: Targets
    classifier: AttributeClassifier
    fingerprint: str
    weights: Weights
    multipliers: Multipliers
    every: int
    size: int
    share: float
    start: int
    device: torch.device
    precision: str
    random: torch.Generator
    means: RunningMeans = field(default_factory=RunningMeans)
    last: dict[str, float] = field(default_factory=dict)

    def __call__(self, generator: Generator, step: int, noise: Tensor, images: Tensor) -> Losses:
        """Adds to the generator's gradients.

        Args:
            generator: in training mode, which it is left in.
            step: of training.
            noise, images: of training's own batch of generated images, without a gradient.

        Returns:
            The mean loss of the statements, each as it was when it was asked last.
        """
        if step >= self.start and step % self.every == 0:
            generator.eval()
            try:
                self._tell(generator, step, noise, images)
            finally:
                generator.train()
        mean = sum(self.last.values()) / max(len(self.last), 1)
        return {"statements": torch.tensor(mean, device=self.device)}

    def _tell(self, generator: Generator, step: int, noise: Tensor, images: Tensor) -> None:
        question = self.questions[(step // self.every) % len(self.questions)]
        if isinstance(self.source, ReplaySource):
            with torch.no_grad():
                self.source.watch(noise.cpu(), _seen(self._classify(images)))
                self.source.propose(question, lambda z: _seen(self._read(generator, z, z[:, :0])), self.random)
        group = self.source.draw(question, self.size, self.random)
        if group is None:
            return
        losses = self._losses(generator, question, group)
        weighed = [self.multipliers.weigh(name, loss.item()) * loss for name, loss in losses.items()]
        self.last |= {name: loss.item() for name, loss in losses.items()}
        total = sum(term for term in weighed if bool(term.detach() != 0))
        if isinstance(total, Tensor):
            self._descend(generator, total)

    def _descend(self, generator: Generator, loss: Tensor) -> None:
        """Adds the loss's gradient, no longer than a share of what is there: the picture remains the objective."""
        weights = list(generator.parameters())
        ours, theirs = torch.autograd.grad(loss, weights), [weight.grad for weight in weights]
        scale = (self.share * norm(theirs) / norm(ours)).clamp(max=1)
        for gradient, own in zip(theirs, ours, strict=True):
            assert gradient is not None
            gradient.add_(own * scale)

    def _losses(self, generator: Generator, question: Question, group: Group) -> Losses:
        """The loss of each statement of a question, and of what it keeps."""
        after = self._read(generator, group.moved, group.supposed)
        contrasted = self.weights.contrast > 0 and bool(question.statements)
        with torch.set_grad_enabled(contrasted):
            before = self._read(generator, group.noise, group.labels)
        facts = group.labels
        if isinstance(self.source, ReplaySource):
            facts = _seen(before)
            holds = self.source.confirm(question, facts, _seen(after))
            if int(holds.sum()) < self.size / 4:
                return {}
            after, before, facts = after[holds], before[holds], facts[holds]
        wanted = self.targets(question, facts).to(self.device)
        losses = {
            name: self._statement(name, question, after, before, wanted[:, len(self.targets.nodes) + place])
            for place, name in enumerate(question.statements)
        }
        if question.weight and question.kept:
            losses[f"{question.name}: kept"] = self._kept(question, after, facts.to(self.device), wanted)
        return losses

    def _statement(self, name: str, question: Question, after: Tensor, before: Tensor, wanted: Tensor) -> Tensor:
        statement = question.statements[name]
        columns = {self.targets.nodes.index(label): value for label, value in statement.consequent.items()}
        interval = MODALS[statement.modal].interval()
        q = self._mean(f"{name}: after", joint_probability(after, columns))
        loss = modal_loss(q, interval)
        if self.weights.contrast:
            actual = self._mean(f"{name}: before", joint_probability(before, columns))
            known = self.targets.before(question, name)
            loss = loss + self.weights.contrast * contrast_loss(q, actual, known, interval)
        if self.weights.calibration:
            possible = wanted[~wanted.isnan()]
            target = self._mean(f"{name}: target", possible) if len(possible) else q.detach()
            # What is told wins: a statement that the label model denies is calibrated to the bound of what it asks.
            loss = loss + self.weights.calibration * agreement_loss(q, _moved_into(target, interval))
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

    def _read(self, generator: Generator, noise: Tensor, labels: Tensor) -> Tensor:
        """(m, d) P(label = 1 | image) of noise and labels."""
        with autocast(self.device, self.precision):
            images = generator(noise.to(self.device), labels.to(self.device))
        return self._classify(images)

    def _classify(self, images: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            exact = images.to(torch.promote_types(images.dtype, torch.float32))
            logits = self.classifier.logits(exact / 2 + 0.5)
        return logits.to(exact.dtype).sigmoid()

    def told(self) -> dict[str, dict[str, float]]:
        """What is known of each statement: the share seen, the label model's, its loss and its multiplier."""
        return {name: self._told(name) for question in self.questions for name in question.statements}

    def _told(self, name: str) -> dict[str, float]:
        means = {"q": self.means.value(f"{name}: after"), "target": self.means.value(f"{name}: target")}
        found = {key: float(value) for key, value in means.items() if value is not None}
        if name in self.last:
            found |= {"loss": self.last[name], "multiplier": self.multipliers.values[name]}
        return found

    def state(self) -> dict[str, Any]:
        """Tensors and plain values to resume from."""
        return {
            "classifier": self.fingerprint,
            "random": self.random.get_state(),
            "means": self.means.state(),
            "multipliers": dict(self.multipliers.values),
            "last": dict(self.last),
            "source": self.source.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state.

        Raises:
            RunError: another classifier told it before.
        """
        if state["classifier"] != self.fingerprint:
            raise RunError("the statements' classifier is not the one that this run was begun with; name that one")
        self.random.set_state(state["random"].cpu())
        self.means.restore(state["means"])
        self.multipliers.values, self.last = dict(state["multipliers"]), dict(state["last"])
        self.source.restore(state["source"])


def norm(gradients: Sequence[Tensor | None]) -> Tensor:
    """Euclidean norm of all together."""
    return torch.stack([gradient.square().sum() for gradient in gradients if gradient is not None]).sum().sqrt()


def _seen(probabilities: Tensor) -> Tensor:
    """The likelier labels, int8 on the CPU."""
    return (probabilities.detach() > 0.5).to("cpu", torch.int8)


def _moved_into(target: Tensor, interval: Interval) -> Tensor:
    """The probability nearest to `target` that satisfies the modal."""
    return target.detach().clamp(interval.low, interval.high)

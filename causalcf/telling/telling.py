"""Tells a generator statements, a group of counterfactuals at a time: draws, reads, weighs, and adds its gradient.

Groups are generated in evaluation mode, from batch norm's running statistics: an image then depends on no batch-mates,
as in sampling, and nothing of training's own state is touched. Every draw comes from a random state of its own. While
all statements hold, no gradient is added at all, and training goes on bit for bit as without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..classifiers import AttributeClassifier
from ..errors import RunError
from ..losses.multipliers import Multipliers
from ..networks.dcgan import Generator
from ..precision import autocast
from .costs import Costs, Losses
from .group import Group, Source
from .questions import Question


@dataclass
class Telling:
    """Applied once a step, after the generator's own backward pass and before its optimiser's step.

    Args:
        questions: asked in turn.
        source: of groups.
        costs: what a group costs.
        classifier: frozen, of the label columns in their order; never the judge that evaluation uses.
        fingerprint: of the classifier.
        multipliers: one for each statement, and for what each question keeps.
        every: steps from one group to the next.
        size: units in a group.
        share: greatest norm of the statements' gradient, in norms of the generator's other gradient.
        start: steps before the first group.
        random: of all draws.
    """

    questions: Sequence[Question]
    source: Source
    costs: Costs
    classifier: AttributeClassifier
    fingerprint: str
    multipliers: Multipliers
    every: int
    size: int
    share: float
    start: int
    device: torch.device
    precision: str
    random: torch.Generator
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
        if self.due(step):
            generator.eval()
            try:
                self._tell(generator, step, noise, images)
            finally:
                generator.train()
        return self.losses()

    def due(self, step: int) -> bool:
        """Whether a group is told at this step of training."""
        return step >= self.start and step % self.every == 0

    def losses(self) -> Losses:
        """The mean loss of the statements, each as it was when it was asked last."""
        mean = sum(self.last.values()) / max(len(self.last), 1)
        return {"statements": torch.tensor(mean, device=self.device)}

    def _tell(self, generator: Generator, step: int, noise: Tensor, images: Tensor) -> None:
        question = self.questions[(step // self.every) % len(self.questions)]
        with torch.no_grad():
            self.source.search(
                question,
                noise.cpu(),
                lambda: _seen(self._classify(images)),
                lambda z: _seen(self._read(generator, z, z[:, :0])),
                self.random,
            )
        group = self.source.draw(question, self.size, self.random)
        losses = {} if group is None else self._losses(generator, question, group)
        found = _numbers(losses)
        weights = {name: self.multipliers.weigh(name, value) for name, value in found.items()}
        self.last |= found
        unmet = [weights[name] * loss for name, loss in losses.items() if weights[name] and found[name]]
        if unmet:
            self._descend(generator, torch.stack(unmet).sum())

    def _descend(self, generator: Generator, loss: Tensor) -> None:
        """Adds the loss's gradient, no longer than a share of what is there: the picture remains the objective."""
        weights = list(generator.parameters())
        ours, theirs = torch.autograd.grad(loss, weights), [weight.grad for weight in weights]
        scale = (self.share * norm(theirs) / norm(ours)).clamp(max=1)
        for gradient, own in zip(theirs, ours, strict=True):
            assert gradient is not None
            gradient.add_(own * scale)

    def _losses(self, generator: Generator, question: Question, group: Group) -> Losses:
        """The losses of a group; none where too few of its units still are as given and as supposed."""
        after, before, seen = self._read(generator, group.moved, group.supposed), None, None
        contrasts = self.costs.contrasts(question)
        if contrasts or self.source.looks:
            with torch.set_grad_enabled(contrasts):
                before = self._read(generator, group.noise, group.labels)
            seen = _seen(before)
        facts, holds = self.source.confirm(question, group, seen, _seen(after))
        if int(holds.sum()) < self.size / 4:
            return {}
        return self.costs(question, None if before is None else before[holds], after[holds], facts[holds])

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
        means = {"q": self.costs.means.value(f"{name}: after"), "target": self.costs.means.value(f"{name}: target")}
        found = {key: float(value) for key, value in means.items() if value is not None}
        if name in self.last:
            found |= {"loss": self.last[name], "multiplier": self.multipliers.values[name]}
        return found

    def state(self) -> dict[str, Any]:
        """Tensors and plain values to resume from."""
        return {
            "classifier": self.fingerprint,
            "random": self.random.get_state(),
            "means": self.costs.means.state(),
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
        self.costs.means.restore(state["means"])
        self.multipliers.values, self.last = dict(state["multipliers"]), dict(state["last"])
        self.source.restore(state["source"])


def norm(gradients: Sequence[Tensor | None]) -> Tensor:
    """Euclidean norm of all together."""
    return torch.stack([gradient.square().sum() for gradient in gradients if gradient is not None]).sum().sqrt()


def _numbers(losses: Losses) -> dict[str, float]:
    """All at once, as a device is waited for each time."""
    return dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True)) if losses else {}


def _seen(probabilities: Tensor) -> Tensor:
    """The likelier labels, int8 on the CPU."""
    return (probabilities.detach() > 0.5).to("cpu", torch.int8)

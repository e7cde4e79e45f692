"""Statement constraint: add the gradient of statement losses on counterfactual groups to a generator.
It uses batch norm in evaluation mode and its own random state; satisfied statements change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.v2.functional import gaussian_blur

from ..classifiers.classifier import AttributeClassifier
from ..errors import RunError
from ..networks.bundle import AnyGenerator
from ..networks.precision import autocast
from .costs import Costs, Losses, Multipliers
from .sources import Group, Question, Source

BLUR = 0.85  # sigma in pixels: weights of about 1, 2, 1, which a pattern of period 2 does not pass


@dataclass
class StatementConstraint:
    """Statement constraint, called after the generator's backward pass and before its optimizer step."""

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
    smooth: bool = False  # whether the classifier reads blurred images
    last: dict[str, float] = field(default_factory=dict)

    def __call__(self, generator: AnyGenerator, step: int, noise: Tensor, images: Tensor) -> Losses:
        """Add the constraint gradient if due, and return the mean statement loss."""
        if self.due(step):
            generator.eval()
            try:
                self._tell(generator, step, noise, images)
            finally:
                generator.train()
        return self.losses()

    @property
    def consequents(self) -> frozenset[str]:
        """The labels that the statements' consequents name."""
        said = (statement for question in self.questions for statement in question.statements.values())
        return frozenset(label for statement in said for label in statement.consequent)

    def due(self, step: int) -> bool:
        """Return whether the constraint runs at this training step."""
        return step >= self.start and step % self.every == 0

    def losses(self) -> Losses:
        """Return the mean of the latest statement losses."""
        mean = sum(self.last.values()) / max(len(self.last), 1)
        return {"statements": torch.tensor(mean, device=self.device)}

    def _tell(self, generator: AnyGenerator, step: int, noise: Tensor, images: Tensor) -> None:
        question = self.questions[(step // self.every) % len(self.questions)]
        with torch.no_grad():
            self.source.search(
                question,
                noise.cpu(),
                lambda: _seen(self._classify(images)),
                lambda z, labels: _seen(self._read(generator, z, labels)),
                self.random,
            )
        group = self.source.draw(question, self.size, self.random)
        losses = {} if group is None else self._losses(generator, question, group)
        # One device synchronisation for all of them.
        found = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True)) if losses else {}
        weights = {name: self.multipliers.weigh(name, value) for name, value in found.items()}
        self.last |= found
        unmet = [weights[name] * loss for name, loss in losses.items() if weights[name] and found[name]]
        if unmet:
            self._descend(generator, torch.stack(unmet).sum())

    def _descend(self, generator: AnyGenerator, loss: Tensor) -> None:
        """Add the loss gradient; its norm is at most `share` of the generator's own gradient norm."""
        weights = list(generator.parameters())
        ours, theirs = torch.autograd.grad(loss, weights), [weight.grad for weight in weights]
        smallest = torch.finfo(torch.float32).tiny  # where both norms are 0, the scale is 0
        scale = (self.share * norm(theirs) / norm(ours).clamp(min=smallest)).clamp(max=1)
        for gradient, own in zip(theirs, ours, strict=True):
            assert gradient is not None
            gradient.add_(own * scale)

    def _losses(self, generator: AnyGenerator, question: Question, group: Group) -> Losses:
        """Return the losses of a group; empty if fewer than a quarter of its units match."""
        after, before, seen = self._read(generator, group.moved, group.intervention), None, None
        contrasts = self.costs.contrast > 0 and bool(question.statements)
        if contrasts or self.source.looks:
            with torch.set_grad_enabled(contrasts):
                before = self._read(generator, group.noise, group.labels)
            seen = _seen(before)
        facts, holds = self.source.confirm(question, group, seen, _seen(after))
        if int(holds.sum()) < self.size / 4:
            return {}
        return self.costs(question, None if before is None else before[holds], after[holds], facts[holds])

    def _read(self, generator: AnyGenerator, noise: Tensor, labels: Tensor) -> Tensor:
        """Return (m, d) P(label = 1 | image) for noise and labels."""
        with autocast(self.device, self.precision):
            images = generator(noise.to(self.device), labels.to(self.device))
        return self._classify(images)

    def _classify(self, images: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            exact = images.to(torch.promote_types(images.dtype, torch.float32))
            shown = (exact / 2 + 0.5).clamp(0, 1)  # as a run shows them
            logits = self.classifier.logits(gaussian_blur(shown, [3, 3], [BLUR, BLUR]) if self.smooth else shown)
        return logits.to(exact.dtype).sigmoid()

    def record(self) -> dict[str, dict[str, float]]:
        """Return the measured q, target, loss and multiplier of each statement."""
        found = {}
        for name in (name for question in self.questions for name in question.statements):
            q, target = (self.costs.means.value(f"{name}: {part}") for part in ("after", "target"))
            means = {"q": q, "target": target}
            found[name] = {key: float(value) for key, value in means.items() if value is not None}
            if name in self.last:
                found[name] |= {"loss": self.last[name], "multiplier": self.multipliers.values[name]}
        return found

    def state(self) -> dict[str, Any]:
        """Return the tensors and plain values to resume from."""
        return {
            "classifier": self.fingerprint,
            "random": self.random.get_state(),
            "means": self.costs.means.state(),
            "multipliers": dict(self.multipliers.values),
            "last": dict(self.last),
            "source": self.source.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from a state; RunError if the classifier is a different one."""
        if state["classifier"] != self.fingerprint:
            raise RunError(
                "the statements' classifier is not the one that this run was begun with; put that one back in its "
                "place, or start a new run"
            )
        self.random.set_state(state["random"].cpu())
        self.costs.means.restore(state["means"])
        self.multipliers.values, self.last = dict(state["multipliers"]), dict(state["last"])
        self.source.restore(state["source"])


def norm(gradients: Sequence[Tensor | None]) -> Tensor:
    """Return the Euclidean norm of all gradients together."""
    return torch.stack([gradient.square().sum() for gradient in gradients if gradient is not None]).sum().sqrt()


def _seen(probabilities: Tensor) -> Tensor:
    """Threshold probabilities at 0.5 as int8 labels on the CPU."""
    return (probabilities.detach() > 0.5).to("cpu", torch.int8)

"""The antecedent as a condition on a classifier's output, and calls counted against a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import as_names, check, check_count, is_share
from ..errors import CausalCFError
from ..labels.evidence import assignment
from .samplers import shape_of


@dataclass(frozen=True)
class Antecedent:
    """Condition that the classifier gives each named value a probability above `threshold`."""

    attributes: tuple[str, ...]
    condition: Mapping[str, int]
    threshold: float = 0.5

    def __post_init__(self) -> None:
        names = list(as_names("attributes", self.attributes))
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CausalCFError(f"attributes name {twice[0]!r} twice; each column of the classifier has its own name")
        held = assignment(self.attributes, "condition", self.condition)
        if not held:
            raise CausalCFError('condition is empty; it must name what to look for, such as {"Smiling": 1}')
        for column, value in held.items():
            if len(value) != 1:
                raise CausalCFError(f"condition {names[column]}: one value, 0 or 1, for all draws")
        inside = is_share(self.threshold) and 0 < self.threshold < 1
        check(inside, "threshold", self.threshold, "a probability between 0 and 1")

    def __str__(self) -> str:
        return ", ".join(f"{name}={int(value)}" for name, value in self.condition.items())

    def margin(self, probabilities: Tensor) -> Tensor:
        """Return (n,) float64: the smallest margin over the threshold, in log-odds; positive iff all hold."""
        logits = self._asked(probabilities).logit()
        return logits.min(1).values - math.log(self.threshold / (1 - self.threshold))

    def log_likelihood(self, probabilities: Tensor) -> Tensor:
        """Return (n,) float64: the sum over the conditions of the log probability of the required value."""
        return self._asked(probabilities).log().sum(1)

    def holds(self, probabilities: Tensor) -> Tensor:
        """Return (n,) bool, on the CPU: whether the classifier says that all conditions hold."""
        return self.margin(probabilities) > 0

    def _asked(self, probabilities: Tensor) -> Tensor:
        """Return (n, conditions) float64 probabilities of the required values."""
        seen = probabilities.detach().cpu().double()
        ones = seen[:, [self.attributes.index(name) for name in self.condition]]
        return torch.where(torch.tensor([bool(value) for value in self.condition.values()]), ones, 1 - ones)


def antecedent(attributes: Sequence[str], condition: Mapping[str, int], threshold: float) -> Antecedent:
    """Build an `Antecedent`; refuse a single string where names are expected."""
    if isinstance(attributes, str):
        text = f"attributes is the string {attributes!r}; it must be the names of the classifier's columns"
        raise CausalCFError(text)
    return Antecedent(as_names("attributes", attributes), condition, threshold)


Generate = Callable[[Tensor], Tensor]
"""(n, k) noise -> (n, 3, h, w) images in [0, 1]; a function of the noise alone (networks in eval mode)."""

Classify = Callable[[Tensor], Tensor]
"""(n, 3, h, w) images in [0, 1] -> (n, d) probabilities."""

Progress = Callable[[int, int], None]
"""Told (draws found so far, images generated so far) after every batch or move."""

SLACK = 1e-3  # beyond [0, 1] by rounding in half precision


class BudgetEnded(Exception):
    """Raised when the budget does not allow more proposals; each method turns it into a user error."""


class Judge:
    """Generator and classifier with a budget; a proposal counts even if its image is already known."""

    def __init__(self, generate: Generate, classify: Classify, antecedent: Antecedent, batch: int, budget: int) -> None:
        check(callable(generate), "generate", generate, "a function from noise to images")
        check(callable(classify), "classify", classify, "a function from images to probabilities")
        check_count("batch", batch)
        check_count("budget", budget)
        self.generate, self.classify, self.antecedent = generate, classify, antecedent
        self.batch, self.budget = batch, budget
        self.judged = 0
        self.evaluations = 0  # images generated

    @property
    def left(self) -> int:
        """Return the number of proposals that the budget still allows."""
        return self.budget - self.judged

    def charge(self, proposals: int) -> None:
        """Count proposals against the budget; raise `BudgetEnded` if it is too small."""
        if proposals > self.left:
            raise BudgetEnded
        self.judged += proposals

    @torch.no_grad()
    def look(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the images of one batch of noise, and their (n, d) probabilities by the classifier."""
        images = self.generate(noise)
        self.evaluations += len(noise)
        check_images(images, len(noise))
        probabilities = self.classify(images)
        check_probabilities(probabilities, len(noise), self.antecedent.attributes)
        return images, probabilities

    def probabilities(self, noise: Tensor) -> Tensor:
        """Return (n, d) probabilities, on the CPU, for any number of noises."""
        if not len(noise):
            return torch.zeros(0, len(self.antecedent.attributes))
        return torch.cat([self.look(part)[1].cpu() for part in noise.split(self.batch)])


def check_images(images: Tensor, n: int) -> None:
    """Check that `generate` gave a batch of n images in [0, 1]."""
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) != n:
        wanted = f"images of shape ({n}, 3, h, w)"
        raise CausalCFError(f"generate gave {shape_of(images)} for {n} noises; it must give {wanted}")
    low, high = images.min().item(), images.max().item()
    if not (low >= -SLACK and high <= 1 + SLACK):
        raise CausalCFError(
            f"generate gave images from {low:.3g} to {high:.3g}; they must lie in [0, 1] "
            "(of a tanh output x, (x + 1) / 2)"
        )


def check_probabilities(probabilities: Tensor, n: int, attributes: tuple[str, ...]) -> None:
    """Check that `classify` gave one probability for each image and attribute."""
    wanted = (n, len(attributes))
    if not isinstance(probabilities, Tensor) or probabilities.shape != wanted:
        raise CausalCFError(
            f"classify gave {shape_of(probabilities)}; it must give {wanted}: {n} images by the {len(attributes)} "
            f"attributes {', '.join(attributes)}"
        )
    low, high = probabilities.min().item(), probabilities.max().item()
    if not (low >= 0 and high <= 1):
        raise CausalCFError(
            f"classify gave values from {low:.3g} to {high:.3g}; they must be probabilities (of a logit x, x.sigmoid())"
        )

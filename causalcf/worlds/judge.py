"""Anyone's generator and anyone's classifier, asked in batches, checked, and counted against a budget."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..arguments import check
from ..errors import CausalCFError
from .antecedent import Antecedent

Generate = Callable[[Tensor], Tensor]
"""(n, k) noise -> (n, 3, h, w) images in [0, 1]; a function of the noise alone (networks in eval mode)."""

Classify = Callable[[Tensor], Tensor]
"""(n, 3, h, w) images in [0, 1] -> (n, d) probabilities."""

Progress = Callable[[int, int], None]
"""Told (draws found so far, images generated so far) after every batch or move."""

SLACK = 1e-3  # beyond [0, 1] by rounding in half precision


class BudgetEnded(Exception):
    """More proposals were to be judged than the budget allows; each method says what that means for the user."""


class Judge:
    """Shows noise to a generator and its images to a classifier.

    Args:
        generate, classify: the user's callables.
        antecedent: the condition on the classifier's columns.
        batch: most images generated at a time.
        budget: most proposals judged. A proposal whose image is known already counts as judged, not as generated.
    """

    def __init__(self, generate: Generate, classify: Classify, antecedent: Antecedent, batch: int, budget: int) -> None:
        check(callable(generate), "generate", generate, "a function from noise to images")
        check(callable(classify), "classify", classify, "a function from images to probabilities")
        self.generate, self.classify, self.antecedent = generate, classify, antecedent
        self.batch, self.budget = batch, budget
        self.judged = 0
        self.evaluations = 0  # images generated

    @property
    def left(self) -> int:
        """Proposals that the budget still allows."""
        return self.budget - self.judged

    def charge(self, proposals: int) -> None:
        """Count proposals against the budget.

        Raises:
            BudgetEnded: it does not allow so many.
        """
        if proposals > self.left:
            raise BudgetEnded
        self.judged += proposals

    @torch.no_grad()
    def look(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The images of one batch of noise, and the (n, d) probabilities that the classifier reads off them.

        Raises:
            CausalCFError: images or probabilities of the wrong shape or range.
        """
        images = self.generate(noise)
        self.evaluations += len(noise)
        check_images(images, len(noise))
        probabilities = self.classify(images)
        check_probabilities(probabilities, len(noise), self.antecedent.attributes)
        return images, probabilities

    def probabilities(self, noise: Tensor) -> Tensor:
        """(n, d) probabilities, on the CPU, of any number of noises."""
        if not len(noise):
            return torch.zeros(0, len(self.antecedent.attributes))
        return torch.cat([self.look(part)[1].cpu() for part in noise.split(self.batch)])


def check_images(images: Tensor, n: int) -> None:
    """Refuse what is no batch of n images in [0, 1].

    Raises:
        CausalCFError: says what generate gave.
    """
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) != n:
        found = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise CausalCFError(f"generate gave {found} for {n} noises; it must give images of shape ({n}, 3, h, w)")
    low, high = images.min().item(), images.max().item()
    if not (low >= -SLACK and high <= 1 + SLACK):
        raise CausalCFError(
            f"generate gave images from {low:.3g} to {high:.3g}; they must lie in [0, 1] "
            "(of a tanh output x, (x + 1) / 2)"
        )


def check_probabilities(probabilities: Tensor, n: int, attributes: tuple[str, ...]) -> None:
    """Refuse what is no probability for each image and attribute.

    Raises:
        CausalCFError: says what classify gave.
    """
    wanted = (n, len(attributes))
    if not isinstance(probabilities, Tensor) or probabilities.shape != wanted:
        found = tuple(probabilities.shape) if isinstance(probabilities, Tensor) else type(probabilities).__name__
        raise CausalCFError(
            f"classify gave {found}; it must give {wanted}: {n} images by the {len(attributes)} attributes "
            f"{', '.join(attributes)}"
        )
    low, high = probabilities.min().item(), probabilities.max().item()
    if not (low >= 0 and high <= 1):
        raise CausalCFError(
            f"classify gave values from {low:.3g} to {high:.3g}; they must be probabilities (of a logit x, x.sigmoid())"
        )

"""The antecedent as a condition on a classifier's output, and calls counted against a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.random import fork_rng

from ..checks import as_names, check, check_count, is_share
from ..errors import CausalCFError
from ..io.untrusted import first_line
from ..labels.evidence import assignment
from .samplers import shape_of

Generate = Callable[[Tensor], Tensor]
"""(n, k) noise -> (n, 3, h, w) or (n, 1, h, w) images in [0, 1]; a function of the noise alone (eval mode)."""

Classify = Callable[[Tensor], Tensor]
"""Images in [0, 1] -> (n, d) probabilities; a function of the image alone (eval mode)."""

Progress = Callable[[int, int], None]
"""Told (draws found so far, images generated so far) after every batch or move."""

SLACK = 1e-3  # beyond [0, 1] by rounding in half precision
TWICE = 4  # noises looked at twice
THIN = 1e-3  # log-odds: the least margin that is not looked at again


@dataclass(frozen=True)
class Antecedent:
    """Condition that the classifier gives each named value a probability above `threshold`."""

    attributes: Sequence[str]
    condition: Mapping[str, int]
    threshold: float = 0.5

    def __post_init__(self) -> None:
        names = as_names("attributes", self.attributes)
        object.__setattr__(self, "attributes", names)
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CausalCFError(f"attributes name {twice[0]!r} twice; each column of the classifier has its own name")
        held = assignment(names, "condition", self.condition)
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
        seen = probabilities.detach().cpu().double().clamp(0, 1)
        ones = seen[:, [self.attributes.index(name) for name in self.condition]]
        return torch.where(torch.tensor([bool(value) for value in self.condition.values()]), ones, 1 - ones)


class BudgetEnded(Exception):
    """Raised when the budget does not allow more proposals; each method turns it into a user error."""


class Judge:
    """Generator and classifier with a budget; a proposal counts even if its image is known, a second look does not."""

    def __init__(self, generate: Generate, classify: Classify, antecedent: Antecedent, batch: int, budget: int) -> None:
        check(callable(generate), "generate", generate, "a function from noise to images")
        check(callable(classify), "classify", classify, "a function from images to probabilities")
        check_count("batch", batch)
        check_count("budget", budget)
        self.generate, self.classify, self.antecedent = generate, classify, antecedent
        self.batch, self.budget = batch, budget
        self.judged = 0
        self.evaluations = 0  # images generated
        self.compared = 1  # the largest batch that was compared with single images
        self.thin = THIN

    @property
    def left(self) -> int:
        """Return the number of proposals that the budget still allows."""
        return self.budget - self.judged

    def charge(self, proposals: int) -> None:
        """Count proposals against the budget; raise `BudgetEnded` if it is too small."""
        if proposals > self.left:
            raise BudgetEnded
        self.judged += proposals

    def look(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the images of one batch of noise, and their (n, d) probabilities by the classifier.

        An antecedent that holds by less than batch sizes differ must also hold in the image generated alone.
        """
        images, probabilities = self._see(noise)
        self.evaluations += len(noise)
        with fork_rng([noise.device] if noise.is_cuda else []):  # second looks leave global random state alone
            margins = self.antecedent.margin(probabilities)
            if len(noise) >= 2 * self.compared:
                near = margins.abs().argsort()[:TWICE]
                self._compare(noise[near], images[near], probabilities[near], len(noise))
            for row in ((margins > 0) & (margins < self.thin)).nonzero().flatten().tolist():
                image, alone = self._see(noise[row : row + 1])
                if not self.antecedent.holds(alone):
                    images[row], probabilities[row] = image[0], alone[0]
        return images, probabilities

    def probabilities(self, noise: Tensor) -> Tensor:
        """Return (n, d) probabilities, on the CPU, for any number of noises."""
        if not len(noise):
            return torch.zeros(0, len(self.antecedent.attributes))
        return torch.cat([self.look(part)[1].cpu() for part in noise.split(self.batch)])

    def check(self, noise: Tensor) -> None:
        """Refuse a generator or classifier that is no function of its input: look twice at a few different noises."""
        few = noise[: max(2, min(TWICE, self.batch))]
        with fork_rng([noise.device] if noise.is_cuda else []):
            images, probabilities = self._see(few)
            # Beside other noises, but as many, a noise gives the same to the last bits, in any precision.
            half = len(few) // 2
            again = (part[:half] for part in self._see(few[torch.arange(len(few)) % half]))
            _agree((images, probabilities), again, f"in two batches of {len(few)}", 2**-10, 2**-22)
            self._compare(few, images, probabilities, len(few))

    def _compare(self, noise: Tensor, images: Tensor, probabilities: Tensor, size: int) -> None:
        """Compare what a batch of this size gave of some noises with the same noises seen one by one."""
        self.compared = size
        pictures, readings = (torch.cat(parts) for parts in zip(*map(self._see, noise.split(1)), strict=True))
        # Batches of two sizes have other kernels, which in bf16 differ by a percent or two.
        _agree((images, probabilities), (pictures, readings), f"in batches of {size} and of 1", 2**-4, 2**-4)
        one, other = (self.antecedent.margin(seen).clamp(-8, 8) for seen in (probabilities, readings))
        self.thin = max(self.thin, 4 * float((one - other).abs().max()))

    @torch.no_grad()
    def _see(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        images = _result("generate", self.generate, noise, check_images, "network(z.float()[:, :, None, None])")
        check = partial(check_probabilities, attributes=self.antecedent.attributes)
        return images, _result("classify", self.classify, images, check, "network(x.float() * 2 - 1).sigmoid()")


def _agree(one: Iterable[Tensor], other: Iterable[Tensor], how: str, share: float, more: float) -> None:
    """Check that other looks at the first noises differ by a share of what tells noises apart, and `more` of each."""
    for name, a, b in zip(("generate", "classify"), one, other, strict=True):
        a, b = (seen.double().reshape(-1, 1 if name == "generate" else seen.shape[1]) for seen in (a, b))
        spread = a.amax(0) - a.amin(0) + torch.minimum(a, 1 - a).amax(0).clamp(min=0) / 32  # of rare attributes, too
        a = a[: len(b)]
        differ = (a - b).abs()
        if bool((differ > share * spread + more * a.abs()).any()):
            raise CausalCFError(
                f"{name} is no function of its input alone: {how}, it gave results of one input that differ by "
                f"{float(differ.max()):.2g}; put its network into evaluation mode, network.eval(), without random draws"
            )


def _result(
    name: str, function: Callable[[Tensor], Tensor], given: Tensor, check: Callable[[Tensor, int], None], such_as: str
) -> Tensor:
    """Return what a caller's function makes of a tensor, checked; its own error is told with what it was given."""
    try:
        found = function(given.clone())  # which it may change, as ReLU(inplace=True) does
        check(found, len(given))
        return found.detach().clone()  # a network may write each of its results to one place
    except (CausalCFError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise CausalCFError(
            f"{name} failed on {shape_of(given)}, on {given.device} ({first_line(error)}); it must take this and any "
            f"number of rows: wrap the network, such as {such_as}, on this device, in evaluation mode, network.eval()"
        ) from error


def check_images(images: Tensor, n: int) -> None:
    """Check that `generate` gave a batch of n images in [0, 1]."""
    fits = isinstance(images, Tensor) and images.ndim == 4 and len(images) == n and images.shape[1] in (1, 3)
    if not fits or not images.is_floating_point() or not images.numel():
        raise CausalCFError(
            f"generate gave {shape_of(images)} for {n} noises; it must give a tensor of floats in [0, 1] of shape "
            "(n, 3, h, w), or (n, 1, h, w) (of channels last, x.permute(0, 3, 1, 2); of bytes, x / 255)"
        )
    low, high = images.min().item(), images.max().item()
    if not (low >= -SLACK and high <= 1 + SLACK):
        raise CausalCFError(
            f"generate gave images from {low:.3g} to {high:.3g}; they must lie in [0, 1] "
            "(of a tanh output x, (x + 1) / 2; of 0 to 255, x / 255)"
        )


def check_probabilities(probabilities: Tensor, n: int, attributes: Sequence[str]) -> None:
    """Check that `classify` gave one probability for each image and attribute."""
    wanted = (n, len(attributes))
    if not isinstance(probabilities, Tensor) or probabilities.shape != wanted:
        raise CausalCFError(
            f"classify gave {shape_of(probabilities)}; it must give a tensor, {wanted}: {n} images by the "
            f"{len(attributes)} attributes {', '.join(attributes)} (of one column p, p[:, None])"
        )
    low, high = probabilities.min().item(), probabilities.max().item()
    if not (low >= -SLACK and high <= 1 + SLACK):
        raise CausalCFError(
            f"classify gave values from {low:.4g} to {high:.4g}; they must be probabilities (of a logit x, x.sigmoid())"
        )

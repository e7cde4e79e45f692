"""Actual worlds under a condition: draw noise from the prior, keep the images that the classifier agrees with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..arguments import check_count
from ..errors import UnreachedError
from ..labels.randomness import fresh
from ..precision import choose_device
from .antecedent import antecedent
from .judge import Classify, Generate, Judge, Progress
from .priors import Prior, draw_prior, find_prior

BLOCK = 1024  # noises drawn at a time, whatever the batch: the draws do not depend on it


@dataclass(frozen=True)
class Selection:
    """n images that satisfy a condition.

    Args:
        noise: (n, k), as handed to the generator.
        images: (n, 3, h, w) in [0, 1].
        probabilities: (n, d), what the classifier says of them.
        proposals: noises looked at up to the last that was kept.
        evaluations: images generated, up to a batch more.
    """

    noise: Tensor
    images: Tensor
    probabilities: Tensor
    proposals: int
    evaluations: int

    @property
    def acceptance(self) -> float:
        """Share of the noises looked at whose images satisfy the condition."""
        return len(self.noise) / self.proposals


def sample_where(
    generate: Generate,
    classify: Classify,
    condition: Mapping[str, int],
    n: int,
    *,
    attributes: Sequence[str],
    noise_dim: int,
    prior: str | Prior = "uniform",
    batch: int = 256,
    budget: int = 100_000,
    threshold: float = 0.5,
    device: str | torch.device = "cpu",
    generator: torch.Generator | None = None,
    on_progress: Progress | None = None,
) -> Selection:
    """Exactly n images that the classifier says satisfy all conditions, from noise drawn from its prior.

    The same seed gives the same draws whatever the batch.

    Args:
        generate: (m, k) noise -> (m, 3, h, w) images in [0, 1]; a function of the noise alone (eval mode).
        classify: images -> (m, d) probabilities.
        condition: {attribute: 0 or 1}; a value holds where its probability exceeds `threshold`.
        n: images wanted.
        attributes: the names of the classifier's d columns, in order.
        noise_dim: k.
        prior: "uniform" on (-1, 1), "normal", or a callable (m, k, generator) -> (m, k).
        batch: images generated at a time.
        budget: most noises looked at.
        threshold: in (0, 1).
        device: where `generate` wants its noise.
        generator: source of randomness; a new one is seeded by the operating system where None.
        on_progress: called with (found, images generated) after every batch.

    Returns:
        A `Selection`, its tensors where `generate` and `classify` left them.

    Raises:
        UnreachedError: the budget ended first; says the acceptance rate.
        CausalCFError: an unknown attribute or prior, a value out of range, or callables that give something else.

    Source: defined here (rejection sampling).

    Example:
        >>> shade = lambda z: ((z + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> found = sample_where(shade, bright, {"Bright": 1}, 5, attributes=["Bright"], noise_dim=1)
        >>> bool((found.images > 0.5).all()), len(found.noise)
        (True, 5)
    """
    check_count("noise_dim", noise_dim, each=BLOCK)
    check_count("n", n, each=noise_dim)
    for name, value in (("batch", batch), ("budget", budget)):
        check_count(name, value)
    wanted = antecedent(attributes, condition, threshold)
    judge = Judge(generate, classify, wanted, batch, budget)
    law, source, device = find_prior(prior), fresh(generator), choose_device(str(device))
    kept: list[list[Tensor]] = []
    found = proposals = 0
    while True:
        for noise in draw_prior(law, BLOCK, noise_dim, source).to(device).split(batch):
            noise = noise[: judge.left]
            judge.charge(len(noise))
            images, probabilities = judge.look(noise)
            rows = wanted.holds(probabilities).nonzero().squeeze(1)[: n - found]
            kept.append([part[rows.to(part.device)] for part in (noise, images, probabilities)])
            found += len(rows)
            if on_progress is not None:
                on_progress(found, judge.evaluations)
            if found == n:
                last = proposals + int(rows[-1]) + 1
                chosen, pictures, readings = (torch.cat(parts) for parts in zip(*kept, strict=True))
                return Selection(chosen, pictures, readings, last, judge.evaluations)
            proposals += len(noise)
            if not judge.left:
                raise UnreachedError(
                    f"{found} of {n} images with {wanted} among the {proposals} that the budget allows, an acceptance "
                    f"rate of {found / proposals:.3g}; raise budget= or lower threshold={threshold}"
                )

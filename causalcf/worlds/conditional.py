"""Rejection sampling: actual worlds whose images satisfy a condition, and exact draws from the noise posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import check_count
from ..errors import UnreachedError
from ..networks.precision import choose_device
from ..randomness import fresh, uniform
from .condition import Antecedent, Classify, Generate, Judge, Progress
from .posterior import CounterfactualNoise, Population, Posterior
from .samplers import Prior, draw_prior, find_prior

BLOCK = 1024  # noises drawn at a time, whatever the batch: the draws do not depend on it


@dataclass(frozen=True)
class Selection:
    """Images that satisfy a condition, with noise, probabilities and counts; tensors have n rows."""

    noise: Tensor
    images: Tensor
    probabilities: Tensor
    proposals: int
    evaluations: int

    @property
    def acceptance(self) -> float:
        """Return the share of the sampled noises whose images satisfy the condition."""
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
    """Sample n images that satisfy all conditions according to the classifier, from prior noise, by rejection.

    The same seed gives the same draws for every batch size.

    Args:
        generate: (m, k) noise -> (m, 3, h, w) images in [0, 1]; a function of the noise alone (eval mode). A few
            noises are looked at twice, which is not counted.
        classify: images -> (m, d) probabilities.
        condition: {attribute: 0 or 1}; a value holds where its probability exceeds `threshold`.
        n: number of images.
        attributes: the names of the classifier's d columns, in order.
        noise_dim: k.
        prior: "uniform" on (-1, 1), "normal", or a callable (m, k, generator) -> (m, k).
        batch: number of images generated at a time.
        budget: maximum number of noises tried.
        threshold: in (0, 1).
        device: the device on which `generate` expects its noise.
        generator: source of randomness; None means a new one, seeded by the operating system.
        on_progress: called with (found, images generated) after every batch.

    Returns:
        A `Selection`. Its tensors stay on the devices that `generate` and `classify` used.

    Raises:
        UnreachedError: the budget ended before n images were found; the message gives the acceptance rate.
        CausalCFError: an unknown attribute or prior, a value out of range, or a callable that fails, has an invalid
            result or is no function of its input (a network in train mode).

    Source: defined here (rejection sampling).

    Examples:
        >>> shade = lambda z: ((z + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> found = sample_where(shade, bright, {"Bright": 1}, 5, attributes=["Bright"], noise_dim=1)
        >>> bool((found.images > 0.5).all()), len(found.noise)
        (True, 5)
    """
    check_count("noise_dim", noise_dim, each=BLOCK)
    check_count("n", n, each=noise_dim)
    wanted = Antecedent(attributes, condition, threshold)
    judge = Judge(generate, classify, wanted, batch, budget)
    law, source, device = find_prior(prior), fresh(generator), choose_device(str(device))
    kept: list[list[Tensor]] = []
    found = proposals = 0
    while True:
        block = draw_prior(law, BLOCK, noise_dim, source).to(device)
        if not proposals:
            judge.check(block)
        for noise in block.split(batch):
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


@dataclass(frozen=True)
class Rejection:
    """Draw from K_s, accept with probability L: independent draws, at 1/P(A) proposals each.

    Source: von Neumann (1951).
    """

    def draw(self, posterior: Posterior, n: int, source: torch.Generator, tell: Progress) -> CounterfactualNoise:
        """Draw n independent samples; the error of a spent budget gives the acceptance rate."""
        judge, z = posterior.judge, posterior.z
        drawn: list[Population] = []
        found = tried = 0
        while True:
            block = posterior.kernel.draw(BLOCK, z, source)
            log_u = uniform((BLOCK,), source).log()
            for rows in torch.arange(BLOCK).split(judge.batch):
                rows = rows[: judge.left]
                if not len(rows):
                    rate = f", an acceptance rate of {found / tried:.3g}" if tried else ""
                    raise UnreachedError(
                        f"{found} of {n} draws with {judge.antecedent} among {tried} proposals{rate}, then the budget "
                        'ended; raise budget= or use method="smc"'
                    )
                judge.charge(len(rows))
                pairs = block[rows.to(z.device)]
                noise = pairs.noise(z)
                proposed = Population(pairs, noise, posterior.judged(noise))
                hits = (log_u[rows] < posterior.path.log_likelihood(proposed.values)).nonzero().squeeze(1)[: n - found]
                drawn.append(proposed[hits])
                found += len(hits)
                tell(found, judge.evaluations)
                if found == n:
                    proposals = tried + int(hits[-1]) + 1
                    # Stopped at the n-th success, the share n / proposals is too large (Haldane 1945).
                    unbiased = (n - 1) / (proposals - 1) if n > 1 else None
                    share = {"acceptance": n / proposals, "probability": unbiased}
                    numbers = {**share, "families": n, "memory": 0.0, "levels": ()}
                    return posterior.result("rejection", Population.joined(drawn), float(n), **numbers)
                tried += len(rows)

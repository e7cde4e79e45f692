"""`counterfactual_noise`: the noise behind an image, had the antecedent been observed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..checks import check_choice, check_count
from ..errors import UnreachedError
from ..randomness import fresh
from .condition import TWICE, Antecedent, BudgetEnded, Classify, Generate, Judge, Progress
from .conditional import Rejection
from .metropolis import Metropolis
from .posterior import CounterfactualNoise, Posterior
from .samplers import Prior, StickyKernel, check_noise, draw_prior, find_prior
from .smc import SMC

Method = SMC | Rejection | Metropolis
METHODS: dict[str, type[SMC] | type[Rejection] | type[Metropolis]] = {
    "smc": SMC,
    "rejection": Rejection,
    "mh": Metropolis,
}


def counterfactual_noise(
    z: Tensor,
    generate: Generate,
    classify: Classify,
    condition: Mapping[str, int],
    n: int,
    stickiness: float = 0.5,
    method: str | Method = "smc",
    *,
    attributes: Sequence[str],
    prior: str | Prior = "uniform",
    per: str = "dimension",
    threshold: float = 0.5,
    likelihood: str = "hard",
    batch: int = 256,
    budget: int = 100_000,
    generator: torch.Generator | None = None,
    on_progress: Progress | None = None,
) -> CounterfactualNoise:
    """Draw n counterfactual noises z* of one actual z, given that the antecedent is observed in the image.

    All methods have the same target, proportional to K_s(z -> z*) L(A | G(z*)). With likelihood "hard", L is 1 where
    the classifier gives every required value a probability above `threshold`, else 0; then all draws satisfy A. With
    likelihood "soft", L is the product of these probabilities.

    Args:
        z: (k,) the actual noise, one unit, on any device.
        generate: (m, k) noise -> (m, 3, h, w) images in [0, 1]; a function of the noise alone (eval mode). A few
            noises are looked at twice, which is not counted.
        classify: images -> (m, d) probabilities.
        condition: the antecedent A, {attribute: 0 or 1}.
        n: number of draws.
        stickiness: s in [0, 1], the probability that a part of the noise is kept.
        method: "smc" (the default; for antecedents of any rarity), "rejection" (exact, 1/P(A) proposals each), "mh",
            or one of these with its options: `SMC(particles=1000)`, `Metropolis(chains=100)`.
        attributes: the names of the classifier's d columns, in order.
        prior: "uniform" on (-1, 1), "normal", or a callable (m, k, generator) -> (m, k) with independent coordinates.
        per: "dimension": every coordinate is kept or redrawn by itself; "vector": the whole noise at once.
        threshold: in (0, 1).
        likelihood: "hard" or "soft".
        batch: maximum number of images generated at a time.
        budget: maximum number of proposals.
        generator: source of randomness; None means a new one, seeded by the operating system.
        on_progress: called with (draws that satisfy the antecedent, images generated) during the work.

    Returns:
        The draws, which coordinates they kept, and diagnostics.

    Raises:
        UnreachedError: the budget ended before n draws were found; the message says how far the search came.
        ImpossibleWorldError: the stickiness is 1, and the actual image does not satisfy A.
        CausalCFError: an unknown name, a value out of range, a z beyond what the prior gives, or a callable that fails,
            has an invalid result or is no function of its input (a network in train mode).

    Source: Lucas and Kemp (2015) for the target; the construction on pairs (kept, fresh) is defined here.

    Examples:
        >>> shade = lambda z: ((z[:, :1] + 1) / 2)[:, :, None, None].expand(-1, 3, 2, 2)
        >>> bright = lambda images: images.mean((1, 2, 3))[:, None]
        >>> z = torch.tensor([-0.5, 0.3])
        >>> found = counterfactual_noise(z, shade, bright, {"Bright": 1}, 5, attributes=["Bright"])
        >>> bool((found.noise[:, 0] > 0).all()), found.kept[:, 0].any().item()
        (True, False)
    """
    law, source = find_prior(prior), fresh(generator)
    check_noise(z, (1,), law)
    check_count("n", n, each=z.numel())
    how = method if isinstance(method, Method) else METHODS[check_choice("method", method, METHODS)]()
    judge = Judge(generate, classify, Antecedent(attributes, condition, threshold), batch, budget)
    kernel = StickyKernel(stickiness, law, per)
    others = draw_prior(law, TWICE - 1, len(z), torch.Generator(source.device).manual_seed(0))
    judge.check(torch.cat([z.detach()[None], others.to(z)]))
    try:
        posterior = Posterior(z.detach(), kernel, judge, likelihood)
    except BudgetEnded:
        raise UnreachedError(f"budget={budget} does not suffice to look at the actual image") from None
    return how.draw(posterior, n, source, on_progress or (lambda found, evaluations: None))

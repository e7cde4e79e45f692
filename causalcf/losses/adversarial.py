"""Adversarial objectives on (n,) logits; each returns named terms, not averaged over the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ..checks import check_choice
from ..distributed.batch import own_share
from ..distributed.group import size
from ..errors import RecipeError

Terms = dict[str, Tensor]
Discriminate = Callable[[Tensor, Tensor], Tensor]  # images (n, 3, h, w) and their labels (n, d) to logits (n,)
Labelled = tuple[Tensor, Tensor]


def squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """Return the (n,) squared gradient norms of logits by their images (R1, R2: Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1)


@dataclass(frozen=True)
class Objective:
    """D's (n,) losses on real and on generated logits, and G's; the relativistic ones set fakes against reals."""

    on_real: Callable[[Tensor], Tensor] | None  # None: `on_fake` is all of D's loss
    on_fake: Callable[[Tensor, Tensor], Tensor]  # of real and generated logits, in this order
    of_generator: Callable[[Tensor, Tensor], Tensor]
    shares_pass: bool = False  # D's loss rises with every fake logit, so G's gradient is a multiple of D's
    penalises_fakes: bool = False  # whether the lazy gradient penalty is on generated images too (R2)
    weight: float = 0.0  # of the gradient penalty between real and generated images

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        fakes = self.on_fake(real, fake)
        return {"relative": fakes} if self.on_real is None else {"real": self.on_real(real), "fake": fakes}

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": self.of_generator(real, fake)}

    def penalty(self, discriminate: Discriminate, real: Labelled, fake: Labelled, generator: torch.Generator) -> Terms:
        if not self.weight:
            return {}
        (real_images, _), (fake_images, labels) = real, fake
        drawn = torch.rand(size() * len(labels), 1, 1, 1, generator=generator)
        share = own_share(drawn).to(labels.device)
        between = (share * real_images + (1 - share) * fake_images).requires_grad_()
        norm = (squared_gradient_norm(discriminate(between, labels), between) + 1e-12).sqrt()
        return {"gradient_penalty": self.weight * (norm - 1).square()}


OBJECTIVES = {
    # Goodfellow et al. 2014: G maximises log D; CausalGAN's default.
    "non-saturating": Objective(
        lambda r: softplus(-r), lambda r, f: softplus(f), lambda r, f: softplus(-f), shares_pass=True
    ),
    # Lim and Ye 2017; Miyato et al. 2018. A fake beyond the margin has no slope in D's loss, but one in G's.
    "hinge": Objective(lambda r: relu(1 - r), lambda r, f: relu(1 + f), lambda r, f: -f),
    # Mao et al. 2017. D's loss on a fake has no slope at logit 0, where G's has one.
    "least-squares": Objective(lambda r: (r - 1).square(), lambda r, f: f.square(), lambda r, f: (f - 1).square()),
    # Gulrajani et al. 2017. Each fake less a real one, wrong labels too: a constant added to D changes nothing.
    "wgan-gp": Objective(None, lambda r, f: f - r, lambda r, f: -f, weight=10.0),
    # Jolicoeur-Martineau 2019, for R1 and R2 together (R3GAN, Huang et al. 2024).
    "relativistic": Objective(
        None, lambda r, f: softplus(f - r), lambda r, f: softplus(r - f), shares_pass=True, penalises_fakes=True
    ),
}


def objective(name: str) -> Objective:
    """Return the objective of that name; an unknown name is a RecipeError."""
    return OBJECTIVES[check_choice("objective", name, OBJECTIVES, RecipeError)]

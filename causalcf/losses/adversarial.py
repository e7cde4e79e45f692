"""Adversarial objectives on (n,) logits; each returns named terms, not averaged over the batch.
`shares_pass`: D's loss rises with every fake logit, so G's gradient is a multiple of D's.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ..checks import check_choice
from ..distributed.batch import own_share
from ..distributed.group import size
from ..errors import RecipeError

Terms = dict[str, Tensor]
Judge = Callable[[Tensor, Tensor], Tensor]  # images (n, 3, h, w) and their labels (n, d) to logits (n,)
Labelled = tuple[Tensor, Tensor]


def squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """Return the (n,) squared gradient norms of logits by their images (R1, R2: Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1)


class NonSaturating:
    """Non-saturating objective (Goodfellow et al. 2014): G maximises log D; CausalGAN's default."""

    shares_pass = True
    penalises_fakes = False  # whether the lazy gradient penalty is on generated images too (R2)

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"real": softplus(-real), "fake": self.on_fake(real, fake)}

    def on_fake(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return D's (n,) loss on fakes; the relativistic one sets them against `real`."""
        return softplus(fake)

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": softplus(-fake)}

    def penalty(self, judge: Judge, real: Labelled, fake: Labelled, generator: torch.Generator) -> Terms:
        return {}


class Hinge(NonSaturating):
    """Hinge objective (Lim and Ye 2017; Miyato et al. 2018)."""

    shares_pass = False  # a fake beyond the margin has no slope in D's loss, but one in G's

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"real": relu(1 - real), "fake": self.on_fake(real, fake)}

    def on_fake(self, real: Tensor, fake: Tensor) -> Tensor:
        return relu(1 + fake)

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": -fake}


class LeastSquares(NonSaturating):
    """Least-squares objective (Mao et al. 2017); targets: 1 real, 0 generated, 1 for the generator."""

    shares_pass = False  # D's loss on a fake has no slope at logit 0, where G's has one

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"real": (real - 1).square(), "fake": self.on_fake(real, fake)}

    def on_fake(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.square()

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": (fake - 1).square()}


class WassersteinGP(NonSaturating):
    """Wasserstein objective with gradient penalty (Gulrajani et al. 2017), penalty weight 10."""

    shares_pass = False
    weight = 10.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"real": -real, "fake": self.on_fake(real, fake)}

    def on_fake(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": -fake}

    def penalty(self, judge: Judge, real: Labelled, fake: Labelled, generator: torch.Generator) -> Terms:
        (real_images, _), (fake_images, labels) = real, fake
        drawn = torch.rand(size() * len(labels), 1, 1, 1, generator=generator)
        share = own_share(drawn).to(labels.device)
        between = (share * real_images + (1 - share) * fake_images).requires_grad_()
        norm = (squared_gradient_norm(judge(between, labels), between) + 1e-12).sqrt()
        return {"gradient_penalty": self.weight * (norm - 1).square()}


class Relativistic(NonSaturating):
    """Relativistic pairing (Jolicoeur-Martineau 2019), for R1 and R2 together (R3GAN, Huang et al. 2024)."""

    penalises_fakes = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"relative": self.on_fake(real, fake)}

    def on_fake(self, real: Tensor, fake: Tensor) -> Tensor:
        return softplus(fake - real)

    def generator(self, real: Tensor, fake: Tensor) -> Terms:
        return {"adversarial": softplus(real - fake)}


OBJECTIVES: dict[str, type[NonSaturating]] = {
    "non-saturating": NonSaturating,
    "hinge": Hinge,
    "least-squares": LeastSquares,
    "wgan-gp": WassersteinGP,
    "relativistic": Relativistic,
}


def objective(name: str) -> NonSaturating:
    """Return the objective of that name; an unknown name is a RecipeError."""
    return OBJECTIVES[check_choice("objective", name, OBJECTIVES, RecipeError)]()

"""CausalBEGAN's three margins and the weights that they move (Kocaoglu et al. 2018, section 5.2).

R and F are the autoencoder's errors on real and generated images, Lr and Lf the Labeler's on both:

    discriminator  R - k F        b1 = gamma R - F                k += 0.001 b1
    Labeler        Lr - l Lf      b2 = gamma Lr - Lf              l += 0.00008 b2
    generator      F + c Lf       b3 = zeta max(b1, 0) - max(b2, 0)   c += 0.01 b3

All weights begin at 0 and stay in [0, 1]. So the discriminator first learns to reconstruct images, and labels steer the
generator once its images are decent. The Labeler is its own Anti-Labeler, by -l Lf.
"""

from __future__ import annotations

import torch
from torch import Tensor

GAMMA, ZETA = 0.5, 0.5
RATES = (1e-3, 8e-5, 1e-2)  # of k, l and c, in a step of 16 images
BATCH = 16


def margins(real: Tensor, fake: Tensor, labels_real: Tensor, labels_fake: Tensor) -> Tensor:
    """Return (3,) b1, b2, b3 of the mean errors R, F, Lr and Lf.

    Examples:
        >>> [round(float(margin), 3) for margin in margins(*torch.tensor([0.4, 0.1, 0.2, 0.3]))]
        [0.1, -0.2, 0.05]
    """
    b1, b2 = GAMMA * real - fake, GAMMA * labels_real - labels_fake
    return torch.stack([b1, b2, ZETA * b1.relu() - b2.relu()])


def moved(weights: Tensor, margin: Tensor, images: int) -> Tensor:
    """Return (3,) k, l, c after a step of `images` images with these margins."""
    return (weights + images / BATCH * torch.tensor(RATES).to(weights) * margin).clamp(0, 1)


def reconstruction_error(images: Tensor, drawn: Tensor) -> Tensor:
    """Return (n,) mean absolute differences of (n, 3, h, w) images and their reconstructions."""
    return (images.float() - drawn.float()).abs().mean((1, 2, 3))


def label_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Return (n,) mean squared errors of P(label = 1), from (n, d) logits and 0/1 labels."""
    return (logits.float().sigmoid() - labels.float()).square().mean(1)

"""Encoder from images to the generator's noise (VAE/GAN: Larsen et al. 2016)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .dcgan import ConvStack, with_label_planes


class Encoder(nn.Module):
    """Encoder of images and their d labels: one normal distribution for each of the k noise coordinates."""

    def __init__(self, noise_dim: int, n_labels: int, width: int) -> None:
        super().__init__()
        self.stack = ConvStack(3 + n_labels, width, 2 * noise_dim)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Map (n, 3, 64, 64) images in [-1, 1] and (n, d) 0/1 labels to (n, k) means and log variances."""
        mean, log_variance = self.stack(with_label_planes(images, labels)).float().chunk(2, 1)
        return mean, log_variance


def noise_of(mean: Tensor, log_variance: Tensor, normal: Tensor) -> Tensor:
    """Return (n, k) noise in [-1, 1] for standard normal draws; it is uniform where the encoder's normals are, too."""
    return torch.erf((mean + (log_variance / 2).exp() * normal) / math.sqrt(2))

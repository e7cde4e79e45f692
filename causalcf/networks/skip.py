"""Alternatives to DCGAN's networks: a generator with image skips and conditional norms, a projection discriminator.
Each resolution adds its own RGB image (StyleGAN2: Karras et al. 2020); labels and noise steer every norm.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from .dcgan import ConvStack, EvenTransposed, bilinear_kernel, code

SLOPE = 0.2  # of leaky ReLU below 0
STEERING = 16  # noise coordinates that steer the norms
RGB = 0.02  # standard deviation of the first weights to RGB: images start close to grey


def initialise_he(net: nn.Module) -> None:
    """Set He's initial weights for leaky ReLU, small ones to RGB, and identity for the norms' scale and shift."""
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d | nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, _he(module))
            if isinstance(module, nn.ConvTranspose2d):
                module.weight.data[:] = module.weight.data[:, :, :1, :1] * bilinear_kernel()
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, ConditionalNorm):
            nn.init.zeros_(module.steer.weight)
        elif isinstance(module, SkipGenerator):
            for layer in module.to_rgb:
                nn.init.normal_(layer.get_parameter("weight"), 0.0, RGB)


def _he(module: nn.ConvTranspose2d | nn.Conv2d | nn.Linear) -> float:
    """Return He's standard deviation; of a 4x4 kernel that doubles the size, each output sees 2x2 taps."""
    taps = 4 if isinstance(module, nn.ConvTranspose2d) else math.prod(module.weight.shape[2:])
    return math.sqrt(2 / (1 + SLOPE**2) / (module.weight.shape[isinstance(module, nn.Conv2d | nn.Linear)] * taps))


class ConditionalNorm(nn.Module):
    """Batch norm whose scale and shift are linear in a condition (Dumoulin et al. 2017; de Vries et al. 2017)."""

    def __init__(self, channels: int, n_conditions: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.steer = nn.Linear(n_conditions, 2 * channels)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Map (n, c, h, w) features and an (n, m) condition to (n, c, h, w)."""
        scale, shift = self.steer(condition)[:, :, None, None].chunk(2, 1)
        normed = self.norm(features)
        return torch.addcmul(shift.to(normed), normed, 1 + scale.to(normed))


class SkipGenerator(nn.Module):
    """Generator from noise (k coordinates) and d labels to images, with a stage at 64x64; d = 0: unconditional."""

    last_layers = ("grow.2.", "grow.3.", "norms.3.", "norms.4.", "to_rgb.")

    def __init__(self, noise_dim: int, n_labels: int, width: int) -> None:
        super().__init__()
        self.noise_dim, self.width = noise_dim, width
        channels = [8 * width, 4 * width, 2 * width, width, max(width // 2, 8)]
        self.project = nn.Linear(noise_dim + n_labels, channels[0] * 16)
        self.norms = nn.ModuleList(ConditionalNorm(c, min(noise_dim, STEERING) + n_labels) for c in channels)
        pairs = pairwise(channels)
        self.grow = nn.ModuleList(EvenTransposed(wide, narrow, 4, 2, 1, bias=False) for wide, narrow in pairs)
        self.to_rgb = nn.ModuleList(nn.Conv2d(c, 3, 1) for c in channels[1:-1])
        self.to_rgb.append(nn.Conv2d(channels[-1], 3, 3, padding=1))

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Map (n, k) noise and (n, d) 0/1 labels to (n, 3, 64, 64) images in [-1, 1]."""
        signs = code(labels)
        condition = torch.cat([noise[:, :STEERING], signs], dim=1)
        seed = self.project(torch.cat([noise, signs], dim=1)).unflatten(1, (8 * self.width, 4, 4))
        seed = seed.contiguous(memory_format=torch.channels_last)
        features = leaky_relu(self.norms[0](seed, condition), SLOPE)
        image: Tensor | None = None
        for grow, norm, to_rgb in zip(self.grow, list(self.norms)[1:], self.to_rgb, strict=True):
            features = leaky_relu(norm(grow(features), condition), SLOPE)
            own = to_rgb(features)
            image = own if image is None else own + interpolate(image, scale_factor=2.0, mode="bilinear")
        assert image is not None
        return torch.tanh(image)


class ProjectionDiscriminator(nn.Module):
    """Discriminator without norms whose logit is linear in the labels (Miyato and Koyama 2018)."""

    def __init__(self, n_labels: int, width: int) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.stack = ConvStack(3, width, 1 + n_labels, group_norm=False)

    def forward(self, images: Tensor, labels: Tensor, wrong: Tensor | None = None) -> Tensor:
        """Map (n, 3, 64, 64) images in [-1, 1] and (n, d) 0/1 labels to (n,) logits.
        With (m, d) `wrong` labels, the logits of the first m images with these follow: (n + m,) in all.
        """
        read = self.stack(images)
        if wrong is not None:
            read, labels = torch.cat([read, read[: len(wrong)]]), torch.cat([labels, wrong])
        alone, by_label = read.split([1, self.n_labels], 1)
        return alone.squeeze(1) + (by_label * code(labels)).sum(1) / math.sqrt(max(self.n_labels, 1))

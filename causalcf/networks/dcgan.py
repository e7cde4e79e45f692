"""DCGAN generator and discriminator, with or without labels, Labeler, Q-network (InfoGAN) and encoder (VAE/GAN).
Labels enter as -1/+1: concatenated to z in the generator, as constant planes in the discriminator.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv_transpose2d

SIZE = 64  # pixels a side; four halvings lead to 4x4
CODES = 10  # coordinates of z that are read: as many as InfoGAN's codes, and enough for what a face varies in
POOL = 4  # images are averaged over 4x4 pixels first: noise hidden in fine speckle shall not count


def code(labels: Tensor) -> Tensor:
    """Convert 0/1 labels to float -1/+1."""
    return labels.float() * 2 - 1


def with_label_planes(images: Tensor, labels: Tensor) -> Tensor:
    """Append (n, d) labels to (n, 3, 64, 64) images as d constant planes of -1 or +1."""
    planes = code(labels)[:, :, None, None].expand(-1, -1, SIZE, SIZE).to(images.dtype)
    return torch.cat([images, planes], dim=1)


def bilinear_kernel() -> Tensor:
    """Return the (4, 4) kernel of bilinear upsampling, of root mean square 1."""
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return tent.outer(tent) / tent.square().mean()


def initialise(net: nn.Module) -> None:
    """Set DCGAN's initial weights; transposed convolutions start as bilinear upsampling."""
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d | nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if isinstance(module, nn.ConvTranspose2d):
                module.weight.data[:] = module.weight.data[:, :, :1, :1] * bilinear_kernel()
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


class EvenTransposed(nn.ConvTranspose2d):
    """Transposed convolution without checkerboard artifacts (condition of Sugawara et al. 2019)."""

    def forward(self, planes: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (n, c, h, w) to (n, c', 2h, 2w)."""
        kernel = self.even_kernel().contiguous(memory_format=torch.channels_last)
        return conv_transpose2d(planes, kernel, self.bias, stride=2, padding=1)

    def even_kernel(self) -> Tensor:
        """Return the (c, c', 4, 4) kernel that is used: the weight without what makes a checkerboard."""
        with torch.autocast(self.weight.device.type, enabled=False):
            return (self.weight.flatten(2) @ _to_even(self.weight)).unflatten(2, (4, 4))


def _to_even(like: Tensor) -> Tensor:
    """Return the (16, 16) projection of 4x4 kernels onto those without checkerboard artifacts."""
    tap = torch.arange(16, device=like.device)
    place = tap // 4 % 2 * 2 + tap % 2
    uneven = (place[:, None] == place).to(like) / 4 - 1 / 16
    return torch.eye(16, dtype=like.dtype, device=like.device) - uneven


class Generator(nn.Module):
    """Generator from noise (k coordinates) and d labels to images; d = 0 for an unconditional one."""

    last_layers = ("layers.8.", "layers.9.", "layers.11.")

    def __init__(self, noise_dim: int, n_labels: int, width: int, even_kernels: bool = False) -> None:
        super().__init__()
        self.noise_dim, self.width = noise_dim, width
        transposed = EvenTransposed if even_kernels else nn.ConvTranspose2d
        channels = [8 * width, 4 * width, 2 * width, width]
        self.project = nn.Linear(noise_dim + n_labels, channels[0] * 16)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)]
        for wide, narrow in pairwise(channels):
            layers += [transposed(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(inplace=True)]
        layers.append(transposed(channels[-1], 3, 4, 2, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Map (n, k) noise and (n, d) 0/1 labels to (n, 3, 64, 64) images in [-1, 1]."""
        inputs = torch.cat([noise, code(labels)], dim=1)
        seed = self.project(inputs).unflatten(1, (8 * self.width, 4, 4))
        return torch.tanh(self.layers(seed))


class ConvStack(nn.Module):
    """Four strided convolutions and a linear layer; group norm, if any, keeps images independent of their batch."""

    def __init__(self, channels_in: int, width: int, n_outputs: int, group_norm: bool = True) -> None:
        super().__init__()
        channels = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(channels_in, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for narrow, wide in pairwise(channels):
            layers.append(nn.Conv2d(narrow, wide, 4, 2, 1, bias=not group_norm))
            if group_norm:
                layers.append(nn.GroupNorm(math.gcd(8, wide), wide))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.read = nn.Linear(channels[-1] * 16, n_outputs)

    def forward(self, planes: Tensor) -> Tensor:
        """Map (n, channels_in, 64, 64) to (n, n_outputs)."""
        return self.read(self.layers(planes).flatten(1))


class Discriminator(nn.Module):
    """Discriminator of images, and of labels if conditional; positive logits mean "real"."""

    def __init__(self, n_labels: int, width: int) -> None:
        super().__init__()
        self.stack = ConvStack(3 + n_labels, width, 1)

    def forward(self, images: Tensor, labels: Tensor, wrong: Tensor | None = None) -> Tensor:
        """Map (n, 3, 64, 64) images in [-1, 1] and (n, d) 0/1 labels to (n,) logits.
        With (m, d) `wrong` labels, the logits of the first m images with these follow: (n + m,) in all.
        """
        if wrong is not None:
            images, labels = torch.cat([images, images[: len(wrong)]]), torch.cat([labels, wrong])
        return self.stack(with_label_planes(images, labels)).squeeze(1)


class Labeler(nn.Module):
    """Network that predicts d labels from an image: CausalGAN's Labeler and Anti-Labeler."""

    def __init__(self, n_labels: int, width: int) -> None:
        super().__init__()
        self.stack = ConvStack(3, width, n_labels)

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, 64, 64) images in [-1, 1] to (n, d) logits."""
        return self.stack(images)


class QNetwork(nn.Module):
    """Q-network (InfoGAN) that estimates the first c = min(k, 10) noise coordinates of an image."""

    def __init__(self, noise_dim: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.read = nn.Linear(4 * width * 16, min(noise_dim, CODES))

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, 64, 64) images in [-1, 1] to (n, c) estimates."""
        return self.read(self.layers(avg_pool2d(images, POOL)).flatten(1))


class Encoder(nn.Module):
    """Encoder of images and their d labels: one normal distribution for each of the k noise coordinates.
    Source: Larsen et al. (2016).
    """

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

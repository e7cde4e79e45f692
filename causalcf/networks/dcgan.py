"""DCGAN generator and discriminator, label-conditional or not (Radford, Metz, Chintala 2016; CausalGAN's DCGAN form).

    z (n, k), labels (n, d) -> linear -> 4x4x8w -> 8x8x4w -> 16x16x2w -> 32x32xw -> 64x64x3, tanh
    image (n, 3, 64, 64)    -> 32x32xw -> 16x16x2w -> 8x8x4w -> 4x4x8w -> linear -> outputs

Labels enter as -1/+1: concatenated to z in the generator, as constant planes beside the image in the discriminator.
The networks know no loss, no optimiser and no logger.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

SIZE = 64  # pixels a side; four halvings lead to 4x4


def code(labels: Tensor) -> Tensor:
    """0/1 labels as float -1/+1."""
    return labels.float() * 2 - 1


def initialise(net: nn.Module) -> None:
    """DCGAN's initial weights: normal(0, .02) for convolutions and linear maps, normal(1, .02) for norm scales.

    Transposed convolutions start as bilinear upsampling with such random weights between channels (same norm): a
    generator that starts smooth need not unlearn a checkerboard first.
    """
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0])
    bilinear = tent.outer(tent) / tent.square().mean()
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            module.weight.data[:] = module.weight.data[:, :, :1, :1] * bilinear
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def without_checkerboard(planes: Tensor) -> Tensor:
    """Planes under a fixed filter of response 1 - sin(x / 2)^2 sin(y / 2)^2 at frequencies x and y, radians a pixel.

    It takes out the checkerboard of single pixels, to which a discriminator of strided convolutions is all but blind,
    and keeps every pattern that runs along rows or columns as it is.

    Args:
        planes: (n, c, h, w), h and w at least 2.
    """
    line = torch.tensor([1.0, -2.0, 1.0], device=planes.device)
    kernel = -line.outer(line) / 16
    kernel[1, 1] += 1
    kernel = kernel.expand(planes.shape[1], 1, 3, 3).to(planes.dtype)
    return conv2d(pad(planes, (1, 1, 1, 1), mode="reflect"), kernel, groups=planes.shape[1])


class Generator(nn.Module):
    """Noise and labels to images in [-1, 1].

    Args:
        noise_dim: k, coordinates of z.
        n_labels: d; 0 for an unconditional generator.
        width: channels of the last hidden layer (64 in DCGAN and CausalGAN).
        notch: whether what goes into the last tanh is `without_checkerboard`.
    """

    def __init__(self, noise_dim: int, n_labels: int, width: int, notch: bool = False) -> None:
        super().__init__()
        self.noise_dim, self.n_labels, self.width, self.notch = noise_dim, n_labels, width, notch
        channels = [8 * width, 4 * width, 2 * width, width]
        self.project = nn.Linear(noise_dim + n_labels, channels[0] * 16)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)]
        for wide, narrow in pairwise(channels):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers.append(nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(n, k) noise and (n, d) 0/1 labels to (n, 3, 64, 64) images in [-1, 1]."""
        inputs = torch.cat([noise, code(labels)], dim=1)
        seed = self.project(inputs).view(len(noise), 8 * self.width, 4, 4)
        planes = self.layers(seed)
        return torch.tanh(without_checkerboard(planes) if self.notch else planes)


class ConvStack(nn.Module):
    """Four strided convolutions and a linear read-out; discriminator, Labeler and Anti-Labeler share this shape.

    Args:
        channels_in: 3, plus any label planes.
        width: channels of the first layer.
        n_outputs: size of the read-out.

    Group norm stands where DCGAN has batch norm: an image's reading then does not depend on its batch-mates, which
    gradient penalties and shared passes need, and costs the same.
    """

    def __init__(self, channels_in: int, width: int, n_outputs: int) -> None:
        super().__init__()
        channels = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(channels_in, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for narrow, wide in pairwise(channels):
            layers += [
                nn.Conv2d(narrow, wide, 4, 2, 1, bias=False),
                nn.GroupNorm(math.gcd(8, wide), wide),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.read = nn.Linear(channels[-1] * 16, n_outputs)

    def forward(self, planes: Tensor) -> Tensor:
        """(n, channels_in, 64, 64) to (n, n_outputs)."""
        return self.read(self.layers(planes).flatten(1))


class Discriminator(nn.Module):
    """Images, and labels if conditional, to one logit each ("real" is positive)."""

    def __init__(self, n_labels: int, width: int) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.stack = ConvStack(3 + n_labels, width, 1)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(n, 3, 64, 64) images in [-1, 1] and (n, d) 0/1 labels to (n,) logits."""
        planes = code(labels)[:, :, None, None].expand(-1, -1, SIZE, SIZE).to(images.dtype)
        return self.stack(torch.cat([images, planes], dim=1)).squeeze(1)


class Labeler(nn.Module):
    """Reads d labels off an image: CausalGAN's Labeler and Anti-Labeler are two of these."""

    def __init__(self, n_labels: int, width: int) -> None:
        super().__init__()
        self.stack = ConvStack(3, width, n_labels)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, 64, 64) images in [-1, 1] to (n, d) logits."""
        return self.stack(images)

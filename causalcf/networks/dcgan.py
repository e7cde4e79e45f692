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
from torch.nn.functional import conv_transpose2d

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


class EvenTransposed(nn.ConvTranspose2d):
    """A transposed convolution (4x4 kernels, stride 2, padding 1) that weighs the four pixels of each block alike.

    Its free weights are as any other's; what is applied is their nearest kernel whose weights have the same sum at each
    of the four places of a block, so that an even input gives an even output. Otherwise features that vary slowly come
    out with a checkerboard on them, of single pixels from the last layer and of two, four and eight from those before.

    Source: Sugawara, Shiota, Kiya (2019), "Checkerboard artifacts free convolutional neural networks": the condition.
    """

    def forward(self, planes: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(n, c, h, w) to (n, c', 2h, 2w)."""
        with torch.autocast(planes.device.type, enabled=False):
            kernel = (self.weight.flatten(2) @ _to_even(self.weight)).unflatten(2, (4, 4))
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return conv_transpose2d(planes, kernel, self.bias, stride=2, padding=1)


def _to_even(like: Tensor) -> Tensor:
    """The (16, 16) projection of 4x4 kernels onto those that are even, of the type and on the device of `like`."""
    tap = torch.arange(16, device=like.device)
    place = tap // 4 % 2 * 2 + tap % 2
    uneven = (place[:, None] == place).to(like) / 4 - 1 / 16
    return torch.eye(16, dtype=like.dtype, device=like.device) - uneven


class Generator(nn.Module):
    """Noise and labels to images in [-1, 1].

    Args:
        noise_dim: k, coordinates of z.
        n_labels: d; 0 for an unconditional generator.
        width: channels of the last hidden layer (64 in DCGAN and CausalGAN).
        even_kernels: whether its transposed convolutions are `EvenTransposed`; the weights to store are the same.
    """

    def __init__(self, noise_dim: int, n_labels: int, width: int, even_kernels: bool = False) -> None:
        super().__init__()
        self.noise_dim, self.n_labels, self.width = noise_dim, n_labels, width
        transposed = EvenTransposed if even_kernels else nn.ConvTranspose2d
        channels = [8 * width, 4 * width, 2 * width, width]
        self.project = nn.Linear(noise_dim + n_labels, channels[0] * 16)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)]
        for wide, narrow in pairwise(channels):
            layers += [
                transposed(wide, narrow, 4, 2, 1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers.append(transposed(channels[-1], 3, 4, 2, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """(n, k) noise and (n, d) 0/1 labels to (n, 3, 64, 64) images in [-1, 1]."""
        inputs = torch.cat([noise, code(labels)], dim=1)
        seed = self.project(inputs).view(len(noise), 8 * self.width, 4, 4)
        return torch.tanh(self.layers(seed))


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

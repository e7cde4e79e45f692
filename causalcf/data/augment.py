"""Data augmentation that keeps every label readable, and noise augmentation for classifiers."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample, interpolate, pad

SHIFT = 3  # pixels, each way
TURN = 5.0  # degrees, each way
ZOOM = 0.08  # of the logarithm of the size, each way
LIGHT = 0.1  # of the range, each way
CONTRAST = 0.15  # of the logarithm of the contrast, each way
DRAWS = 8  # numbers that decide what becomes of one image
NoiseDraws = tuple[Tensor, Tensor, Tensor]


def varied(images: Tensor, flip: bool, draws: Tensor, soft: float = 0.5) -> Tensor:
    """Augment images in [-1, 1] by (n, 8) `draws` in [0, 1); a share `soft` is rotated and zoomed too."""
    spread = draws * 2 - 1
    turned = draws[:, 6] < soft
    whole = torch.floor((2 * SHIFT + 1) * draws[:, :2]) - SHIFT
    shift = torch.where(turned[:, None], SHIFT * spread[:, :2], whole)
    mirrored = (draws[:, 7] < 0.5) & flip
    moved = transformed(images, shift, TURN * spread[:, 2] * turned, (ZOOM * spread[:, 3] * turned).exp(), mirrored)
    contrast, light = (CONTRAST * spread[:, 4]).exp(), LIGHT * spread[:, 5]
    return moved * _each(contrast, images) + _each(light, images)


def transformed(images: Tensor, shift: Tensor, degrees: Tensor, zoom: Tensor, mirrored: Tensor) -> Tensor:
    """Shift (pixels), rotate (degrees, clockwise), zoom and mirror images; edges are repeated."""
    height, width = images.shape[2:]
    cos, sin = torch.cos(degrees * math.pi / 180) / zoom, torch.sin(degrees * math.pi / 180) / zoom
    aspect = height / width  # the grid's coordinates run from -1 to 1 on both axes
    right, down = 2 * shift[:, 0] / width, 2 * shift[:, 1] / height
    side = torch.where(mirrored, -1.0, 1.0)
    # Where each place of the result comes from: shifted back, turned back, shrunk, mirrored.
    across = torch.stack([cos, sin * aspect, -cos * right - sin * aspect * down], 1) * side[:, None]
    along = torch.stack([-sin / aspect, cos, sin / aspect * right - cos * down], 1)
    source = torch.stack([across, along], 1).to(images)
    grid = affine_grid(source, list(images.shape), align_corners=False)
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _each(values: Tensor, images: Tensor) -> Tensor:
    return values.to(images)[:, None, None, None]


def with_noise(images: Tensor, most: float, noise: NoiseDraws) -> Tensor:
    """Add noise of standard deviation up to `most` to half of the images; blur a quarter of all first."""
    draws, fine, coarse = (part.to(images.device) for part in noise)
    draws = draws[:, :, None, None, None]
    drawn = torch.where(draws[:, 0] < 0.5, fine, interpolate(coarse, scale_factor=2)).to(images.dtype)
    strength = most * draws[:, 1] * (draws[:, 2] < 0.5)
    return torch.where(draws[:, 3] < 0.25, blurred(images), images) + strength * drawn


def draw_noise_strength(shape: torch.Size, generator: torch.Generator) -> NoiseDraws:
    """Draw noise for shape (n, 3, h, w): (n, 4) uniform; fine and half-size coarse standard normal."""
    n, channels, height, width = shape
    draws = torch.rand(n, 4, generator=generator, device=generator.device)
    fine = torch.randn(shape, generator=generator, device=generator.device)
    coarse = torch.randn(n, channels, height // 2, width // 2, generator=generator, device=generator.device)
    return draws, fine, coarse


def blurred(images: Tensor) -> Tensor:
    """Blur images with a 3x3 binomial kernel; edges are repeated."""
    line = torch.tensor([0.25, 0.5, 0.25], dtype=images.dtype, device=images.device)
    kernel = torch.outer(line, line).expand(3, 1, 3, 3)
    return conv2d(pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)

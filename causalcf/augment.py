"""Training images, varied in ways that leave every label readable.

Nothing is erased and nothing leaves the picture: a classifier trained on faces without a mouth would learn to guess a
moustache from the rest of the face, and a judge of counterfactual images must look at the moustache itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

SHIFT = 3  # pixels, each way
TURN = 5.0  # degrees, each way
ZOOM = 0.08  # of the logarithm of the size, each way
LIGHT = 0.1  # of the range, each way
CONTRAST = 0.15  # of the logarithm of the contrast, each way
DRAWS = 8  # numbers that decide what becomes of one image


def varied(images: Tensor, flip: bool, draws: Tensor, soft: float = 0.5) -> Tensor:
    """The images, each moved, lit and (where `flip`) mirrored by its own draw; some of them turned and zoomed as well.

    The others move by whole pixels, so that the network also sees pictures as sharp as those it will read.

    Args:
        images: (n, 3, h, w) in [-1, 1], on any device.
        flip: whether a mirrored image keeps its labels.
        draws: (n, 8) uniform on [0, 1).
        soft: share of the images that are turned and zoomed, which softens them.

    Returns:
        (n, 3, h, w); light and contrast may carry values a little beyond [-1, 1].
    """
    spread = draws * 2 - 1
    turned = draws[:, 6] < soft
    whole = torch.floor((2 * SHIFT + 1) * draws[:, :2]) - SHIFT
    shift = torch.where(turned[:, None], SHIFT * spread[:, :2], whole)
    mirrored = (draws[:, 7] < 0.5) & flip
    moved = transformed(images, shift, TURN * spread[:, 2] * turned, (ZOOM * spread[:, 3] * turned).exp(), mirrored)
    contrast, light = (CONTRAST * spread[:, 4]).exp(), LIGHT * spread[:, 5]
    return moved * _each(contrast, images) + _each(light, images)


def transformed(images: Tensor, shift: Tensor, degrees: Tensor, zoom: Tensor, mirrored: Tensor) -> Tensor:
    """Images moved, turned, enlarged and mirrored, with edges repeated; whole pixels stay sharp.

    Args:
        images: (n, 3, h, w), on any device.
        shift: (n, 2) pixels to the right and down.
        degrees: (n,) turned by, clockwise.
        zoom: (n,) enlarged by, 1 for as it is.
        mirrored: (n,) whether left and right change places (first of all).
    """
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

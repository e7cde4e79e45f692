"""Colours: (n, 3, 1, 1) RGB tensors from positions (n, 1, 1) in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

RGB: TypeAlias = "tuple[float, float, float]"
Stops: TypeAlias = "Sequence[RGB]"

WHITE: RGB = (1.0, 1.0, 1.0)


def ramp(position: Tensor, stops: Stops) -> Tensor:
    """A colour (n, 3, 1, 1) at `position` (n, 1, 1) in [0, 1] along evenly spaced stops."""
    table = position.new_tensor(stops)
    place = position.flatten() * (len(stops) - 1)
    weight = (1 - (place[:, None] - torch.arange(len(stops), device=place.device)).abs()).clamp(min=0)
    mixed = (weight[:, :, None] * table).sum(1)
    return mixed[:, :, None, None]


def hue(position: Tensor, saturation: Tensor, brightness: Tensor) -> Tensor:
    """HSV to a colour (n, 3, 1, 1); all arguments are (n, 1, 1) in [0, 1]."""
    offset = position.new_tensor([5.0, 3.0, 1.0]).view(1, 3, 1, 1)
    k = (offset + 6 * position[:, None]) % 6
    dip = torch.minimum(k, 4 - k).clamp(0, 1)
    return brightness[:, None] * (1 - saturation[:, None] * dip)


def tinted(colour: Tensor, red: float, green: float, blue: float) -> Tensor:
    """A colour with each channel multiplied by its own factor."""
    return colour * colour.new_tensor([red, green, blue]).view(1, 3, 1, 1)

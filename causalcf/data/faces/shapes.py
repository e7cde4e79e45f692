"""Colours, signed distances of shapes in face units, and the canvas that they are painted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

RGB: TypeAlias = "tuple[float, float, float]"
Stops: TypeAlias = "Sequence[RGB]"

WHITE: RGB = (1.0, 1.0, 1.0)
Measure: TypeAlias = "Tensor | float"
# The face fills the frame: the canvas spans this many times less than (-1, 1).
ZOOM = 1.13

# Windows are given in face coordinates; a head leans and shifts at most this far from them.
POSE_MARGIN = 0.13


def ramp(position: Tensor, stops: Stops) -> Tensor:
    """Interpolate evenly spaced colours at `position` (n, 1, 1) in [0, 1]; returns (n, 3, 1, 1)."""
    table = position.new_tensor(stops)
    place = position.flatten() * (len(stops) - 1)
    weight = (1 - (place[:, None] - torch.arange(len(stops), device=place.device)).abs()).clamp(min=0)
    mixed = (weight[:, :, None] * table).sum(1)
    return mixed[:, :, None, None]


def hue(position: Tensor, saturation: Tensor, brightness: Tensor) -> Tensor:
    """Convert HSV, each (n, 1, 1) in [0, 1], to a colour (n, 3, 1, 1)."""
    offset = position.new_tensor([5.0, 3.0, 1.0]).view(1, 3, 1, 1)
    k = (offset + 6 * position[:, None]) % 6
    dip = torch.minimum(k, 4 - k).clamp(0, 1)
    return brightness[:, None] * (1 - saturation[:, None] * dip)


def tinted(colour: Tensor, red: float, green: float, blue: float) -> Tensor:
    """Multiply each channel of a colour by its own factor."""
    return colour * colour.new_tensor([red, green, blue]).view(1, 3, 1, 1)


def ellipse(x: Tensor, y: Tensor, rx: Measure, ry: Measure) -> Tensor:
    """Return the first-order distance to an ellipse: (k - 1) k / |grad|, where k = |(x/rx, y/ry)|."""
    u, v = x / rx, y / ry
    k = torch.sqrt(u * u + v * v + 1e-9)
    slope = torch.sqrt((u / rx) ** 2 + (v / ry) ** 2 + 1e-9)
    return k * (k - 1) / slope


def superellipse(x: Tensor, y: Tensor, rx: Measure, ry: Measure, power: Measure) -> Tensor:
    """Return the first-order distance to |x/rx|^p + |y/ry|^p = 1; a larger p is closer to a box."""
    u, v = (x / rx).abs().clamp(min=1e-4), (y / ry).abs().clamp(min=1e-4)
    up, vp = torch.exp2(power * torch.log2(u)), torch.exp2(power * torch.log2(v))
    total = (up + vp).clamp(min=1e-5)
    k = torch.exp2(torch.log2(total) / power)
    slope = k / total * torch.sqrt((up / (u * rx)) ** 2 + (vp / (v * ry)) ** 2)
    return (k - 1) / slope.clamp(min=0.3)


def rounded_box(x: Tensor, y: Tensor, rx: Measure, ry: Measure, corner: Measure) -> Tensor:
    """Return the distance to a box of half-sizes (rx, ry) with corners of the given radius."""
    dx, dy = x.abs() - (rx - corner), y.abs() - (ry - corner)
    outside = torch.sqrt(dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2)
    return outside + torch.maximum(dx, dy).clamp(max=0) - corner


def segment(x: Tensor, y: Tensor, start: tuple[Measure, Measure], end: tuple[Measure, Measure]) -> Tensor:
    """Return the distance (never negative) to the line segment from `start` to `end`."""
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return torch.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2 + 1e-9)


def bent_band(x: Tensor, y: Tensor, reach: Measure, bend: Measure, above: Measure, below: Measure) -> Tensor:
    """Return the distance to a band along y = bend (x/reach)^2, |x| < reach; `above` is towards y < 0."""
    u = x / reach
    across = y - bend * u * u
    steep = torch.sqrt(1 + (2 * bend * u / reach) ** 2)
    band = torch.maximum(-across - above, across - below) / steep
    return torch.maximum(band, x.abs() - reach)


def round_max(a: Tensor, b: Tensor, radius: float) -> Tensor:
    """Intersect two shapes, with the corner between them rounded."""
    near = (radius - (a - b).abs()).clamp(min=0)
    return torch.maximum(a, b) + near * near / (4 * radius)


def bump(x: Tensor, y: Tensor, rx: Measure, ry: Measure) -> Tensor:
    """Return a smooth bump: 1 at the centre, 0 outside the ellipse (rx, ry)."""
    rest = (1 - (x / rx) ** 2 - (y / ry) ** 2).clamp(min=0)
    return rest * rest


def ramp01(value: Tensor, start: Measure, end: Measure) -> Tensor:
    """Return a smooth step from 0 at `start` to 1 at `end`; `end` may be below `start`."""
    t = ((value - start) / (end - start)).clamp(0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Canvas:
    """Pictures (n, 3, h, w), painted in place, and the face coordinates (n, h, w) of each pixel."""

    image: Tensor
    x: Tensor
    y: Tensor
    pixel: float
    rows: slice
    columns: slice

    @staticmethod
    def blank(size: int, shift_x: Tensor, shift_y: Tensor, lean: Tensor) -> Canvas:
        """Create black pictures; shifts are in face units, `lean` in radians, all of shape (n, 1, 1)."""
        n, pixel = len(lean), 2.0 / (size * ZOOM)
        axis = (torch.arange(size, device=lean.device, dtype=lean.dtype) + 0.5) * pixel - 1 / ZOOM
        across, down = axis[None, None, :] - shift_x, axis[None, :, None] - shift_y
        c, s = torch.cos(lean), torch.sin(lean)
        image = torch.zeros(n, 3, size, size, device=lean.device, dtype=lean.dtype)
        everything = slice(0, size)
        return Canvas(image, c * across + s * down, c * down - s * across, pixel, everything, everything)

    def window(self, left: float, right: float, top: float, bottom: float) -> Canvas:
        """Return a view of a whole picture that contains a rectangle of the face in every pose."""
        columns, rows = self._span(left, right), self._span(top, bottom)
        image, x, y = self.image[:, :, rows, columns], self.x[:, rows, columns], self.y[:, rows, columns]
        return Canvas(image, x, y, self.pixel, rows, columns)

    def _span(self, low: float, high: float) -> slice:
        size = self.image.shape[-1]
        first = int((low - POSE_MARGIN + 1 / ZOOM) // self.pixel)
        last = int((high + POSE_MARGIN + 1 / ZOOM) // self.pixel) + 1
        return slice(min(max(first, 0), size), min(max(last, 0), size))

    def cut(self, whole: Tensor) -> Tensor:
        """Return the part of an (n, size, size) tensor that lies in this window."""
        return whole[:, self.rows, self.columns]

    def turned(self, dx: Tensor) -> Canvas:
        """Return the same pictures with later painting moved sideways by `dx`."""
        return replace(self, x=self.x - dx)

    def cover(self, distance: Tensor, soft: Measure = 0.0) -> Tensor:
        """Return the covered share of each pixel, in [0, 1]; `soft` widens the edge beyond one pixel."""
        return (0.5 - distance / (self.pixel + soft)).clamp(0, 1)

    def paint(self, amount: Tensor, colour: Tensor | RGB) -> None:
        """Blend in a colour, (n, 3, 1, 1), (n, 3, h, w) or one RGB tuple, with weights `amount` (n, h, w)."""
        if isinstance(colour, tuple):
            colour = self.image.new_tensor(colour).view(1, 3, 1, 1)
        self.image.lerp_(colour, amount[:, None])

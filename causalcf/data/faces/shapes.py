"""Signed distances: negative inside, in face units (the canvas is 2 wide), accurate near the outline.

All arguments broadcast; coordinates are (n, h, w), measures (n, 1, 1) or floats. Defined here.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

Measure: TypeAlias = "Tensor | float"


def ellipse(x: Tensor, y: Tensor, rx: Measure, ry: Measure) -> Tensor:
    """Distance to an ellipse around 0, to first order: (k - 1) k / |grad|, where k = |(x/rx, y/ry)|."""
    u, v = x / rx, y / ry
    k = torch.sqrt(u * u + v * v + 1e-9)
    slope = torch.sqrt((u / rx) ** 2 + (v / ry) ** 2 + 1e-9)
    return k * (k - 1) / slope


def superellipse(x: Tensor, y: Tensor, rx: Measure, ry: Measure, power: Measure) -> Tensor:
    """Distance to |x/rx|^p + |y/ry|^p = 1, to first order; p = 2 is an ellipse, larger p is boxier."""
    u, v = (x / rx).abs().clamp(min=1e-4), (y / ry).abs().clamp(min=1e-4)
    up, vp = torch.exp2(power * torch.log2(u)), torch.exp2(power * torch.log2(v))
    total = (up + vp).clamp(min=1e-5)
    k = torch.exp2(torch.log2(total) / power)
    slope = k / total * torch.sqrt((up / (u * rx)) ** 2 + (vp / (v * ry)) ** 2)
    return (k - 1) / slope.clamp(min=0.3)


def rounded_box(x: Tensor, y: Tensor, rx: Measure, ry: Measure, corner: Measure) -> Tensor:
    """Distance to a box of half-sizes (rx, ry) whose corners have the given radius."""
    dx, dy = x.abs() - (rx - corner), y.abs() - (ry - corner)
    outside = torch.sqrt(dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2)
    return outside + torch.maximum(dx, dy).clamp(max=0) - corner


def segment(x: Tensor, y: Tensor, start: tuple[Measure, Measure], end: tuple[Measure, Measure]) -> Tensor:
    """Distance (never negative) to the straight line from `start` to `end`."""
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    along = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    return torch.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2 + 1e-9)


def bent_band(x: Tensor, y: Tensor, reach: Measure, bend: Measure, above: Measure, below: Measure) -> Tensor:
    """Distance to a band along the parabola y = bend (x/reach)^2 for |x| < reach.

    Args:
        above: how far the band reaches above the parabola (towards negative y).
        below: how far it reaches below.
    """
    u = x / reach
    across = y - bend * u * u
    steep = torch.sqrt(1 + (2 * bend * u / reach) ** 2)
    band = torch.maximum(-across - above, across - below) / steep
    return torch.maximum(band, x.abs() - reach)


def round_max(a: Tensor, b: Tensor, radius: float) -> Tensor:
    """The intersection of two shapes, with the corner between them rounded."""
    near = (radius - (a - b).abs()).clamp(min=0)
    return torch.maximum(a, b) + near * near / (4 * radius)


def bump(x: Tensor, y: Tensor, rx: Measure, ry: Measure) -> Tensor:
    """A soft hill around 0: 1 at the centre, 0 outside the ellipse (rx, ry), smooth everywhere."""
    rest = (1 - (x / rx) ** 2 - (y / ry) ** 2).clamp(min=0)
    return rest * rest


def ramp01(value: Tensor, start: Measure, end: Measure) -> Tensor:
    """Smoothly from 0 at `start` to 1 at `end` (which may lie below `start`)."""
    t = ((value - start) / (end - start)).clamp(0, 1)
    return t * t * (3 - 2 * t)

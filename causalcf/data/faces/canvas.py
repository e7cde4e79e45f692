"""A batch of pictures under construction, with coordinates that lean and shift with each head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .colour import RGB
from .shapes import Measure

# The face fills the frame: the canvas spans this many times less than (-1, 1).
ZOOM = 1.13

# Windows are given in face coordinates; a head leans and shifts at most this far from them.
POSE_MARGIN = 0.13


@dataclass(frozen=True)
class Canvas:
    """Pictures, and where each of their pixels lies on the face.

    Args:
        image: (n, 3, h, w) colours, painted in place.
        x: (n, h, w) from the viewer's left (-1) to right (1), 0 on the nose.
        y: (n, h, w) downwards from -1 to 1.
        pixel: the width of a pixel in the same units.
        rows, columns: where these pixels lie in the whole picture.
    """

    image: Tensor
    x: Tensor
    y: Tensor
    pixel: float
    rows: slice
    columns: slice

    @staticmethod
    def blank(size: int, shift_x: Tensor, shift_y: Tensor, lean: Tensor) -> Canvas:
        """Black pictures of heads shifted (face units) and leaning (radians); measures are (n, 1, 1)."""
        n, pixel = len(lean), 2.0 / (size * ZOOM)
        axis = (torch.arange(size, device=lean.device, dtype=lean.dtype) + 0.5) * pixel - 1 / ZOOM
        across, down = axis[None, None, :] - shift_x, axis[None, :, None] - shift_y
        c, s = torch.cos(lean), torch.sin(lean)
        image = torch.zeros(n, 3, size, size, device=lean.device, dtype=lean.dtype)
        everything = slice(0, size)
        return Canvas(image, c * across + s * down, c * down - s * across, pixel, everything, everything)

    def window(self, left: float, right: float, top: float, bottom: float) -> Canvas:
        """The part of a whole picture that holds a rectangle of the face, whatever the pose; it shares its memory."""
        columns, rows = self._span(left, right), self._span(top, bottom)
        image, x, y = self.image[:, :, rows, columns], self.x[:, rows, columns], self.y[:, rows, columns]
        return Canvas(image, x, y, self.pixel, rows, columns)

    def _span(self, low: float, high: float) -> slice:
        size = self.image.shape[-1]
        first = int((low - POSE_MARGIN + 1 / ZOOM) // self.pixel)
        last = int((high + POSE_MARGIN + 1 / ZOOM) // self.pixel) + 1
        return slice(min(max(first, 0), size), min(max(last, 0), size))

    def cut(self, whole: Tensor) -> Tensor:
        """The part of a whole picture's field (n, size, size) that lies in this window."""
        return whole[:, self.rows, self.columns]

    def turned(self, dx: Tensor) -> Canvas:
        """The same pictures, with everything painted from now on moved sideways by `dx`."""
        return replace(self, x=self.x - dx)

    def cover(self, distance: Tensor, soft: Measure = 0.0) -> Tensor:
        """How much of each pixel a shape covers, in [0, 1]; `soft` widens the edge beyond one pixel."""
        return (0.5 - distance / (self.pixel + soft)).clamp(0, 1)

    def paint(self, amount: Tensor, colour: Tensor | RGB) -> None:
        """Mix in a colour, (n, 3, 1, 1), (n, 3, h, w) or one for all, as much as `amount` (n, h, w) says."""
        if isinstance(colour, tuple):
            colour = self.image.new_tensor(colour).view(1, 3, 1, 1)
        self.image.lerp_(colour, amount[:, None])

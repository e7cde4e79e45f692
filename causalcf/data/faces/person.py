"""Labels and appearance noise of the faces by name, and the colours that several parts share."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from .shapes import Stops, ramp, tinted

_LABELS = """
Young Male Eyeglasses Bald Mustache Smiling Wearing_Lipstick Mouth_Slightly_Open Narrow_Eyes
"""
LABELS = tuple(_LABELS.split())

# Appearance noise: each coordinate is uniform on (0, 1) and has one meaning, whatever the labels.
_NOISE = """
shift_x shift_y lean turn skin_tone skin_warmth blush face_width jaw_shape light_side light_strength hair_colour
hair_shade hair_volume hair_length hair_wave hairline hair_part fringe eye_colour eye_size eye_distance gaze
brow_height brow_weight nose_width nose_length mouth_width mouth_opening smile_width lip_colour lip_fullness
mustache_width mustache_droop glasses_shape glasses_colour clothes_hue clothes_shade neckline background_hue
background_shade background_glow
"""
NOISE = tuple(_NOISE.split())

_SKIN: Stops = ((1.0, 0.87, 0.78), (0.97, 0.79, 0.66), (0.89, 0.68, 0.52), (0.76, 0.54, 0.39), (0.62, 0.42, 0.30))
_HAIR: Stops = (
    *((0.10, 0.08, 0.09), (0.24, 0.14, 0.09), (0.42, 0.23, 0.12)),
    *((0.66, 0.29, 0.11), (0.80, 0.56, 0.20), (0.95, 0.78, 0.40)),
)


class Person:
    """Batch of people: each label and noise coordinate by name, as an (n, 1, 1) float tensor."""

    def __init__(self, labels: Tensor, noise: Tensor) -> None:
        self._label = {name: labels[:, i, None, None].to(noise.dtype) for i, name in enumerate(LABELS)}
        self._noise = {name: noise[:, i, None, None] for i, name in enumerate(NOISE)}

    def has(self, label: str) -> Tensor:
        """Return 1 where the label holds, else 0."""
        return self._label[label]

    def pick(self, label: str, yes: Tensor | float, no: Tensor | float) -> Tensor:
        """Return `yes` where the label holds, else `no`."""
        return no + self._label[label] * (yes - no)

    def mix(self, label: str, yes: Tensor, no: Tensor) -> Tensor:
        """Return the colour `yes` where the label holds, else the colour `no`."""
        return no + self._label[label][:, None] * (yes - no)

    def vary(self, noise: str, low: float, high: float) -> Tensor:
        """Map a noise coordinate linearly from (0, 1) to (low, high)."""
        return low + (high - low) * self._noise[noise]

    @cached_property
    def skin(self) -> Tensor:
        """Colour of the skin in full light."""
        warm = self.vary("skin_warmth", -0.03, 0.03)
        warmth = torch.stack([1 + warm, torch.ones_like(warm), 1 - warm], 1)
        return ramp(self.vary("skin_tone", 0, 1), _SKIN) * warmth

    @cached_property
    def hair(self) -> Tensor:
        """Colour of the hair: grey for the old, darker for darker skin."""
        fair = self.vary("hair_colour", 0, 1) * (1 - self.vary("skin_tone", 0, 0.6))
        natural = ramp(fair, _HAIR) * self.vary("hair_shade", 0.85, 1.1)[:, None]
        level = self.vary("hair_shade", 0.66, 0.9)[:, None].expand_as(natural)
        return self.mix("Young", natural, tinted(level, 0.98, 1.0, 1.05)).clamp(0, 1)

    @cached_property
    def bristles(self) -> Tensor:
        """Colour of brows and mustache: darker than the hair, so that they are visible on any skin."""
        return self.mix("Young", tinted(self.hair, 0.50, 0.40, 0.36), tinted(self.hair, 0.46, 0.46, 0.48))

    @cached_property
    def face_width(self) -> Tensor:
        """Half the width of the head at the cheekbones, in face units."""
        return self.vary("face_width", 0.53, 0.60)

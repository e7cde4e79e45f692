"""Painting of the mouth (smile, lips, opening, teeth) and the mustache."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .person import Person
from .shapes import WHITE, Canvas, bent_band, bump, ellipse, hue, tinted

_HEIGHT = 0.475
_DARK, _TEETH = (0.22, 0.05, 0.06), (0.97, 0.97, 0.97)


@dataclass(frozen=True)
class _Mouth:
    """Mouth geometry along the parabola y = bend (x/reach)^2; a smile bends its ends upwards."""

    x: Tensor
    y: Tensor
    reach: Tensor
    bend: Tensor
    upper: Tensor
    lower: Tensor
    lip: Tensor

    @staticmethod
    def of(area: Canvas, person: Person) -> _Mouth:
        smile = person.has("Smiling")
        reach = person.vary("mouth_width", 0.2, 0.235) + smile * person.vary("smile_width", 0.06, 0.085)
        arch = (1 - (area.x / reach) ** 2).clamp(min=0)
        gap = person.has("Mouth_Slightly_Open") * person.vary("mouth_opening", 0.14, 0.185)
        thin, full = person.vary("lip_fullness", 0.03, 0.04), person.vary("lip_fullness", 0.07, 0.088)
        lip = person.pick("Wearing_Lipstick", full, thin) * torch.sqrt(arch)
        bend = person.pick("Smiling", -0.155, -0.005)
        y = area.y - _HEIGHT - 0.045 * smile
        return _Mouth(area.x, y, reach, bend, 0.4 * gap * arch, 0.6 * gap * arch, lip)


def paint_mouth(canvas: Canvas, person: Person) -> None:
    """Paint the lips, the line or opening between them, the teeth and the cheeks of a smile."""
    area = canvas.window(-0.56, 0.56, 0.08, 0.72)
    mouth = _Mouth.of(area, person)
    _paint_cheeks(area, person, mouth)
    _paint_lips(area, person, mouth)
    between = bent_band(mouth.x, mouth.y, mouth.reach - 0.01, mouth.bend, mouth.upper + 0.015, mouth.lower + 0.015)
    inner = area.cover(between)
    area.paint(inner, _DARK)
    row = 0.5 * (mouth.upper + mouth.lower)
    teeth = bent_band(mouth.x, mouth.y + mouth.upper, 0.8 * mouth.reach, mouth.bend, -0.012, row)
    area.paint(person.has("Mouth_Slightly_Open") * inner * area.cover(teeth), _TEETH)


def _paint_lips(area: Canvas, person: Person, mouth: _Mouth) -> None:
    tone = person.vary("lip_colour", 0.93, 1.0)
    red = hue(tone, torch.full_like(tone, 0.92), person.vary("lip_colour", 0.72, 0.86))
    colour = person.mix("Wearing_Lipstick", red, tinted(person.skin, 0.78, 0.58, 0.56))
    above, below = mouth.upper + mouth.lip, mouth.lower + 1.15 * mouth.lip
    lips = bent_band(mouth.x, mouth.y, mouth.reach + 0.02, mouth.bend, above, below)
    area.paint(area.cover(lips), colour)
    shine = bump(mouth.x, mouth.y - mouth.lower - 0.6 * mouth.lip, 0.13, 0.035)
    area.paint(0.45 * person.has("Wearing_Lipstick") * shine, WHITE)


def _paint_cheeks(area: Canvas, person: Person, mouth: _Mouth) -> None:
    """Paint the round cheeks of a smile, and dimples at the corners of the mouth."""
    smile, apart = person.has("Smiling"), area.x.abs()
    rosy = tinted(person.skin, 1.08, 0.80, 0.76).clamp(max=1)
    area.paint(0.8 * smile * bump(apart - 0.36, area.y - 0.24, 0.18, 0.15), rosy)
    dimple = ellipse(apart - mouth.reach - 0.03, mouth.y - mouth.bend, 0.022, 0.06)
    area.paint(0.55 * smile * area.cover(dimple, 0.03), person.skin * 0.6)


def paint_mustache(canvas: Canvas, person: Person) -> None:
    """Paint a broad dark band under the nose."""
    area = canvas.window(-0.36, 0.36, 0.2, 0.46)
    reach = person.vary("mustache_width", 0.25, 0.31)
    droop = person.vary("mustache_droop", 0.03, 0.085)
    half = torch.sqrt((1 - (area.x / (reach + 0.02)) ** 2).clamp(min=0))
    parting = 0.018 * (1 - (area.x / 0.06) ** 2).clamp(min=0)
    band = bent_band(area.x, area.y - 0.32, reach, droop, 0.062 * half - parting, 0.052 * half - parting)
    area.paint(person.has("Mustache") * area.cover(band), person.bristles)

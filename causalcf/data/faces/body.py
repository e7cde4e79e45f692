"""Painting of the background, the clothes and the neck."""

from __future__ import annotations

import torch

from .person import Person
from .shapes import Canvas, bump, ellipse, hue, ramp01


def paint_backdrop(canvas: Canvas, person: Person) -> None:
    """Paint a wall in one colour, lit from above, with a broad soft highlight."""
    wall = hue(
        person.vary("background_hue", 0, 1),
        person.vary("background_shade", 0.45, 0.18),
        person.vary("background_shade", 0.5, 0.88),
    )
    side = person.vary("background_glow", -0.9, 0.9)
    light = 0.9 - 0.16 * canvas.y + 0.28 * bump(canvas.x - side, canvas.y + 0.5, 1.3, 1.3)
    canvas.image.copy_((wall * light[:, None]).clamp(0, 1))


def paint_clothes(canvas: Canvas, person: Person) -> None:
    low = canvas.window(-1.3, 1.3, 0.72, 1.3)
    cloth = hue(
        person.vary("clothes_hue", 0, 1),
        person.vary("clothes_shade", 0.75, 0.35),
        person.vary("clothes_shade", 0.25, 0.85),
    )
    shoulders = ellipse(low.x, low.y - 1.55, person.pick("Male", 1.25, 1.08), 0.72)
    shaded = cloth * (1.05 - 0.35 * low.x.abs())[:, None]
    low.paint(low.cover(shoulders), shaded)


def paint_neck(canvas: Canvas, person: Person) -> None:
    """Paint the neck in the chin's shadow, down to the neckline."""
    low = canvas.window(-0.5, 0.5, 0.5, 1.3)
    half = person.pick("Male", 0.36, 0.25)
    flare = half + 0.25 * (low.y - 0.85).clamp(min=0)
    neck = torch.maximum(low.x.abs() - flare, low.y - person.vary("neckline", 0.92, 1.25) + 0.5 * low.x.abs())
    shadow = 0.70 + 0.2 * ramp01(low.y, 0.8, 1.05)
    neck = torch.maximum(neck, 0.5 - low.y)
    low.paint(low.cover(neck), person.skin * shadow[:, None])

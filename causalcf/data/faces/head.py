"""The head: its outline, ears, skin with light, wrinkles and nose."""

from __future__ import annotations

import torch
from torch import Tensor

from .person import Person
from .shapes import Canvas, bent_band, bump, ellipse, ramp01, segment, superellipse, tinted

CENTRE, CROWN, CHIN = -0.04, 0.72, 0.82


def skull(canvas: Canvas, person: Person) -> Tensor:
    """Return the signed distance to the head's outline; the jaw is pointed (women) or square (men)."""
    y = canvas.y - CENTRE
    below = y > 0
    jaw = person.pick("Male", person.vary("jaw_shape", 2.9, 3.8), person.vary("jaw_shape", 1.75, 2.05))
    chin = person.pick("Male", CHIN + 0.01, CHIN - 0.02)
    power = torch.where(below, jaw, 2.2)
    height = torch.where(below, chin, CROWN)
    return superellipse(canvas.x, y, person.face_width, height, power)


def paint_head(canvas: Canvas, person: Person, outline: Tensor) -> None:
    """Paint the ears and the lit skin of the whole head."""
    skin = person.skin
    ears = ellipse(canvas.x.abs() - person.face_width - 0.01, canvas.y - 0.04, 0.075, 0.15)
    canvas.paint(canvas.cover(ears), skin * 0.82)
    side, strength = person.vary("light_side", -1, 1), person.vary("light_strength", 0.06, 0.2)
    rim = (1 + outline / 0.30).clamp(0, 1)
    light = 1.03 + strength * (side * canvas.x * 1.3 - 0.35 * canvas.y) - 0.24 * rim * rim
    canvas.paint(canvas.cover(outline), (skin * light[:, None]).clamp(0, 1))


def paint_beard_shadow(canvas: Canvas, person: Person, outline: Tensor) -> None:
    """Paint the darker shaved skin on a man's jaw and chin."""
    jaw = canvas.window(-0.6, 0.6, 0.1, 0.9)
    shaved = ramp01(jaw.y + 0.55 * jaw.x.abs(), 0.38, 0.66) * jaw.cover(jaw.cut(outline))
    jaw.paint(0.38 * person.has("Male") * shaved, person.skin * 0.45 + 0.03)


def paint_blush(canvas: Canvas, person: Person) -> None:
    cheeks = canvas.window(-0.6, 0.6, 0.0, 0.5)
    apart = cheeks.x.abs()
    blush = bump(apart - 0.36, cheeks.y - 0.2, 0.2, 0.17) * person.vary("blush", 0.1, 0.4)
    cheeks.paint(blush, tinted(person.skin, 1.0, 0.72, 0.70))


def paint_wrinkles(canvas: Canvas, person: Person) -> None:
    """Paint wrinkles of the old: forehead lines, bags under the eyes, folds from nose to mouth."""
    old = 1 - person.has("Young")
    dark = tinted(person.skin, 0.66, 0.56, 0.52)
    brow = canvas.window(-0.4, 0.4, -0.55, -0.3)
    for height, reach in ((-0.46, 0.27), (-0.36, 0.33)):
        line = bent_band(brow.x, brow.y - height, reach, 0.035, 0.012, 0.012)
        brow.paint(0.75 * old * brow.cover(line, 0.02), dark)
    mid = canvas.window(-0.5, 0.5, 0.0, 0.55)
    apart = mid.x.abs()
    bags = bent_band(apart - 0.265, mid.y - 0.125, 0.15, -0.055, 0.012, 0.012)
    mid.paint(0.6 * old * mid.cover(bags, 0.02), dark)
    folds = segment(apart - 0.9 * (mid.y - 0.19) * (0.43 - mid.y), mid.y, (0.17, 0.19), (0.31, 0.43)) - 0.016
    mid.paint(0.85 * old * mid.cover(folds, 0.02), dark)


def paint_nose(canvas: Canvas, person: Person) -> None:
    nose = canvas.window(-0.22, 0.22, -0.2, 0.32)
    skin, width = person.skin, person.vary("nose_width", 0.11, 0.155)
    tip = person.vary("nose_length", 0.17, 0.215)
    side = person.vary("light_side", 0.6, -0.6)
    bridge = bump(nose.x - 0.09 * side, nose.y - 0.05, 0.10, 0.28)
    nose.paint(0.28 * bridge, skin * 0.72)
    nose.paint(0.4 * bump(nose.x + 0.03 * side, nose.y - tip + 0.05, 0.09, 0.16), (skin * 1.15).clamp(max=1))
    under = bent_band(nose.x, nose.y - tip - 0.035, width, -0.05, 0.014, 0.014)
    nose.paint(0.65 * nose.cover(under, 0.015), skin * 0.58)
    nostrils = ellipse(nose.x.abs() - 0.5 * width, nose.y - tip - 0.02, 0.03, 0.018)
    nose.paint(0.7 * nose.cover(nostrils), skin * 0.4)

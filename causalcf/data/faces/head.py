"""The head, the hair and the body of a rendered face."""

from __future__ import annotations

import torch
from torch import Tensor

from .person import Person
from .shapes import WHITE, Canvas, bent_band, bump, ellipse, hue, ramp01, round_max, segment, superellipse, tinted

_EARS = 0.02
CENTRE, CROWN, CHIN = -0.04, 0.72, 0.82


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


def _short(canvas: Canvas, person: Person, outline: Tensor) -> Tensor:
    """Return the signed distance to short hair, thickest on top; it ends above the ears."""
    volume = person.vary("hair_volume", 0.06, 0.13) * (0.45 + 0.8 * (-canvas.y).clamp(0, 1))
    return torch.maximum(outline - volume, canvas.y - 0.04)


def _long(canvas: Canvas, person: Person) -> Tensor:
    """Return the signed distance to long hair, straight or wavy, with a rounded end."""
    volume = person.vary("hair_volume", 0.09, 0.16)
    wave = person.vary("hair_wave", 0.0, 0.05) * torch.sin(9 * canvas.y + 1)
    below = canvas.y.clamp(min=0)
    width = person.face_width + volume + (0.05 * below + wave * (4 * below).clamp(max=1))
    above = (canvas.y - CENTRE).clamp(max=0)
    hood = superellipse(canvas.x, above, width, CROWN + 0.9 * volume, 2.2)
    return round_max(hood, canvas.y - person.vary("hair_length", 0.52, 1.3), 0.2)


def hairstyle(canvas: Canvas, person: Person, outline: Tensor) -> Tensor:
    """Return the signed distance to the hair, ignoring baldness and the face in front of it."""
    return torch.where(person.has("Male") > 0, _short(canvas, person, outline), _long(canvas, person))


def _free(canvas: Canvas, person: Person) -> Tensor:
    """Return the signed distance to the hairless part of the head: a dome above the eyes, a strip below."""
    fringe = person.vary("fringe", -1, 1).clamp(min=0)
    low = person.vary("hairline", -0.54, -0.46) + 0.10 * fringe
    line = person.pick("Young", low, person.vary("hairline", -0.66, -0.60))
    sweep = person.vary("hair_part", -0.3, 0.3)
    curtain = person.pick("Male", 0.02, 0.075 + 0.06 * canvas.y.clamp(0, 1))
    y = (canvas.y - sweep * canvas.x - _EARS).clamp(max=0)
    return superellipse(canvas.x, y, person.face_width - curtain, _EARS - line, person.pick("Young", 2.3, 3.6))


def paint_back(canvas: Canvas, person: Person, style: Tensor) -> None:
    """Paint a woman's hair behind the neck."""
    area = canvas.window(-1, 1, 0.1, 1.3)
    worn = (1 - person.has("Male")) * (1 - person.has("Bald"))
    fall = torch.maximum(area.cut(style), 0.1 - area.y)
    area.paint(worn * area.cover(fall), person.hair * 0.68)


def paint_front(canvas: Canvas, person: Person, style: Tensor) -> None:
    """Paint the hair on top of the head, and along the sides of a woman's face."""
    free = _free(canvas, person)
    gloss = 0.26 * bump(canvas.x - person.vary("light_side", -0.35, 0.35), canvas.y + 0.70, 0.6, 0.22)
    light = 0.90 + gloss + 0.14 * ramp01(free, 0.0, 0.14) - 0.1 * ramp01(canvas.y, -0.4, 0.6)
    hair = (person.hair * light[:, None]).clamp(0, 1)
    canvas.paint((1 - person.has("Bald")) * canvas.cover(torch.maximum(style, -free)), hair)


def paint_bald(canvas: Canvas, person: Person, outline: Tensor) -> None:
    """Paint a shiny bald head; men keep short hair above the ears."""
    bald = person.has("Bald")
    top = canvas.window(-0.6, 0.6, -0.9, -0.3)
    shine = bump(top.x - person.vary("light_side", -0.2, 0.2), top.y + 0.56, 0.34, 0.17)
    top.paint(0.75 * bald * shine, WHITE)
    sides = canvas.window(-0.75, 0.75, -0.25, 0.1)
    bare = ellipse(sides.x, sides.y - 0.05, person.face_width - 0.05, 0.75)
    around = torch.maximum(sides.cut(outline) - 0.03, -bare)
    ring = torch.maximum(around, round_max(sides.y - 0.06, -sides.y - 0.2, 0.08))
    sides.paint(0.9 * bald * person.has("Male") * sides.cover(ring, 0.03), person.hair * 0.8)


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

"""Hair: short for men, long for women, receding for the old, absent for the bald."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import CENTRE, CROWN
from .person import Person
from .shapes import WHITE, Canvas, bump, ellipse, ramp01, round_max, superellipse

_EARS = 0.02


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

"""Painting of the eyes, lashes, brows and glasses."""

from __future__ import annotations

import torch
from torch import Tensor

from .person import Person
from .shapes import WHITE, Canvas, bent_band, bump, ellipse, ramp, ramp01, rounded_box, segment, tinted

HEIGHT = -0.07
_IRIS = ((0.20, 0.11, 0.06), (0.38, 0.22, 0.10), (0.22, 0.45, 0.25), (0.20, 0.45, 0.75), (0.40, 0.58, 0.70))
_SCLERA, _PUPIL = (0.97, 0.97, 0.97), (0.04, 0.04, 0.04)
_GLASS = (0.85, 0.95, 1.0)
_FRAME = ((0.05, 0.05, 0.07), (0.10, 0.08, 0.20), (0.22, 0.09, 0.05), (0.06, 0.06, 0.06))


def _apart(person: Person) -> Tensor:
    return person.vary("eye_distance", 0.25, 0.28)


def paint_eyes(canvas: Canvas, person: Person) -> None:
    """Paint round eyes, or slits for `Narrow_Eyes`; women have dark lashes and tinted lids."""
    area = canvas.window(-0.5, 0.5, -0.26, 0.12)
    side = torch.sign(area.x)
    x, y = area.x.abs() - _apart(person), area.y - HEIGHT
    skin = person.skin
    wide = person.vary("eye_size", 0.135, 0.155)
    tall = person.pick("Narrow_Eyes", 0.026, person.vary("eye_size", 0.092, 0.108))
    female = 1 - person.has("Male")
    area.paint(0.35 * bump(x, y + 0.05, 0.22, 0.17), skin * 0.72)
    lid = bump(x, y + 0.07, 0.18, 0.11) * female
    area.paint(0.55 * lid, tinted(skin, 0.72, 0.5, 0.62))
    eye = ellipse(x, y, wide, tall)
    open_ = area.cover(eye)
    area.paint(open_, _SCLERA)
    gaze = side * person.vary("gaze", -0.04, 0.04)
    look = y + 0.012  # the upper lid rests on the iris
    iris = ellipse(x - gaze, look, 0.088, 0.088)
    area.paint(open_ * area.cover(iris), ramp(person.vary("eye_colour", 0, 1), _IRIS))
    area.paint(open_ * area.cover(ellipse(x - gaze, look, 0.042, 0.042)), _PUPIL)
    towards_light = side * person.vary("light_side", -0.03, 0.03)
    glint = ellipse(x - gaze - towards_light, look + 0.033, 0.022, 0.022)
    area.paint(open_ * area.cover(glint), WHITE)
    _paint_lashes(area, person, x, y, eye, wide)


def _paint_lashes(area: Canvas, person: Person, x: Tensor, y: Tensor, eye: Tensor, wide: Tensor) -> None:
    skin = person.skin
    weight = person.pick("Male", 0.013, 0.026)
    upper, edge = ramp01(y, 0.02, -0.01), (eye - 0.006).abs()
    beyond = x.abs() - wide - 0.02  # far to the side of a slit, `eye` is too small
    area.paint(upper * area.cover(torch.maximum(edge - weight, beyond)), skin * 0.10 + 0.04)
    area.paint(0.5 * (1 - upper) * area.cover(torch.maximum(edge - 0.01, beyond)), skin * 0.5)
    wing = segment(x, y, (wide - 0.02, 0.0), (wide + 0.055, -0.065)) - 0.016
    area.paint((1 - person.has("Male")) * area.cover(wing), skin * 0.10 + 0.04)
    narrow = person.has("Narrow_Eyes")
    crease = bent_band(x, y + 0.085, 0.13, 0.03, 0.01, 0.01)
    area.paint(0.5 * narrow * area.cover(crease, 0.01), skin * 0.55)


def paint_brows(canvas: Canvas, person: Person) -> None:
    """Paint the brows: thick, low and straight for men; thin, high and arched for women."""
    area = canvas.window(-0.5, 0.5, -0.45, -0.1)
    x = area.x.abs() - _apart(person) - 0.005
    weight = person.pick("Male", person.vary("brow_weight", 0.036, 0.048), person.vary("brow_weight", 0.012, 0.018))
    level = person.pick("Male", -0.235, -0.30) - person.vary("brow_height", -0.015, 0.02)
    arch = person.pick("Male", 0.025, 0.07)
    taper = weight * (1 - 1.2 * x.clamp(min=0) / 0.19).clamp(min=0.3)
    brow = bent_band(x - 0.01, area.y - level, 0.175, arch, taper, taper)
    area.paint(area.cover(brow), person.bristles)


def paint_glasses(canvas: Canvas, person: Person) -> None:
    area = canvas.window(-0.68, 0.68, -0.32, 0.18)
    worn = person.has("Eyeglasses")
    x, y = area.x.abs() - _apart(person) - 0.005, area.y - HEIGHT
    corner = person.vary("glasses_shape", 0.05, 0.155)
    lens = rounded_box(x, y - 0.01, 0.215, 0.175, corner)
    rim = area.cover(lens.abs() - 0.034)
    ends = _apart(person)
    bridge = segment(area.x.abs(), y, (0.0, -0.055), (ends - 0.2, -0.045)) - 0.026
    arms = segment(area.x.abs(), y, (ends + 0.21, -0.05), (0.64, -0.03)) - 0.028
    frame = torch.maximum(rim, torch.maximum(area.cover(bridge), area.cover(arms)))
    area.paint(0.14 * worn * area.cover(lens), _GLASS)
    area.paint(worn * frame, ramp(person.vary("glasses_colour", 0, 1), _FRAME))

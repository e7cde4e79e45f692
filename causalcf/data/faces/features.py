"""Eyes, glasses, mouth and moustache of a rendered face."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .person import Person
from .shapes import WHITE, Canvas, bent_band, bump, ellipse, hue, ramp, ramp01, rounded_box, segment, tinted

HEIGHT = -0.07
_IRIS = ((0.20, 0.11, 0.06), (0.38, 0.22, 0.10), (0.22, 0.45, 0.25), (0.20, 0.45, 0.75), (0.40, 0.58, 0.70))
_SCLERA, _PUPIL = (0.97, 0.97, 0.97), (0.04, 0.04, 0.04)
_GLASS = (0.85, 0.95, 1.0)
_FRAME = ((0.05, 0.05, 0.07), (0.10, 0.08, 0.20), (0.22, 0.09, 0.05), (0.06, 0.06, 0.06))
_HEIGHT = 0.475
_DARK, _TEETH = (0.22, 0.05, 0.06), (0.97, 0.97, 0.97)


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

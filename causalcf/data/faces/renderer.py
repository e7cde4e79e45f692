"""Rendering of faces from labels and appearance noise."""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import DataError
from . import features, head
from .person import LABELS, NOISE, Person
from .shapes import Canvas

# Part of every cache's fingerprint: raise it whenever a picture changes.
RENDERER_VERSION = 1

# Small enough for a core's cache, large enough to hide the cost of a call.
_CHUNK = 64


def render(labels: Tensor, noise: Tensor, size: int = 64) -> Tensor:
    """Render labels (n, 9) and noise (n, K) in [0, 1] to (n, 3, size, size) float32 RGB in [0, 1]."""
    _check(labels, noise, size)
    noise = noise.to(torch.float32)
    labels = labels.to(noise.device)
    chunks = [_render(a, b, size) for a, b in zip(labels.split(_CHUNK), noise.split(_CHUNK), strict=True)]
    return torch.cat(chunks) if chunks else noise.new_zeros(0, 3, size, size)


def _check(labels: Tensor, noise: Tensor, size: int) -> None:
    if labels.ndim != 2 or labels.shape[1] != len(LABELS):
        raise DataError(f"labels have shape {tuple(labels.shape)}; expected (n, {len(LABELS)}): {', '.join(LABELS)}")
    if tuple(noise.shape) != (len(labels), len(NOISE)):
        raise DataError(f"noise has shape {tuple(noise.shape)}; expected {(len(labels), len(NOISE))}")
    if not bool(((labels == 0) | (labels == 1)).all()):
        raise DataError("labels must be 0 or 1")
    if not bool(((noise >= 0) & (noise <= 1)).all()):
        raise DataError("noise must lie in [0, 1]")
    if size < 8:
        raise DataError(f"size {size} is too small for a face; the least is 8")


def _render(labels: Tensor, noise: Tensor, size: int) -> Tensor:
    person = Person(labels, noise)
    shift = person.vary("shift_x", -0.04, 0.04), person.vary("shift_y", -0.03, 0.03)
    canvas = Canvas.blank(size, *shift, person.vary("lean", -0.08, 0.08))
    outline = head.skull(canvas, person)
    style = head.hairstyle(canvas, person, outline)
    head.paint_backdrop(canvas, person)
    head.paint_clothes(canvas, person)
    head.paint_back(canvas, person, style)
    head.paint_neck(canvas, person)
    head.paint_head(canvas, person, outline)
    head.paint_beard_shadow(canvas, person, outline)
    front = canvas.turned(person.vary("turn", -0.035, 0.035))
    head.paint_blush(front, person)
    head.paint_wrinkles(front, person)
    head.paint_nose(front, person)
    features.paint_mouth(front, person)
    features.paint_mustache(front, person)
    features.paint_eyes(front, person)
    features.paint_brows(front, person)
    head.paint_bald(canvas, person, outline)
    head.paint_front(canvas, person, style)
    features.paint_glasses(front, person)
    return canvas.image.clamp_(0, 1)

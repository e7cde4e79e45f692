"""Faces in pairs: actual above, counterfactual below, with what the judge sees under each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..captioned import Panel, save_captioned
from ..inert import file_name
from ..language import short
from .flips import Flip

COLUMNS = 8
_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word


def picture_name(*parts: object) -> str:
    """The file name of a picture of these parts; no two of other parts share one, whatever characters they have.

    Example:
        >>> picture_name("faces", "causalgan-do", "a/b")[:28]
        'faces-causalgan-do-a-b-fa436'
    """
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return "-".join([*(file_name(part) for part in parts if not isinstance(part, tuple)), digest]) + ".png"


def save_flip(path: Path, found: Flip, effect: str, nodes: tuple[str, ...], title: str) -> None:
    """Units of a flip, the cause raised on the left half and lowered on the right where both occur.

    Args:
        path: the picture.
        found: the flip, of at least one unit.
        effect: the label looked at.
        nodes: names of the labels' columns.
        title: above it.
    """
    raised, lowered = (found.sign > 0).nonzero()[:, 0], (found.sign < 0).nonzero()[:, 0]
    half = max(COLUMNS // 2, COLUMNS - len(lowered))
    rows = torch.cat([raised[:half], lowered])[:COLUMNS]
    images = found.actual.images[rows], found.drawn.images[rows]
    seen = found.seen_before[rows], found.seen_after[rows]
    save_pairs(path, *images, *seen, nodes, title, (found.cause, effect))


def save_pairs(
    path: Path,
    actual: Tensor,
    drawn: Tensor,
    before: Tensor,
    after: Tensor,
    nodes: Sequence[str],
    title: str,
    looked_at: Sequence[str] = (),
) -> None:
    """The first eight pairs; captions name the labels looked at, or else all that are seen, and mark what changed.

    Args:
        path: the picture.
        actual, drawn: (n, 3, h, w) images in [0, 1].
        before, after: (n, d) 0/1, as judged.
        nodes: names of the d columns.
        title: above it.
        looked_at: labels that captions are confined to; none: all.
    """
    above, below = [], []
    for i in range(min(COLUMNS, len(actual))):
        was, now = (dict(zip(nodes, seen[i].tolist(), strict=True)) for seen in (before, after))
        told = [name for name in nodes if name in looked_at or (not looked_at and (now[name] or name in _NAMED))]
        changed = [name for name in nodes if was[name] != now[name] and (not looked_at or name in looked_at)]
        first = [name for name in nodes if name in looked_at or (not looked_at and (was[name] or name in _NAMED))]
        above.append(Panel(actual[i], [", ".join(short(name, was[name]) for name in first)]))
        kept = [short(name, now[name]) for name in told if name not in changed]
        marked = [short(name, now[name]) for name in changed]
        lines = [", ".join(part) for part in (kept, marked) if part]
        below.append(Panel(drawn[i], lines, 1 if marked else 0))
    save_captioned(path, [above, below], title, scale=2)

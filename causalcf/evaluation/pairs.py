"""Picture of faces in pairs: actual above, counterfactual below, with the judge's labels as captions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..io.text import file_name
from ..language import short
from ..pictures.captions import Panel, save_captioned
from .flips import Flip

COLUMNS = 8
_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word


def picture_name(*parts: object) -> str:
    """Return a file name for a picture; a digest makes it unique for these parts."""
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return "-".join([*(file_name(part) for part in parts if not isinstance(part, tuple)), digest]) + ".png"


def save_flip(path: Path, found: Flip, effect: str, nodes: tuple[str, ...], title: str) -> None:
    """Draw units of a flip: cause raised on the left half, lowered on the right if both occur."""
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
    """Draw the first eight pairs; captions name the labels of interest and mark changes."""
    above, below = [], []
    for i in range(min(COLUMNS, len(actual))):
        was, now = (dict(zip(nodes, seen[i].tolist(), strict=True)) for seen in (before, after))
        shown = [name for name in nodes if name in looked_at or (not looked_at and (now[name] or name in _NAMED))]
        changed = [name for name in nodes if was[name] != now[name] and (not looked_at or name in looked_at)]
        first = [name for name in nodes if name in looked_at or (not looked_at and (was[name] or name in _NAMED))]
        above.append(Panel(actual[i], [", ".join(short(name, was[name]) for name in first)]))
        kept = [short(name, now[name]) for name in shown if name not in changed]
        marked = [short(name, now[name]) for name in changed]
        lines = [", ".join(part) for part in (kept, marked) if part]
        below.append(Panel(drawn[i], lines, 1 if marked else 0))
    save_captioned(path, [above, below], title, scale=2)

"""One cause flipped on every unit: measured labels before and after, expected labels, pixel change, faces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..errors import CausalCFError
from ..io.text import file_name
from ..labels.reference import Reference
from ..language import short
from ..pictures.sheets import Panel, save_captioned
from ..randomness import generator_of
from ..runs.counterfactual import Worlds
from .approaches import Approach, Drawn, dropped_units

Read = Callable[[Tensor], Tensor]  # (n, 3, h, w) images in [0, 1] to (n, d) int8 labels


@dataclass(frozen=True)
class Flip:
    """Units with a counterfactual after one cause is flipped: labels judged and labels expected."""

    cause: str
    asked: int
    unreached: int
    impossible: int
    sign: Tensor
    seen_before: Tensor
    seen_after: Tensor
    expected_before: Tensor
    expected_after: Tensor
    actual: Worlds
    drawn: Drawn

    def __len__(self) -> int:
        return len(self.sign)

    @property
    def lost(self) -> str:
        """Why units have no counterfactual, or "" if all have one."""
        return dropped_units(self.unreached, self.impossible)

    def shown(self, column: int) -> Tensor:
        """Return (r,): the judge sees the flipped value, and without labels the old value before as well."""
        was = self.actual.labels[:, column]
        flipped = self.seen_after[:, column] == 1 - was
        return flipped if self.drawn.labels is not None else flipped & (self.seen_before[:, column] == was)

    @cached_property
    def changes(self) -> Tensor:
        """(r,) float64 pixel change of each image."""
        return pixel_change(self.actual.images, self.drawn.images)

    def only(self, units: Tensor) -> Flip:
        """Keep only these units, given as (k,) indices into the units asked."""
        actual, drawn = self.actual, self.drawn
        some = torch.isin(drawn.rows, units).nonzero()[:, 0]
        labels = None if drawn.labels is None else drawn.labels[some]
        return replace(
            self,
            sign=self.sign[some],
            seen_before=self.seen_before[some],
            seen_after=self.seen_after[some],
            expected_before=self.expected_before[some],
            expected_after=self.expected_after[some],
            actual=Worlds(actual.noise[some], actual.labels[some], actual.images[some]),
            drawn=replace(
                drawn, rows=drawn.rows[some], noise=drawn.noise[some], labels=labels, images=drawn.images[some]
            ),
        )

    @cached_property
    def effects(self) -> Tensor:
        """(r, d) float64 change of each label as judged, signed as if the cause had been raised."""
        return (self.seen_after.double() - self.seen_before.double()) * self.sign[:, None]

    @cached_property
    def references(self) -> Tensor:
        """(r, d) float64 change of each label by the reference, signed like `effects`."""
        return (self.expected_after - self.expected_before) * self.sign[:, None]


def flip(
    approach: Approach,
    reference: Reference,
    read: Read,
    worlds: Worlds,
    seen: Tensor,
    cause: str,
    held: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Flip:
    """Flip a label on every unit and read the images; labels `held` are fixed in both worlds."""
    column = reference.nodes.index(cause)
    was = worlds.labels[:, column].to(torch.int8)
    fixed = {name: torch.full_like(was, value) for name, value in (held or {}).items()}
    draw = (seed, approach.kind, cause, *sorted(fixed))

    def ask(value: Tensor) -> tuple[Drawn, Tensor, Tensor]:
        antecedent = {**fixed, cause: value}
        possible, expected = reference.answer(worlds.labels, antecedent, approach.mode, approach.stickiness)
        return approach.counterfactual(worlds, antecedent, generator_of(*draw)), possible, expected

    after, possible, expected = ask(1 - was)
    reached = _mask(after, len(was))
    missed = after.unreached
    seen_before, expected_before, images = seen, worlds.labels.double(), worlds.images
    if fixed:
        before, possible_before, expected_before = ask(was)
        possible &= possible_before
        reached_before = _mask(before, len(was))
        missed = int((~reached | ~reached_before).sum()) if missed or before.unreached else 0
        reached &= reached_before
        seen_before = _spread(read(before.images), before.rows, len(was))
        images = _spread(before.images, before.rows, len(was))
    mine = (reached & possible)[after.rows]
    drawn = Drawn(
        after.rows[mine],
        after.noise[mine],
        None if after.labels is None else after.labels[mine],
        after.images[mine],
    )
    rows = drawn.rows
    return Flip(
        cause,
        len(was),
        missed,
        len(was) - len(rows) - missed,
        (1 - 2 * was[rows]).double(),
        seen_before[rows],
        read(drawn.images) if len(rows) else seen_before[rows],
        expected_before[rows],
        expected[rows],
        Worlds(worlds.noise[rows], worlds.labels[rows], images[rows]),
        drawn,
    )


def leak(approach: Approach, read: Read, found: Flip, effect: int) -> Tensor | None:
    """Return the (r,) effect on a label's image while that label itself is fixed; None without labels."""
    labels = found.drawn.labels
    if labels is None:
        return None
    seen = found.seen_after[:, effect].clone()
    held = labels.clone()
    held[:, effect] = found.actual.labels[:, effect]
    moved = (held[:, effect] != labels[:, effect]).nonzero()[:, 0]
    if len(moved):
        seen[moved] = read(approach.generate(found.drawn.noise[moved], held[moved]))[:, effect]
    return (seen.double() - found.seen_before[:, effect].double()) * found.sign


def _mask(drawn: Drawn, n: int) -> Tensor:
    mask = torch.zeros(n, dtype=torch.bool)
    mask[drawn.rows] = True
    return mask


def _spread(values: Tensor, rows: Tensor, n: int) -> Tensor:
    spread = values.new_zeros(n, *values.shape[1:])
    spread[rows] = values
    return spread


def pixel_change(before: Tensor, after: Tensor) -> Tensor:
    """Return (n,) float64 mean absolute differences in [0, 1] of (n, c, h, w) images in [0, 1]."""
    if before.shape != after.shape:
        shapes = f"{tuple(before.shape)} and {tuple(after.shape)}"
        raise CausalCFError(f"images before and after have shapes {shapes}; expected the same")
    _check(before)
    _check(after)
    return (before - after).abs().mean((1, 2, 3), dtype=torch.float64)


def unrelated_change(images: Tensor) -> float:
    """Return the mean absolute difference between different images, the scale of `pixel_change`."""
    _check(images)
    if len(images) < 2:
        raise CausalCFError(f"{len(images)} image(s) to compare with each other; expected at least 2")
    return float(pixel_change(images, images.roll(1, 0)).mean())


def _check(images: Tensor) -> None:
    if images.ndim != 4:
        raise CausalCFError(f"images have shape {tuple(images.shape)}; expected (n, c, h, w)")
    if not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.")
        reason = "differences of integers wrap around: 0 - 1 is 255 in uint8"
        raise CausalCFError(f"images are {kind}; expected floats in [0, 1] ({reason})")
    if images.numel() == 0:
        return
    low, high = images.detach().aminmax()
    if not (float(low) >= -1e-4 and float(high) <= 1 + 1e-4):  # also false for NaN
        raise CausalCFError(f"images have values from {float(low):.3g} to {float(high):.3g}; expected [0, 1]")


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

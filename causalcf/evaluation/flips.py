"""One cause flipped on every unit: measured labels before and after, expected labels, pixel change, faces."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
from .approaches import Approach, Drawn, Read

COLUMNS = 8
_NAMED = ("Male", "Young")  # in captions whatever their value: both values have a word


@dataclass(frozen=True)
class Flip:
    """Units with a counterfactual after one cause is flipped: labels judged and labels expected."""

    cause: str
    asked: int
    sign: Tensor
    seen_before: Tensor
    seen_after: Tensor
    expected_before: Tensor
    expected_after: Tensor
    actual: Worlds
    drawn: Drawn

    def __len__(self) -> int:
        return len(self.sign)

    def shown(self, column: int) -> Tensor:
        """Return (r,): the judge sees the flipped value, and without labels the old value before as well."""
        was = self.actual.labels[:, column]
        flipped = self.seen_after[:, column] == 1 - was
        return flipped if self.drawn.labels is not None else flipped & (self.seen_before[:, column] == was)

    def only(self, units: Tensor) -> Flip:
        """Keep only these units, given as (k,) indices into the units asked."""
        some = torch.isin(self.drawn.rows, units).nonzero()[:, 0]
        names = ("sign", "seen_before", "seen_after", "expected_before", "expected_after")
        kept = {name: getattr(self, name)[some] for name in names}
        return replace(self, **kept, actual=self.actual.select(some), drawn=self.drawn.only(some))

    @cached_property
    def changes(self) -> Tensor:
        """(r,) float64 pixel change of each image."""
        return pixel_change(self.actual.images, self.drawn.images)

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
    n, was = len(worlds), worlds.labels[:, reference.nodes.index(cause)].to(torch.int8)
    fixed = {name: torch.full_like(was, value) for name, value in (held or {}).items()}

    def ask(value: Tensor) -> tuple[Drawn, Tensor, Tensor]:
        antecedent, draw = {**fixed, cause: value}, generator_of(seed, approach.kind, cause, *sorted(fixed))
        possible, expected = reference.answer(worlds.labels, antecedent, approach.mode, approach.stickiness)
        return approach.counterfactual(worlds, antecedent, draw), possible, expected

    after, possible, expected = ask(1 - was)
    reached, missed = torch.isin(torch.arange(n), after.rows), after.unreached
    before: Drawn | None = None
    expected_before = worlds.labels.double()
    if fixed:
        before, possible_before, expected_before = ask(was)
        possible &= possible_before
        reached &= torch.isin(torch.arange(n), before.rows)
        missed = int((~reached).sum()) if missed or before.unreached else 0
    drawn = after.only((reached & possible)[after.rows])
    rows = drawn.rows
    actual, seen_before = worlds.select(rows), seen[rows]
    if before is not None:
        place = torch.searchsorted(before.rows, rows)
        actual, seen_before = replace(actual, images=before.images[place]), read(before.images)[place]
    return Flip(
        cause,
        n,
        (1 - 2 * was[rows]).double(),
        seen_before,
        read(drawn.images) if len(rows) else seen_before,
        expected_before[rows],
        expected[rows],
        actual,
        replace(drawn, unreached=missed, impossible=n - len(rows) - missed),
    )


def leak(approach: Approach, read: Read, found: Flip, effect: int) -> Tensor | None:
    """Return the (r,) effect on a label's image while that label itself is fixed; None without labels."""
    labels = found.drawn.labels
    if labels is None:
        return None
    seen, held = found.seen_after[:, effect].clone(), labels.clone()
    held[:, effect] = found.actual.labels[:, effect]
    moved = (held[:, effect] != labels[:, effect]).nonzero()[:, 0]
    if len(moved):
        seen[moved] = read(approach.generate(found.drawn.noise[moved], held[moved]))[:, effect]
    return (seen.double() - found.seen_before[:, effect].double()) * found.sign


def pixel_change(before: Tensor, after: Tensor) -> Tensor:
    """Return (n,) float64 mean absolute differences in [0, 1] of (n, c, h, w) images in [0, 1]."""
    _check(before)
    _check(after)
    return (before - after).abs().mean((1, 2, 3), dtype=torch.float64)


def unrelated_change(images: Tensor) -> float:
    """Return the mean absolute difference between different images, the scale of `pixel_change`."""
    if len(images) < 2:
        raise CausalCFError(f"{len(images)} image(s) to compare with each other; expected at least 2")
    return float(pixel_change(images, images.roll(1, 0)).mean())


def _check(images: Tensor) -> None:
    if images.numel():
        low, high = images.detach().aminmax()
        if not (float(low) >= -1e-4 and float(high) <= 1 + 1e-4):  # also false for NaN
            raise CausalCFError(f"images have values from {float(low):.3g} to {float(high):.3g}; expected [0, 1]")


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

    def words(labels: Mapping[str, int], names: Sequence[str]) -> str:
        return ", ".join(short(name, labels[name]) for name in names)

    def named(labels: Mapping[str, int]) -> list[str]:
        return [name for name in nodes if name in looked_at or (not looked_at and (labels[name] or name in _NAMED))]

    above, below = [], []
    for i in range(min(COLUMNS, len(actual))):
        was, now = (dict(zip(nodes, seen[i].tolist(), strict=True)) for seen in (before, after))
        changed = [name for name in nodes if was[name] != now[name] and (not looked_at or name in looked_at)]
        above.append(Panel(actual[i], [words(was, named(was))]))
        lines = [words(now, [name for name in named(now) if name not in changed]), words(now, changed)]
        below.append(Panel(drawn[i], list(filter(None, lines)), 1 if changed else 0))
    save_captioned(path, [above, below], title, scale=2)

"""One cause flipped on every unit: what the judge sees before and after, and what the reference expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..labels.reference import Reference
from ..seeds import generator_of
from ..worlds.counterfactual import Worlds
from .approaches import Approach, Drawn, lost_units
from .pixels import pixel_change

Read = Callable[[Tensor], Tensor]  # (n, 3, h, w) images in [0, 1] to (n, d) int8 labels


@dataclass(frozen=True)
class Flip:
    """The r units that have a counterfactual, and what became of every label of theirs.

    Args:
        cause: the label flipped.
        asked: units asked, of which `unreached` and `impossible` have none.
        sign: (r,) float64, 1 where the cause was raised from 0 to 1, else -1.
        seen_before, seen_after: (r, d) int8, by the judge, in the actual and in the counterfactual image.
        expected_before, expected_after: (r, d) float64, the facts, and the reference's P(label* = 1).
        actual, drawn: the two worlds compared; where labels are held, `actual` has the images of the first of them.
    """

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
        """Why units have no counterfactual, or ""."""
        return lost_units(self.unreached, self.impossible)

    def shown(self, column: int) -> Tensor:
        """(r,) booleans: whether the judge sees the cause flipped.

        Facts that the judge itself read, by the likelier value, may differ from its reading at the base rate: a label
        of probability .6 and base rate .77 is a fact, and reads as absent already before it is taken away. Without
        labels to compare with, it must have been read before as it was.

        Args:
            column: the cause's.
        """
        was = self.actual.labels[:, column]
        flipped = self.seen_after[:, column] == 1 - was
        return flipped if self.drawn.labels is not None else flipped & (self.seen_before[:, column] == was)

    @cached_property
    def changes(self) -> Tensor:
        """(r,) float64: how far each image moved, pixel by pixel."""
        return pixel_change(self.actual.images, self.drawn.images)

    def only(self, units: Tensor) -> Flip:
        """The same of these units alone, as far as they have a counterfactual.

        Args:
            units: (k,) indices into the units asked.
        """
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
        """(r, d) float64: how each label answered in the image, in the direction of the cause raised."""
        return (self.seen_after.double() - self.seen_before.double()) * self.sign[:, None]

    @cached_property
    def references(self) -> Tensor:
        """(r, d) float64: how it should have."""
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
    """Flips a label on every unit and looks.

    Where labels are `held`, both worlds compared are counterfactual: the cause as it was and the cause flipped, each
    together with the labels held, on the same random numbers. That is how explaining away shows.

    Args:
        approach: what is asked.
        reference: what it is held against.
        read: the judge.
        worlds: n actual worlds of the approach, labels in the order `reference.nodes`.
        seen: (n, d) what the judge sees in them.
        cause: the label.
        held: labels supposed together with it, in both worlds.
        seed: of the counterfactual draws; the same cause and labels held draw the same numbers.
    """
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
    """(r,) the effect of the cause on a label's image while that label itself is held as it was.

    None for an approach without labels. Only units whose label changed have to be generated anew.

    Args:
        approach: which made the flip.
        read: the judge.
        found: the flip.
        effect: the label's column.
    """
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

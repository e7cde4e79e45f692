"""What is compared: an approach maps actual worlds and an antecedent to counterfactual images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..worlds.counterfactual import Worlds

Antecedent = Mapping[str, Tensor]  # label -> (n,) 0/1, one value for each unit


@dataclass(frozen=True)
class Drawn:
    """One counterfactual for each unit that has one.

    Args:
        rows: (r,) which of the n units these are.
        noise: (r, k).
        labels: (r, d) int8 the labels that the images were generated from; None for an approach without labels.
        images: (r, 3, h, w) in [0, 1].
        unreached: units whose antecedent was not seen within the budget.
        impossible: units that the approach's own label model gives no such counterfactual.
    """

    rows: Tensor
    noise: Tensor
    labels: Tensor | None
    images: Tensor
    unreached: int = 0
    impossible: int = 0

    def worlds(self, labels: Tensor) -> Worlds:
        """The counterfactual worlds as actual ones, to ask them again."""
        return Worlds(self.noise, labels, self.images)


class Approach(Protocol):
    """A trained run and a way to ask it."""

    @property
    def kind(self) -> str:
        """Such as "causalgan-do"."""

    @property
    def name(self) -> str:
        """The same, told apart from others of its kind where there are several."""

    @property
    def run(self) -> str:
        """The name of the run it asks."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The d labels, in the order of all columns."""

    @property
    def mode(self) -> str:
        """ "do" or "observe"."""

    @property
    def stickiness(self) -> float:
        """Of the noise, in [0, 1]; the reference is asked at the same."""

    @property
    def told(self) -> str:
        """How it makes a counterfactual, in words."""

    @property
    def has_labels(self) -> bool:
        """Whether its images are generated from labels."""

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        """n actual worlds; the same seed gives approaches with labels the same labels and noise."""

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        """One counterfactual of each unit; an empty antecedent changes what stickiness changes, and no more."""

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """(r, k) noise and (r, d) labels in the order `nodes` to images."""


def lost_units(unreached: int, impossible: int) -> str:
    """Why units have no counterfactual, or ""."""
    told = []
    if unreached:
        told.append(f"{unreached} did not show the antecedent within the budget")
    if impossible:
        told.append(f"{impossible} have facts or an antecedent of probability zero")
    return "; ".join(told)


def in_order(labels: Tensor, have: tuple[str, ...], want: tuple[str, ...]) -> Tensor:
    """The columns of labels, in another order."""
    return labels if have == want else labels[:, [have.index(name) for name in want]]

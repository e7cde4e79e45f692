"""Interface of an approach: it maps actual worlds and an antecedent to counterfactual images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..runs.counterfactual import Worlds

Antecedent = Mapping[str, Tensor]  # label -> (n,) 0/1, one value for each unit


@dataclass(frozen=True)
class Drawn:
    """Counterfactuals of the r units that have one; units without one are only counted."""

    rows: Tensor
    noise: Tensor
    labels: Tensor | None
    images: Tensor
    unreached: int = 0
    impossible: int = 0

    def worlds(self, labels: Tensor) -> Worlds:
        """Return the counterfactual worlds as actual worlds, so that they can be asked again."""
        return Worlds(self.noise, labels, self.images)


class Approach(Protocol):
    """Trained run and a way to draw counterfactuals from it."""

    @property
    def kind(self) -> str:
        """Kind of approach, such as "causalgan-do"."""

    @property
    def name(self) -> str:
        """The kind; followed by the run's name where several approaches share the kind."""

    @property
    def run(self) -> str:
        """Name of the run that generates the images."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the d labels, in the order of all label columns."""

    @property
    def mode(self) -> str:
        """ "do" or "observe"."""

    @property
    def stickiness(self) -> float:
        """Stickiness of the noise, in [0, 1]; the reference uses the same value."""

    @property
    def description(self) -> str:
        """How the approach makes a counterfactual, in words."""

    @property
    def has_labels(self) -> bool:
        """Whether the images are generated from labels."""

    def actual(self, n: int, given: Mapping[str, int], generator: torch.Generator) -> Worlds:
        """Draw n actual worlds; with one seed, all approaches with labels draw the same labels and noise."""

    def counterfactual(self, worlds: Worlds, antecedent: Antecedent, generator: torch.Generator) -> Drawn:
        """Draw one counterfactual per unit; under an empty antecedent only stickiness below 1 changes it."""

    def generate(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Generate images from (r, k) noise and (r, d) labels in the order `nodes`."""


def dropped_units(unreached: int, impossible: int) -> str:
    """Return why units have no counterfactual, or "" if all have one."""
    description = []
    if unreached:
        description.append(f"{unreached} did not show the antecedent within the budget")
    if impossible:
        description.append(f"{impossible} have facts or an antecedent of probability zero")
    return "; ".join(description)


def in_order(labels: Tensor, have: tuple[str, ...], want: tuple[str, ...]) -> Tensor:
    """Reorder the columns of labels."""
    return labels if have == want else labels[:, [have.index(name) for name in want]]

"""A group of units with one counterfactual each, and what every source of groups can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from .questions import Question

Read = Callable[[Tensor], Tensor]  # (n, k) noise to (n, d) int8 labels seen in its images, as the generator is now


@dataclass(frozen=True)
class Group:
    """m units.

    Args:
        noise, moved: (m, k) actual and counterfactual noise.
        labels, supposed: (m, d) int8 actual and counterfactual labels; (m, 0) for a generator without labels.
        rows: (m,) where their source has them.
    """

    rows: Tensor
    noise: Tensor
    labels: Tensor
    moved: Tensor
    supposed: Tensor


class Source(Protocol):
    """Where groups come from.

    Args:
        looks: whether what is given and supposed has to be seen in images.
        proposed, accepted: counterfactuals that were looked at, and that were as supposed.
    """

    looks: bool
    proposed: int
    accepted: int

    def search(
        self, question: Question, noise: Tensor, seen: Callable[[], Tensor], read: Read, random: torch.Generator
    ) -> None:
        """Looks for units of a question.

        Args:
            question: asked next.
            noise: (n, k) of training's own images, on the CPU.
            seen: gives the (n, d) int8 labels seen in those.
            read: sees labels in images of other noise.
            random: of the draws.
        """

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """Up to m units; None where there are too few yet."""

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """What is known of the units drawn last.

        Args:
            question, group: as drawn.
            seen: (m, d) int8 labels seen in their actual images; may be None where the source does not look.
            moved: (m, d) int8 labels seen in their counterfactual images.

        Returns:
            (m, d) int8 facts, and (m,) which units are as given and as supposed.
        """

    def state(self) -> dict[str, Any]:
        """Tensors and plain values to resume from."""

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a state."""

"""Means that remember the groups before: a group of 32 says little of a probability of .05."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

DECAY = 0.9  # of what is remembered, a group; the means are over about ten groups


class RunningMeans:
    """Means by name, each over this group and, fading, those before it.

    The value is the running mean's; the gradient is that of this group's own mean, as if it stood alone. At decay 0 the
    two are the same thing.

    Args:
        decay: in [0, 1), what remains of a group when the next one comes.
    """

    def __init__(self, decay: float = DECAY) -> None:
        self.decay = decay
        self.kept: dict[str, tuple[Tensor, Tensor]] = {}  # name -> sums, counts

    def __call__(self, name: str, sums: Tensor, counts: Tensor) -> Tensor:
        """sums / counts over the groups so far, of any shape; 0 where nothing was ever counted.

        Args:
            name: of the means.
            sums: of this group, differentiable.
            counts: of this group, at least 0.
        """
        now, units = sums.detach(), counts.detach()
        if name in self.kept:
            before, units_before = self.kept[name]
            now, units = now + self.decay * before.to(now), units + self.decay * units_before.to(units)
        self.kept[name] = now, units
        own = sums / counts.clamp(min=1)
        return (now / units.clamp(min=torch.finfo(units.dtype).tiny)) + (own - own.detach())

    def value(self, name: str) -> Tensor | None:
        """The mean as it stands, None before the first group."""
        if name not in self.kept:
            return None
        sums, counts = self.kept[name]
        return sums / counts.clamp(min=torch.finfo(counts.dtype).tiny)

    def state(self) -> dict[str, Any]:
        """Tensors to resume from."""
        return {name: {"sums": sums, "counts": counts} for name, (sums, counts) in self.kept.items()}

    def restore(self, state: dict[str, Any]) -> None:
        self.kept = {name: (one["sums"], one["counts"]) for name, one in state.items()}

"""Do images show the labels they were generated from, and does a flipped label show?

Counts are pooled over images, never averaged over batches; intervals are Wilson's (1927) at 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binomtest
from torch import Tensor

from ..classifiers.estimate import Estimate

Generate = Callable[[Tensor, Tensor], Tensor]
Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Rate:
    """hits of n, with its 95 % Wilson interval; without units there is no rate."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return float("nan"), float("nan")
        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)

    @property
    def estimate(self) -> Estimate:
        """Value and interval together."""
        return Estimate(self.value, *self.interval)

    def to_dict(self) -> dict[str, float | None]:
        """Value and interval, JSON-ready; null without units."""
        return self.estimate.to_dict()

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] (n={self.n})" if self.n else "no units"


def agreement(names: Sequence[str], asked: Tensor, seen: Tensor) -> dict[str, Rate]:
    """Per label: how often the label read off an image is the one it was generated from.

    Args:
        names: the d labels.
        asked, seen: (n, d) 0/1 labels asked for and read.
    """
    hits = (asked == seen).sum(0).tolist()
    return {name: Rate(int(hit), len(asked)) for name, hit in zip(names, hits, strict=True)}


def one_flips(labels: Tensor, column: int, seen_in_data: Tensor) -> tuple[Tensor, Tensor]:
    """The rows whose combination with one label flipped occurs in the data, and their flipped labels.

    Args:
        labels: (n, d) 0/1 labels.
        column: the label to flip.
        seen_in_data: (m, d) the combinations that occur.

    Returns:
        (r,) indices into `labels`, and the (r, d) flipped labels.
    """
    flipped = labels.clone()
    flipped[:, column] = 1 - flipped[:, column]
    occurs = {tuple(cell) for cell in seen_in_data.tolist()}
    rows = torch.tensor([i for i, cell in enumerate(flipped.tolist()) if tuple(cell) in occurs], dtype=torch.long)
    return rows, flipped[rows]


def one_flip_effectiveness(
    generate: Generate, read: Read, names: Sequence[str], noise: Tensor, labels: Tensor, seen_in_data: Tensor
) -> dict[str, Rate]:
    """Per label: after flipping it alone, on the same noise, how often the reader sees the new value.

    Only flips whose combination occurs in the data are asked for: of others nobody has seen what they look like.
    """
    rates = {}
    for column, name in enumerate(names):
        rows, flipped = one_flips(labels, column, seen_in_data)
        if len(rows) == 0:
            rates[name] = Rate(0, 0)
            continue
        seen = read(generate(noise[rows], flipped))
        rates[name] = Rate(int((seen[:, column] == flipped[:, column]).sum()), len(rows))
    return rates

"""Which rows and which labels a training step sees: rare label combinations are drawn more often.

A row whose label combination (cell) has frequency f is drawn with weight f^-balance, so that a cell's share of a batch
is proportional to f^(1-balance). Generated labels follow the same law, started from the label generator's: cell c has
weight P_scm(c) f(c)^-balance over the cells that occur in the data. At balance 0 both are drawn as they come: rows
uniformly, generated labels from the label generator itself, unseen cells included.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .arguments import check
from .labels import LabelSCM


class WeightedDraw:
    """Draws indices with given weights, with replacement, in O(log n) each."""

    def __init__(self, weights: Tensor) -> None:
        sound = bool(weights.isfinite().all()) and bool((weights >= 0).all()) and bool((weights > 0).any())
        check(sound, "weights", weights.tolist(), "finite, at least 0, and not all 0")
        self.cumulative = weights.double().cumsum(0)

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) int64 indices."""
        u = torch.rand(n, generator=generator, dtype=torch.float64) * self.cumulative[-1]
        return torch.searchsorted(self.cumulative, u, right=True).clamp_(max=len(self.cumulative) - 1)


class LabelledDraw:
    """The rows and the generated labels of training.

    Args:
        labels: (n, d) int8 labels of the data, in the graph's order.
        scm: the label generator, or None where there are no labels to generate.
        balance: exponent in [0, 1].
    """

    def __init__(self, labels: Tensor, scm: LabelSCM | None, balance: float) -> None:
        cells, cell_of_row, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
        tilt = (counts.double() / len(labels)) ** -balance
        self.rows = WeightedDraw(tilt[cell_of_row])
        self.scm, self.balance, self.cells = scm, balance, cells
        self.draw_cell: WeightedDraw | None = None
        if scm is not None and balance > 0:
            self.draw_cell = WeightedDraw(scm.log_probability(cells).exp() * tilt)

    def generated(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, d) int8 labels to generate images from."""
        if self.scm is None:
            return torch.zeros(n, 0, dtype=torch.int8)
        if self.draw_cell is None:
            return self.scm.sample(n, generator=generator)
        return self.cells[self.draw_cell(n, generator)]

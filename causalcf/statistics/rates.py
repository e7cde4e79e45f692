"""Rates and estimates with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binomtest
from torch import Tensor

Generate = Callable[[Tensor, Tensor], Tensor]
Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Rate:
    """Rate of hits among n, with its 95 % Wilson interval; NaN if n is 0."""

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
        return Estimate(self.value, *self.interval)

    def to_dict(self) -> dict[str, float | None]:
        """Return value and interval, JSON-ready; null if n is 0."""
        return self.estimate.to_dict()

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] (n={self.n})" if self.n else "no units"


def agreement(names: Sequence[str], asked: Tensor, seen: Tensor) -> dict[str, Rate]:
    """Return, per label, how often the label read equals the label generated from, of (n, d) 0/1 arrays."""
    hits = (asked == seen).sum(0).tolist()
    return {name: Rate(int(hit), len(asked)) for name, hit in zip(names, hits, strict=True)}


def one_flips(labels: Tensor, column: int, seen_in_data: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows whose labels with one label flipped occur in the data, and the flipped labels."""
    flipped = labels.clone()
    flipped[:, column] = 1 - flipped[:, column]
    occurs = {tuple(cell) for cell in seen_in_data.tolist()}
    rows = torch.tensor([i for i, cell in enumerate(flipped.tolist()) if tuple(cell) in occurs], dtype=torch.long)
    return rows, flipped[rows]


def one_flip_effectiveness(
    generate: Generate, read: Read, names: Sequence[str], noise: Tensor, labels: Tensor, seen_in_data: Tensor
) -> dict[str, Rate]:
    """Return, per label, how often flipping it alone shows; only combinations that occur in the data."""
    rates = {}
    for column, name in enumerate(names):
        rows, flipped = one_flips(labels, column, seen_in_data)
        if len(rows) == 0:
            rates[name] = Rate(0, 0)
            continue
        seen = read(generate(noise[rows], flipped))
        rates[name] = Rate(int((seen[:, column] == flipped[:, column]).sum()), len(rows))
    return rates


@dataclass(frozen=True)
class Estimate:
    """Estimate with its 95 % interval; all three numbers are NaN where there are no images."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "no units" if math.isnan(self.value) else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return JSON-ready values, with null in place of NaN."""
        parts = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(number) else number for name, number in parts.items()}


NO_UNITS = Estimate(math.nan, math.nan, math.nan)

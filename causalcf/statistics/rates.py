"""Rates and estimates with their 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import binomtest


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

"""A figure and its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN all three where no images could say."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return "no units" if math.isnan(self.value) else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, float | None]:
        """JSON-ready: null in place of NaN."""
        parts = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if math.isnan(number) else number for name, number in parts.items()}


NO_UNITS = Estimate(math.nan, math.nan, math.nan)

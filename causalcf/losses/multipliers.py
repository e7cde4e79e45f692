"""Weights of statements by damped dual ascent: what holds costs nothing, what does not weighs more and more."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Multipliers:
    """One Lagrange multiplier for each constraint "loss <= slack".

        lambda <- max(0, lambda + rate (loss - slack))        weight = max(0, lambda + damping (loss - slack))

    The penalty damps the swings that dual ascent alone falls into.

    Args:
        rate: eta, at least 0; 0 leaves the penalty alone.
        damping: at least 0.
        slack: loss that costs nothing, at least 0.

    Source: Platt and Barr (1988), Constrained differential optimization.

    Example:
        >>> weights = Multipliers(rate=0.5, damping=1.0, slack=0.0)
        >>> weights.weigh("bald", 2.0), weights.values["bald"]
        (2.0, 1.0)
        >>> weights.weigh("bald", 0.0), weights.weigh("another", 0.0)
        (1.0, 0.0)
    """

    rate: float
    damping: float
    slack: float
    values: dict[str, float] = field(default_factory=dict)

    def weigh(self, name: str, loss: float) -> float:
        """The constraint's weight at this loss; its multiplier then moves."""
        value, excess = self.values.get(name, 0.0), loss - self.slack
        self.values[name] = max(0.0, value + self.rate * excess)
        return max(0.0, value + self.damping * excess)

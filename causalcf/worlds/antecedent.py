"""A condition on what a classifier says of an image: {"Smiling": 1, "Male": 0}."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..arguments import as_names, is_share
from ..errors import CausalCFError
from ..labels.assignments import assignment


@dataclass(frozen=True)
class Antecedent:
    """Attributes and the values the classifier is to see, all at once.

    Args:
        attributes: the names of the classifier's d columns, in order.
        condition: {name: 0 or 1}.
        threshold: the probability that each asked-for value must exceed, in (0, 1).

    Raises:
        CausalCFError: no condition, an unknown or repeated attribute, a value other than 0 and 1, a threshold out of
            range.

    Example:
        >>> smiling = Antecedent(("Male", "Smiling"), {"Smiling": 1, "Male": 0})
        >>> smiling.holds(torch.tensor([[0.1, 0.9], [0.1, 0.5]])).tolist()
        [True, False]
    """

    attributes: tuple[str, ...]
    condition: Mapping[str, int]
    threshold: float = 0.5

    def __post_init__(self) -> None:
        names = list(as_names("attributes", self.attributes))
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CausalCFError(f"attributes name {twice[0]!r} twice; each column of the classifier has its own name")
        held = assignment(self.attributes, "condition", self.condition)
        if not held:
            raise CausalCFError('condition is empty; it must name what to look for, such as {"Smiling": 1}')
        for column, value in held.items():
            if len(value) != 1:
                raise CausalCFError(f"condition {names[column]}: one value, 0 or 1, for all draws")
        if not (is_share(self.threshold) and 0 < self.threshold < 1):
            raise CausalCFError(f"threshold is {self.threshold!r}; it must be a probability between 0 and 1")

    def __str__(self) -> str:
        return ", ".join(f"{name}={int(value)}" for name, value in self.condition.items())

    def margin(self, probabilities: Tensor) -> Tensor:
        """(n,) float64: how far beyond the threshold, in log odds, the condition that is worst off lies.

        Positive where all conditions hold, and only there.
        """
        logits = self._asked(probabilities).logit()
        return logits.min(1).values - math.log(self.threshold / (1 - self.threshold))

    def log_likelihood(self, probabilities: Tensor) -> Tensor:
        """(n,) float64: the log of the product, over the conditions, of the probability of the asked-for value."""
        return self._asked(probabilities).log().sum(1)

    def holds(self, probabilities: Tensor) -> Tensor:
        """(n,) bool, on the CPU: the classifier says that all conditions hold."""
        return self.margin(probabilities) > 0

    def _asked(self, probabilities: Tensor) -> Tensor:
        """(n, conditions) float64 probabilities of the asked-for values."""
        seen = probabilities.detach().cpu().double()
        columns = [
            seen[:, self.attributes.index(name)] if value else 1 - seen[:, self.attributes.index(name)]
            for name, value in self.condition.items()
        ]
        return torch.stack(columns, 1)


def antecedent(attributes: Sequence[str], condition: Mapping[str, int], threshold: float) -> Antecedent:
    """The condition on a classifier with these columns.

    Raises:
        CausalCFError: as in `Antecedent`, and for a single string where names are expected.
    """
    if isinstance(attributes, str):
        raise CausalCFError(
            f"attributes is the string {attributes!r}; it must be the names of the classifier's columns"
        )
    return Antecedent(as_names("attributes", attributes), condition, threshold)

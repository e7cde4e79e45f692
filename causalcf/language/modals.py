"""Modals such as "might" and "would", each as an interval of probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..checks import is_share
from ..errors import StatementError

EPS = 0.05  # the tolerance of "might" and "would" alike: two different ones would break their duality


@dataclass(frozen=True)
class Interval:
    """Interval of the probabilities that satisfy a modal; each bound is open or closed."""

    low: float = 0.0
    high: float = 1.0
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, q: float) -> bool:
        above = q > self.low if self.low_open else q >= self.low
        return above and (q < self.high if self.high_open else q <= self.high)

    def __str__(self) -> str:
        if self.low > 0 or self.low_open:
            return f"{'above' if self.low_open else 'at least'} {self.low:g}"
        return f"{'below' if self.high_open else 'at most'} {self.high:g}"

    @property
    def threshold(self) -> float:
        """Bound that the modal compares with: `low`, or `high` if `low` is a closed 0."""
        return self.low if self.low > 0 or self.low_open else self.high

    def of_the_opposite(self) -> Interval:
        """Return the interval of 1 - q."""
        return Interval(_minus(self.high), _minus(self.low), self.high_open, self.low_open)

    def meets(self, other: Interval) -> bool:
        """Return whether the two intervals overlap."""
        low = max((self.low, self.low_open), (other.low, other.low_open))
        high = min((self.high, not self.high_open), (other.high, not other.high_open))
        return low[0] < high[0] or (low[0] == high[0] and not low[1] and high[1])


@dataclass(frozen=True)
class Modal:
    """Modal with its wording, threshold (None: set by eps), strictness and negation."""

    said: str
    bound: float | None
    strict: bool
    negative: bool
    positive: str

    def interval(self, eps: float = EPS) -> Interval:
        """Return the probabilities of the consequent that satisfy the modal; eps in [0, 0.5)."""
        if not is_share(eps) or eps >= 0.5:
            raise StatementError(f"eps is {eps!r}; it must lie in [0, 0.5), or 'would' does not imply 'might'")
        bound = self.bound if self.bound is not None else eps if self.strict else _minus(eps)
        affirmed = Interval(low=bound, low_open=self.strict)
        return affirmed.of_the_opposite() if self.negative else affirmed


def _minus(bound: float) -> float:
    return round(1.0 - bound, 12)  # so that 1 - .7 is .3


# "would" is q >= 1 - eps, "might" is q > eps; "not" applies them to 1 - q.
_POSITIVE = {
    "might": Modal("might", None, True, False, "might"),
    "would": Modal("would", None, False, False, "would"),
    "probably": Modal("would probably", 0.5, True, False, "probably"),
    "likely": Modal("would likely", 0.7, True, False, "likely"),
}
_NEGATIVE = {f"{name} not": replace(one, said=f"{one.said} not", negative=True) for name, one in _POSITIVE.items()}
MODALS: Mapping[str, Modal] = MappingProxyType(_POSITIVE | _NEGATIVE)


def _spoken() -> dict[tuple[str, ...], str]:
    """Return the words of a modal in a sentence -> modal name."""
    spoken = {tuple(modal.split()): modal for modal in ("might", "would", "might not", "would not")}
    for adverb in ("probably", "likely"):
        for words in ((adverb,), (adverb, "would"), ("would", adverb)):
            spoken |= {words: adverb, (*words, "not"): f"{adverb} not"}
    return spoken


SPOKEN: Mapping[tuple[str, ...], str] = MappingProxyType(_spoken())

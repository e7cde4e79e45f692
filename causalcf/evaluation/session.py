"""One approach being asked: actual worlds and flips, each made once and shared by all that is measured on them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from torch import Tensor

from ..labels.reference import Reference
from ..seeds import generator_of
from ..worlds.counterfactual import Worlds
from .approaches import Approach
from .axioms import Flipped
from .flips import Flip, flip
from .judge import Judge
from .settings import Settings

Conditions = tuple[tuple[str, int], ...]


def conditions(values: Mapping[str, int]) -> Conditions:
    """Labels and values as a key."""
    return tuple(sorted(values.items()))


class Session:
    """An approach, what it is held against, and what it has answered so far."""

    def __init__(self, approach: Approach, reference: Reference, judge: Judge, settings: Settings) -> None:
        self.approach, self.reference, self.judge, self.settings = approach, reference, judge, settings
        self.worlds = cache(self._worlds)
        self.flip = lru_cache(maxsize=1)(self._flip)  # with its images, which are many
        self.flipped = cache(self._flipped)

    def forget(self) -> None:
        """Gives the images back: fifty megabytes for each thousand faces."""
        self.worlds.cache_clear()
        self.flip.cache_clear()
        self.flipped.cache_clear()

    def _worlds(self, given: Conditions = ()) -> tuple[Worlds, Tensor]:
        """Actual worlds and what the judge sees in them; the same for all approaches with labels.

        Without labels, whoever is given is found among the same faces, which are looked at once.
        """
        draw = generator_of(self.settings.seed, "actual", *(given if self.approach.has_labels else ()))
        found = self.approach.actual(self.settings.n, dict(given), draw)
        return found, self.judge.read(found.images)

    def _flipped(self, cause: str) -> Flipped:
        """What axioms ask of the flip of a cause on everyone."""
        return Flipped.of(self.flip(cause), self.approach.nodes)

    def _flip(self, cause: str, given: Conditions = (), held: Conditions = ()) -> Flip:
        worlds, seen = self.worlds(given)
        return flip(self.approach, self.reference, self.judge.read, worlds, seen, cause, dict(held), self.settings.seed)

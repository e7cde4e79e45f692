"""Sessions with one approach, the tasks that processes share, and the result cache for resuming."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from ..distributed.group import from_first, rank, size, wait
from ..errors import CausalCFError
from ..io.files import write_atomically
from ..io.progress import counting
from ..io.untrusted import read_json
from ..labels.reference import Reference
from ..randomness import generator_of
from ..runs.counterfactual import Worlds
from .approaches import Approach
from .axioms import Flipped
from .flips import Flip, flip
from .judge import Judge

FOLDER = "unfinished"
MIN_UNITS = 100  # fewer give no verdict: their interval is several margins wide
MAX_DROPPED = 0.1  # nor where more than this share of the units was lost: the others are no fair sample
Conditions = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Part:
    """Task that makes one part of the outcome; `names` identifies its cached result."""

    section: str
    names: tuple[object, ...]
    make: Callable[[], Any]
    name: str = ""


@dataclass(frozen=True)
class Group:
    """Tasks measured on the same images: one process runs them all, then frees the images."""

    parts: tuple[Part, ...]
    forget: Callable[[], None] = lambda: None


def made_together(groups: Sequence[Group], pieces: ResultCache) -> list[tuple[tuple[str, str], Any]]:
    """Run all tasks over the processes; return ((section, name), result) pairs in order."""
    with counting("evaluation", sum(len(group.parts) for group in groups[rank() :: size()])) as advance:
        for group in groups[rank() :: size()]:
            _each(group, pieces, advance)
    wait()
    return from_first(lambda: [made for group in groups for made in _each(group, pieces, lambda n: None)])


def _each(group: Group, pieces: ResultCache, advance: Callable[[int], None]) -> list[tuple[tuple[str, str], Any]]:
    made = []
    for part in group.parts:
        made.append(((part.section, part.name), pieces.get(part.names, part.make)))
        advance(1)
    group.forget()
    return made


class ResultCache:
    """Result cache in a folder: JSON-ready results keyed by everything they depend on."""

    def __init__(self, folder: Path, *common: object) -> None:
        self._folder = folder / FOLDER
        self._common = [str(part) for part in common]

    def get(self, names: Sequence[object], make: Callable[[], Any]) -> Any:
        """Return the cached result of these names, or make it."""
        key = hashlib.sha256(json.dumps([*self._common, *map(str, names)]).encode()).hexdigest()[:24]
        file = self._folder / f"{key}.json"
        if file.is_file():
            with suppress(CausalCFError):  # damaged: made once more
                return read_json(file)
        made = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(made, allow_nan=False).encode())
        return made

    def clear(self) -> None:
        """Delete the cache after the evaluation has ended."""
        shutil.rmtree(self._folder, ignore_errors=True)


def too_few(n: int, asked: int, lost: str) -> str:
    """Return why n of the units asked are too few for a verdict, or ""."""
    if n < MIN_UNITS:
        return f"{n} units of {asked} asked{f' ({lost})' if lost else ''}; a verdict takes {MIN_UNITS}"
    if asked - n > MAX_DROPPED * asked:
        return f"{asked - n} of {asked} units were lost ({lost}); a verdict takes nine tenths of them"
    return ""


@dataclass(frozen=True)
class Settings:
    """Numbers of an evaluation."""

    n: int  # units asked about each cause
    half_width: float  # of the interval that n was chosen for
    seed: int = 0
    margin: float = 0.05  # tau, the largest distance of an effect from the reference that still counts as respected
    resamples: int = 2000  # of the bootstrap


def conditions(values: Mapping[str, int]) -> Conditions:
    """Return labels and values as a hashable key."""
    return tuple(sorted(values.items()))


class Session:
    """Approach with its reference and judge, and its cached worlds and flips."""

    def __init__(self, approach: Approach, reference: Reference, judge: Judge, settings: Settings) -> None:
        self.approach, self.reference, self.judge, self.settings = approach, reference, judge, settings
        self.worlds = cache(self._worlds)
        self.flip = lru_cache(maxsize=1)(self._flip)  # with its images, which are many
        self.flipped = cache(lambda cause: Flipped.of(self.flip(cause), approach.nodes))

    def forget(self) -> None:
        """Free the cached images: 50 MB per thousand faces."""
        for made in (self.worlds, self.flip, self.flipped):
            made.cache_clear()

    def _worlds(self, given: Conditions = ()) -> tuple[Worlds, Tensor]:
        """Draw actual worlds and read their labels; the same labels for all approaches with labels."""
        draw = generator_of(self.settings.seed, "actual", *(given if self.approach.has_labels else ()))
        found = self.approach.actual(self.settings.n, dict(given), draw)
        return found, self.judge.read(found.images)

    def _flip(self, cause: str, given: Conditions = (), held: Conditions = ()) -> Flip:
        worlds, seen = self.worlds(given)
        return flip(self.approach, self.reference, self.judge.read, worlds, seen, cause, dict(held), self.settings.seed)

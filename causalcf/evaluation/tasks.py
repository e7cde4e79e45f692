"""Tasks of an evaluation, shared among processes, and the result cache that lets it resume."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..distributed.group import from_first, rank, size, wait
from ..errors import CausalCFError
from ..io.files import write_atomically
from ..io.progress import counting
from ..io.untrusted import read_json


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


FOLDER = "unfinished"


class ResultCache:
    """Result cache in a folder: JSON-ready results keyed by everything they depend on."""

    def __init__(self, folder: Path, *common: object) -> None:
        self._folder = folder / FOLDER
        self._common = [str(part) for part in common]

    def get(self, names: Sequence[object], make: Callable[..., Any], *given: Any) -> Any:
        """Return the cached result of these names, or make it with `make(*given)`."""
        key = hashlib.sha256(json.dumps([*self._common, *map(str, names)]).encode()).hexdigest()[:24]
        file = self._folder / f"{key}.json"
        if file.is_file():
            with suppress(CausalCFError):  # damaged: made once more
                return read_json(file)
        made = make(*given)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(made, allow_nan=False).encode())
        return made

    def clear(self) -> None:
        """Delete the cache after the evaluation has ended."""
        shutil.rmtree(self._folder, ignore_errors=True)

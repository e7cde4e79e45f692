"""The parts that an evaluation is made of, shared out over processes; one process makes all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..data.progress import counting
from ..distributed.group import from_first, rank, size, wait
from .pieces import Pieces


@dataclass(frozen=True)
class Part:
    """A part of the outcome that is made at once.

    Args:
        section: of the outcome, where it goes.
        names: what it depends on beside what all parts do.
        make: makes it, JSON-ready.
        name: its key where the section is a mapping.
    """

    section: str
    names: tuple[object, ...]
    make: Callable[[], Any]
    name: str = ""


@dataclass(frozen=True)
class Group:
    """Parts that are measured on the same images, so that one process makes all of them; then these are forgotten."""

    parts: tuple[Part, ...]
    forget: Callable[[], None] = lambda: None


def made_together(groups: Sequence[Group], pieces: Pieces) -> list[tuple[tuple[str, str], Any]]:
    """Every part's section and name, in order, and what was made of it.

    Processes take the groups in turn and put what they make among the pieces. The first of them reads all from there;
    what it does not find, where it does not see another machine's folder, it makes itself.

    Args:
        groups: the same in all processes.
        pieces: where parts are kept.
    """
    with counting("evaluation", sum(len(group.parts) for group in groups[rank() :: size()])) as advance:
        for group in groups[rank() :: size()]:
            _each(group, pieces, advance)
    wait()
    return from_first(lambda: [made for group in groups for made in _each(group, pieces, lambda n: None)])


def _each(group: Group, pieces: Pieces, advance: Callable[[int], None]) -> list[tuple[tuple[str, str], Any]]:
    made = []
    for part in group.parts:
        made.append(((part.section, part.name), pieces.get(part.names, part.make)))
        advance(1)
    group.forget()
    return made

"""Causal links as they are written on a command line: "Young->Bald"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import QueryError, unknown

ARROWS = ("->", "→", ":")
SHAPE = '"Young->Bald" (in quotes), Young:Bald or Young→Bald'


@dataclass(frozen=True, order=True)
class Link:
    """An ordered pair of labels, edge or not: does the effect answer when the cause is flipped?

    Raises:
        QueryError: a label that would be its own cause.

    Example:
        >>> Link.parse("Young:Bald"), str(Link("Young", "Bald"))
        (Link(cause='Young', effect='Bald'), 'Young->Bald')
    """

    cause: str
    effect: str

    def __post_init__(self) -> None:
        if self.cause == self.effect:
            raise QueryError(f"the link {self}: a label is not its own cause")

    def __str__(self) -> str:
        return f"{self.cause}->{self.effect}"

    @classmethod
    def parse(cls, text: str) -> Link:
        """The link that a text means.

        Raises:
            QueryError: no link; explains what the shell made of an unquoted arrow.
        """
        text = text.strip()
        if not text.isprintable():
            raise QueryError(f"--link {text!r} holds a character that cannot be printed; write {SHAPE}")
        for arrow in ARROWS:
            cause, found, effect = (part.strip() for part in text.partition(arrow))
            if found and cause and effect and not any(a in effect for a in ARROWS):
                return cls(cause, effect)
        if text.endswith("-") and text[:-1].strip():
            raise QueryError(
                f"--link {text}: the shell took the > of an unquoted arrow for a redirection, and the effect for a "
                f'file to write to; quote it, as in --link "{text}>Bald", or write {text[:-1]}:Bald'
            )
        raise QueryError(f"--link {text!r} is no link; write {SHAPE}")

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse labels that a graph lacks.

        Raises:
            QueryError: names the label and the nearest.
        """
        for name in (self.cause, self.effect):
            if name not in nodes:
                raise QueryError(f"the link {self}: " + unknown("label", name, nodes))


def all_links(nodes: Sequence[str]) -> list[Link]:
    """Every ordered pair of different labels: 72 of nine."""
    return [Link(cause, effect) for cause in nodes for effect in nodes if cause != effect]

"""Parse conditions in English into attribute values; an ambiguous negation is an error.
A negation covers the next condition, and every item of a list joined by "or" or "nor".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..checks import as_names
from ..errors import QueryError, nearest
from .phrases import Condition, Reading, Walk
from .vocabulary import WORDS
from .words import FINITE, POSSESSIVE, ROLES, Token

Words = Mapping[str, tuple[str, int]]

_HINTS = 5  # stretches not understood for which near phrases are looked up


def vocabulary(attributes: Iterable[str] = ()) -> dict[str, tuple[str, int]]:
    """Return phrase -> (attribute, value) for CelebA's phrases and the given attribute names."""
    words = dict(WORDS)
    for name in as_names("attributes", attributes, QueryError):
        phrase = " ".join(name.lower().replace("_", " ").split())
        if not all(word in ROLES for word in phrase.split()):
            words.setdefault(phrase, (name, 1))
    return words


def read(text: str, tokens: Sequence[Token], words: Words = WORDS) -> Reading:
    """Parse tokens into a `Reading`; `settle` turns it into values or raises its problems."""
    return Walk(text, tokens, words).run()


def settle(text: str, reading: Reading, words: Words = WORDS) -> dict[str, int]:
    """Return the attribute values of a reading, or raise QueryError if it has a problem."""
    refuse_unknown(text, reading.unknown, words)
    if reading.problems:
        raise QueryError(reading.problems[0])
    said: dict[str, Condition] = {}
    for one in reading.conditions:
        first = said.setdefault(one.attribute, one)
        if first is not one:
            raise QueryError(_clash(text, first, one))
    return {name: one.value for name, one in said.items()}


def refuse_unknown(text: str, spans: Sequence[tuple[int, int]], words: Words = WORDS) -> None:
    """Raise QueryError if spans were not understood; show them and the nearest known phrases."""
    if not spans:
        return
    known = [phrase for phrase in (*words, *ROLES) if phrase.replace(" ", "").isalnum()]
    hints = []
    for start, end in spans[:_HINTS]:
        missed = text[start:end]
        close = nearest(missed, known) or [near for word in missed.split()[:_HINTS] for near in nearest(word, known, 1)]
        if close:
            hints.append(f"near {missed!r} there is {', '.join(repr(c) for c in close[:3])}")
    shown = ", ".join(repr(text[start:end]) for start, end in spans)
    advice = "; ".join(hints) or "conditions are words such as 'bald', 'young', 'a moustache', 'glasses', 'smiling'"
    raise QueryError(f"not understood: {shown}; {advice}")


def subject_end(tokens: Sequence[Token]) -> int:
    """Return the index where a sentence's subject ends: at its first finite verb or possessive."""
    return next((i for i, token in enumerate(tokens) if token.word in FINITE or token.word == POSSESSIVE), len(tokens))


def _clash(text: str, first: Condition, second: Condition) -> str:
    one, two = text[first.start : first.end], text[second.start : second.end]
    if first.value == second.value:
        return f"{one!r} and {two!r} say one thing twice: {first.attribute}={first.value}"
    return f"{one!r} and {two!r} contradict each other: one says {first.attribute}={first.value}, one {second.value}"

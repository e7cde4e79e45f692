"""Conditions in English, "an old man without glasses or a hat", read as attributes and their values.

Conditions follow one another, parted by "and", "but", commas or nothing; small words (articles, verbs, "with", "who")
are read over. A negation (not, no, without, never, lacking, n't) reaches the condition after it, and all of a list
that "or" or "nor" joins. "Not bald and old" could mean two things, and is an error that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..arguments import as_names
from ..attributes import WORDS
from ..errors import QueryError, nearest
from .function_words import FINITE, ROLES
from .phrases import Condition, Reading, Walk
from .tokens import POSSESSIVE, Token

Words = Mapping[str, tuple[str, int]]

_HINTS = 5  # stretches not understood for which near phrases are looked up


def vocabulary(attributes: Iterable[str] = ()) -> dict[str, tuple[str, int]]:
    """Phrase -> (attribute, value): CelebA's words, and the names of other attributes where they are plain words.

    Raises:
        QueryError: attributes that are no list of names.

    Example:
        >>> vocabulary(["Facial_Scar"])["facial scar"]
        ('Facial_Scar', 1)
    """
    words = dict(WORDS)
    for name in as_names("attributes", attributes, QueryError):
        phrase = " ".join(name.lower().replace("_", " ").split())
        if not all(word in ROLES for word in phrase.split()):
            words.setdefault(phrase, (name, 1))
    return words


def read(text: str, tokens: Sequence[Token], words: Words = WORDS) -> Reading:
    """The conditions that a stretch of English names.

    Args:
        text: what the tokens' spans refer to.
        tokens: the stretch, from `tokenize`.
        words: phrase -> (attribute, value), as from `vocabulary`.

    Returns:
        A `Reading`; `settle` turns it into values or raises what is wrong with it.

    Source: defined here.

    Example:
        >>> from causalcf.language.tokens import tokenize
        >>> text = "an old man without glasses or a hat"
        >>> settle(text, read(text, tokenize(text)))
        {'Young': 0, 'Male': 1, 'Eyeglasses': 0, 'Wearing_Hat': 0}
    """
    return Walk(text, tokens, words).run()


def settle(text: str, reading: Reading, words: Words = WORDS) -> dict[str, int]:
    """The values that a reading gives.

    Raises:
        QueryError: words not understood (shown, with the nearest that are), something said twice or contradicted, or a
            negation whose reach is unclear.
    """
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
    """Raise where a stretch was not understood, showing it as it stands, and the nearest phrases that are.

    Raises:
        QueryError: there is at least one.
    """
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
    """Where a sentence's subject ends: before its first finite verb, or before its possessive ("this woman's")."""
    return next((i for i, token in enumerate(tokens) if token.word in FINITE or token.word == POSSESSIVE), len(tokens))


def _clash(text: str, first: Condition, second: Condition) -> str:
    one, two = text[first.start : first.end], text[second.start : second.end]
    if first.value == second.value:
        return f"{one!r} and {two!r} say one thing twice: {first.attribute}={first.value}"
    return f"{one!r} and {two!r} contradict each other: one says {first.attribute}={first.value}, one {second.value}"

"""The vocabulary of one graph: its labels by their own names first, then by CelebA's words for the same things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..checks import as_names
from ..errors import QueryError, nearest
from .vocabulary import ASKING, HEADS, ROLES, SHAPE, WORDS, Words

UNCLEAR = -1  # in place of a value: the phrase could mean several labels
_HAS = frozenset(("has", "have", "having", "is", "wearing", "wears", "with"))
_LACKS = frozenset(("no", "not", "without"))
_SQUEEZED = {phrase.replace(" ", ""): phrase for phrase in WORDS}
_SHORT = 3  # letters of a word that is near to too many others
_HINTS = 5  # stretches not understood for which near phrases are looked up


def vocabulary(attributes: Iterable[str] = ()) -> dict[str, tuple[str, int]]:
    """Return phrase -> (label, value) for the given labels and for CelebA's phrases.

    A label is meant by its own name, else by what its name says ("scarf" by `has_scarf`), else by CelebA's words for
    the same ("woman" by `female`). Where several labels could be meant, the value is `UNCLEAR`.
    """
    tiers: tuple[dict[str, set[tuple[str, int]]], ...] = ({}, {}, {})
    same: dict[str, set[tuple[str, int]]] = {}  # CelebA's attribute -> (label, the attribute's value where it is 1)
    for name in as_names("attributes", attributes, QueryError):
        for tier, phrase, value in _phrases(name):
            if not all(word in ROLES for word in phrase.split()):
                tiers[tier].setdefault(phrase, set()).add((name, value))
                if phrase in WORDS:
                    same.setdefault(WORDS[phrase][0], set()).add((name, 1 - (value ^ WORDS[phrase][1])))
    for phrase, (attribute, value) in WORDS.items():
        tiers[2][phrase] = {(name, 1 - (value ^ one)) for name, one in same.get(attribute, {(attribute, 1)})}
    meant: dict[str, tuple[str, int]] = {}
    for phrase, options in (item for found in tiers for item in found.items()):
        unclear = " or ".join(sorted({repr(name) for name, _ in options})), UNCLEAR
        meant.setdefault(phrase, next(iter(options)) if len(options) == 1 else unclear)
    return meant


def _phrases(name: str) -> Iterator[tuple[int, str, int]]:
    """Yield 0, what a label is called, and 1; and 1, what its name says, and its value there."""
    for written in (name, re.sub("(?<=[a-z])(?=[A-Z])", " ", name)):  # "wearinghat" and "wearing hat"
        called = " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", written)).lower().split())
        for phrase in filter(None, (called, _SQUEEZED.get(called))):
            yield 0, phrase, 1
            first, *rest = phrase.split()
            if rest and first in _HAS | _LACKS:
                yield 1, " ".join(rest), int(first in _HAS)
            if rest and first in HEADS:  # "mouth closed"
                yield 1, " ".join((*rest, first)), 1
            if not rest and first.endswith("ing"):  # "frowning", "grinning", "smiling"
                stem = first.removesuffix("ing")
                short = stem[:-1] if stem[-2:-1] == stem[-1:] else stem
                for verb in (short, f"{short}s", f"{stem}ed", f"{stem}e", f"{stem}es"):
                    yield 1, verb, 1


def means(word: str, words: Words) -> Mapping[str, int]:
    """Return the label that a word means, and its value, unless it is unclear."""
    name, value = words[word]
    return {} if value == UNCLEAR else {name: value}


def refuse_unknown(text: str, spans: Sequence[tuple[int, int]], words: Words = WORDS) -> None:
    """Raise QueryError if spans were not understood; show them and the nearest known phrases."""
    if not spans:
        return
    hints = []
    for start, end in spans[:_HINTS]:
        missed = text[start:end]
        strange = [word for word in missed.split() if len(word) > _SHORT and word.lower() not in ASKING]
        close = nearest(missed, words) if strange == missed.split() else []
        close = close or [near for word in strange[:_HINTS] for near in nearest(word, words, 1)]
        if close:
            hints.append(f"near {missed!r} there is {', '.join(repr(c) for c in close[:3])}")
    shown = ", ".join(repr(text[start:end]) for start, end in spans)
    own = ", ".join(repr(phrase) for phrase in [*words][:_HINTS])  # a graph's own labels come first
    advice = "; ".join(hints) or f"conditions are words such as {own}"
    raise QueryError(f"not understood: {shown}; {advice}; ask for example {SHAPE}")

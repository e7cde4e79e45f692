"""Parser of conditions in English: phrases, the scope of negations, and the attribute values they state.
A negation covers the next condition, and every item of a list joined by "or" or "nor"; ambiguity is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..checks import as_names
from ..errors import QueryError, nearest
from .vocabulary import (
    FINITE,
    GERUNDS,
    HAVING,
    POSSESSIVE,
    POSSESSIVES,
    REMOVALS,
    ROLES,
    TO_BE,
    WORDS,
    Role,
    Token,
    Words,
)

_LONGEST_OTHER = 3  # words at the end of a phrase that is looked for before "of"
_UNIVERSAL = frozenset(("any", "anybody", "anyone"))  # before "but" they except
_STOPS = (Role.LEAD, Role.NOT, Role.PERSON, Role.BUT, Role.OR, Role.COMMA)


def _others(tokens: Sequence[Token], words: Words) -> Iterator[tuple[int, int]]:
    """Yield the text spans that may describe someone else, such as "with a man"."""
    said = [token.word for token in tokens]
    for i, word in enumerate(said):
        if word == POSSESSIVE:  # "a woman's smile"; but "a woman's face" has no other owner
            owned = i + 1 < len(said) and ROLES.get(said[i + 1]) is not Role.PERSON
            start = max(i - 1, 0) if owned else i
        elif word == "of":  # "the smile of a woman"; but "a photo of a woman" shows her
            start = i - 1 if any(" ".join(said[k:i]) in words for k in range(max(i - _LONGEST_OTHER, 0), i)) else i
        elif word == "but":
            start = 0 if _excepts(said, i) else i
        else:
            start = _owner(said, i) if words.get(word, ("", 0))[0] == "Male" else i
        if start < i:
            yield tokens[start].start, tokens[i].end


def _excepts(said: Sequence[str], i: int) -> bool:
    """Return whether "but" makes an exception, as in "anyone but a woman", and not a contrast."""
    following = said[i + 1 : i + 2]
    if not i or not following or following[0] in FINITE or ROLES.get(following[0]) in (Role.NOT, Role.LEAD):
        return False
    return not _UNIVERSAL.isdisjoint(said[:i]) or all(word in ROLES for word in said[:i])


def _owner(said: Sequence[str], noun: int) -> int:
    """Return the index of the word that makes a noun for a man or woman someone else, or `noun`."""
    for j in range(noun - 1, -1, -1):
        role = ROLES.get(said[j])
        if said[j] in HAVING or said[j] in POSSESSIVES or said[j] == POSSESSIVE:
            return j
        if role is Role.ARTICLE:
            if said[max(j - 2, 0) : j] == ["face", "of"]:  # "had the face of a woman"
                start = _owner(said, j - 2)
                return start if start < j - 2 else noun
            return j - 1 if j and said[j - 1] in HAVING else noun
        if role in _STOPS or (role is Role.AND and j == noun - 1):
            return noun
    return noun


_LONGEST = 6  # words in a phrase
_LONGEST_FUNCTION = 3
_PLAIN = frozenset(("not", "never", "neither"))  # negations of the next word alone, where no article follows
_INSTEAD = frozenset(("instead", "rather"))  # first words of negations that name what comes in another's place


@dataclass(frozen=True)
class Condition:
    """One attribute's value, and the text span that states it."""

    attribute: str
    value: int
    start: int
    end: int


@dataclass
class Reading:
    """Parse result of a text: conditions, spans not understood, and problems."""

    conditions: list[Condition] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass
class _Negation:
    """Negation that waits for its condition, or whose scope is still open after it."""

    word: str
    start: int
    odd: bool = True
    gerund: bool = False
    crossed: bool = False
    waiting: list[int] = field(default_factory=list)


class Walk:
    """Parser that turns tokens into a `Reading` in one pass."""

    def __init__(self, text: str, tokens: Sequence[Token], words: Words) -> None:
        self.text, self.tokens, self.words = text, tokens, words
        self.found = Reading()
        self.negation: _Negation | None = None  # met, its condition still to come
        self.scope: _Negation | None = None  # has its condition, and may reach further
        self.joint: Role | None = None  # COMMA, AND or OR since the last condition
        self.led = False  # a verb or preposition since the last joint or condition
        self.article = False  # an article since then

    def run(self) -> Reading:
        for start, end in _others(self.tokens, self.words):
            why = "it may speak of somebody else; say what the person themselves is or has"
            self._problem(repr(self.text[start:end]), why)
        i = 0
        while i < len(self.tokens):
            self._verb(self.tokens[i].word)
            i = self._phrase(i) or self._quality(i) or self._function(i) or self._not_understood(i)
        self._close_negation()
        self._close_scope()
        return self.found

    def _said(self, i: int, n: int) -> str:
        return " ".join(token.word for token in self.tokens[i : i + n]) if i + n <= len(self.tokens) else ""

    def _verb(self, word: str) -> None:
        """Update the pending negation at a verb or preposition."""
        gerund = word in GERUNDS
        verb = gerund or word in FINITE or ROLES.get(word) in (Role.LEAD, Role.NOT)
        if verb and self.negation and self.negation.word in REMOVALS and not self.negation.crossed:
            self._close_negation()  # what was removed stands before it: "his beard shaved off wearing a hat"
        if gerund and self.negation:
            self.negation.gerund = True

    def _goes_on(self, word: str) -> bool:
        """Return whether a word continues a negated list: "stopped smiling and wearing glasses"."""
        return self.scope is not None and self.scope.gerund and word in GERUNDS

    def _phrase(self, i: int) -> int | None:
        for n in range(_LONGEST, 0, -1):
            phrase = self._said(i, n)
            if phrase in self.words:
                first = self.tokens[i].word
                attribute, value = self.words[phrase]
                led = first in FINITE or ROLES.get(first) is Role.LEAD
                self._condition(attribute, value, i, i + n, led and not self._goes_on(first))
                if first == "no" and self.scope is None:  # "no beard", and perhaps "or moustache"
                    self.scope = _Negation(first, self.tokens[i].start)
                return i + n
        return None

    def _quality(self, i: int) -> int | None:
        """Parse an attribute's noun before its adjective: "mouth were not open"."""
        if self._said(i + 1, 1) not in TO_BE:
            return None
        negated = self._said(i + 2, 1) == "not"
        j = i + 2 + negated
        for n in range(_LONGEST - 1, 0, -1):
            phrase = f"{self._said(j, n)} {self.tokens[i].word}"
            if phrase in self.words:
                attribute, value = self.words[phrase]
                self._condition(attribute, value ^ negated, i, j + n, True)
                return j + n
        return None

    def _function(self, i: int) -> int | None:
        for n in range(_LONGEST_FUNCTION, 0, -1):
            role = ROLES.get(self._said(i, n))
            if role is not None:
                self._apply(role, self.tokens[i])
                return i + n
        return None

    def _not_understood(self, i: int) -> int:
        token, previous = self.tokens[i], self.tokens[i - 1] if i else None
        spans = self.found.unknown
        if spans and previous and spans[-1][1] == previous.end:
            spans[-1] = (spans[-1][0], token.end)
        else:
            spans.append((token.start, token.end))
        self.negation = None  # what it negates is what was not understood
        return i + 1

    def _apply(self, role: Role, token: Token) -> None:
        if role is Role.ARTICLE:
            self.article = True
            if self.negation:
                self.negation.crossed = True
        elif role is Role.LEAD and not self._goes_on(token.word):
            if self.joint is Role.OR and self.scope:  # "did not wear glasses or had a moustache"
                self._problem(f"{token.word!r} after 'or'", "conditions are joined by 'and'")
            self._close_scope()
            self.led = True
        elif role is Role.NOT:
            self._negate(token)
        elif role is Role.PERSON:
            self._refuse_nobody(token)
        elif role in (Role.AND, Role.BUT, Role.COMMA, Role.OR):
            self._join(role, token)

    def _negate(self, token: Token) -> None:
        if self.joint is Role.OR:
            self._problem(f"{token.word!r} after 'or'", "conditions are joined by 'and'")
        denied = self.negation or self.scope
        if denied and (token.word in _INSTEAD or self._goes_on(token.word)):  # "did not smile instead of being old"
            self._two_ways(denied, token.end)
        self._close_scope()
        if self.negation:
            self.negation.odd = not self.negation.odd
        else:
            self.negation = _Negation(token.word, token.start)
        self.joint, self.led = None, True

    def _refuse_nobody(self, token: Token) -> None:
        nobody = self.scope if self.scope and self.scope.word == "no" and self.joint is None else None
        denied = self.negation or nobody
        if denied:
            shown = repr(self.text[denied.start : token.end])
            self._problem(shown, "it describes nobody; say what the person is or has")
            self.negation = None

    def _join(self, role: Role, token: Token) -> None:
        self._close_negation()
        self.led = self.article = False
        if role is Role.BUT:
            self._close_scope()
        elif role is Role.OR and not self.scope:
            self._problem(repr(token.word), "alternatives cannot be asked for; conditions are joined by 'and'")
        elif role is not Role.COMMA or self.joint is None:
            self.joint = role

    def _condition(self, attribute: str, value: int, i: int, j: int, led: bool) -> None:
        end = self.tokens[j - 1].end
        if self.joint is Role.OR and self.scope:
            value ^= 1
            for k in self.scope.waiting:
                one = self.found.conditions[k]
                self.found.conditions[k] = replace(one, value=one.value ^ 1)
            self.scope.waiting.clear()
        elif self.negation:
            value ^= self.negation.odd
            self.scope = self.negation if self.negation.odd else None
            if self.negation.word == "no" and attribute == "Male":
                self._problem(repr(self.text[self.negation.start : end]), "it describes nobody")
        elif led or self.led or (self.scope and self.scope.word == "no" and self.article):
            self._close_scope()  # "no beard and a moustache": each noun has a word of its own
        elif self.scope and self.joint is Role.COMMA:
            self.scope.waiting.append(len(self.found.conditions))
        elif self.scope and (self.joint is Role.AND or self.scope.crossed or self.scope.word not in _PLAIN):
            self._two_ways(self.scope, end)
        else:
            self.scope = None
        self.found.conditions.append(Condition(attribute, value, self.tokens[i].start, end))
        self.negation, self.joint = None, None
        self.led = self.article = False

    def _close_negation(self) -> None:
        if self.negation:
            self._problem(repr(self.negation.word), "nothing follows that it could negate")
            self.negation = None

    def _close_scope(self) -> None:
        if self.scope and self.scope.waiting:
            self._two_ways(self.scope, self.found.conditions[-1].end)
        self.scope = None

    def _two_ways(self, scope: _Negation, end: int) -> None:
        advice = "compare 'young and not bald' with 'neither bald nor young'"
        why = f"what {scope.word!r} negates can be read in two ways; {advice}"
        self._problem(repr(self.text[scope.start : end]), why)
        scope.waiting.clear()

    def _problem(self, shown: str, why: str) -> None:
        self.found.problems.append(f"{shown}: {why}")


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

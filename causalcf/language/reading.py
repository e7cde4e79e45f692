"""Parser of conditions in English: phrases, the scope of negations, and the attribute values they state.
A negation covers the next condition, and every item of a list joined by "or" or "nor"; ambiguity is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ..errors import QueryError
from . import vocabulary as v
from .clauses import join_particles, others
from .names import UNCLEAR, refuse_unknown
from .vocabulary import ROLES, WORDS, Kind, Role, Token, Words, kind

_LONGEST_FUNCTION = 3
_PLAIN = frozenset(("not", "never", "neither", "non"))  # negations of the next word alone, where no article follows
_INSTEAD = frozenset(("instead", "rather"))  # first words of negations that name what comes in another's place


@dataclass(frozen=True)
class Condition:
    """One attribute's value, and the text span that states it."""

    attribute: str
    value: int
    start: int
    end: int
    phrase: str  # of the vocabulary
    instead: bool  # said to be replaced: "instead of a woman"


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
        self.text, self.tokens, self.words = text, join_particles(tokens, words), words
        self.found = Reading()
        self.negation: _Negation | None = None  # met, its condition still to come
        self.scope: _Negation | None = None  # has its condition, and may reach further
        self.joint: Role | None = None  # v.COMMA, AND or OR since the last condition
        self.led = False  # a verb or preposition since the last joint or condition
        self.article = False  # an article since then
        self.having = False  # a verb or preposition since then that things follow, not adjectives
        self.last: tuple[Kind, int, int] | None = None  # the last condition's kind and its tokens
        self.about: str | None = None  # the thing that a verb speaks of: "her hat is ..."

    def run(self) -> Reading:
        for start, end in others(self.tokens):
            why = "it may speak of somebody else; say what the person themselves is or has"
            self._problem(repr(self.text[start:end]), why)
        i = 0
        while i < len(self.tokens):
            self._verb(self.tokens[i].word)
            i = self._quality(i) or self._phrase(i) or self._function(i) or self._not_understood(i)
        self._close_negation()
        self._close_lead()
        self._close_scope()
        return self.found

    def _said(self, i: int, n: int) -> str:
        return " ".join(token.word for token in self.tokens[i : i + n]) if i + n <= len(self.tokens) else ""

    def _verb(self, word: str) -> None:
        """Update the pending negation at a verb or preposition."""
        gerund = word in v.GERUNDS
        verb = gerund or word in v.FINITE or ROLES.get(word) in (Role.LEAD, Role.NOT)
        if verb and self.negation and self.negation.word in v.REMOVALS and not self.negation.crossed:
            self._close_negation()  # what was removed stands before it: "his beard shaved off wearing a hat"
        if gerund and self.negation:
            self.negation.gerund = True

    def _goes_on(self, word: str) -> bool:
        """Return whether a word continues a negated list: "stopped smiling and wearing glasses"."""
        return self.scope is not None and self.scope.gerund and word in v.GERUNDS

    def _phrase(self, i: int) -> int | None:
        for n in range(v.LONGEST, 0, -1):
            phrase = self._said(i, n)
            first, *rest = phrase.split(" ")
            if len(rest) > 1 and rest[0] in v.POSSESSIVES | {"the"}:  # "opened her mouth"
                phrase = " ".join((first, *rest[1:]))
            phrase = v.COMPARISONS.get(phrase, phrase)
            if phrase in self.words:
                denies = first == "no"  # "no beard" denies a beard, and perhaps what follows "or"
                if denies:
                    self._negate(self.tokens[i])
                led = first in v.FINITE or ROLES.get(first) is Role.LEAD
                self._condition(phrase, denies, i, i + n, led and not self._goes_on(first))
                return i + n
        return None

    def _quality(self, i: int) -> int | None:
        """Parse an attribute's noun before its adjective: "mouth were not open", "dyed her hair black"."""
        dyed = self._said(i, 1) == "dyed" and self._said(i + 1, 1) in v.POSSESSIVES
        noun = i + 2 * dyed
        be = not dyed and self._said(noun + 1, 1) in v.COPULAS
        negated = be and self._said(noun + 2, 1) == "not"
        j = noun + 1 + be + negated
        for n in range(v.LONGEST - 1, 0, -1) if self._said(noun, 1) in v.HEADS else ():
            phrase = f"{self._said(j, n)} {self.tokens[noun].word}"
            if self._said(j, n) and phrase in self.words:
                self._condition(phrase, negated, i, j + n, True)
                return j + n
        return None

    def _function(self, i: int) -> int | None:
        for n in range(_LONGEST_FUNCTION, 0, -1):
            said = self._said(i, n)
            role = ROLES.get(said)
            if role is not None:
                if self.last and self.last[0] in (Kind.THING, Kind.OWN):  # "her hat is ...", "a hat that is ..."
                    before = i - (self.tokens[i - 1].word == v.COMMA)
                    if self.last[2] == (i if said in v.COPULAS else before) and said in v.COPULAS | {"that", "which"}:
                        self.about = self._text(self.last[1], self.last[2])
                if role is Role.LEAD or said in ("have", "wear"):
                    self.having = said in v.HAVING - {"got"} or said.startswith("put")
                elif role is Role.NOT and said != "not":
                    self.having = said != "no longer" and self.tokens[i].word not in v.DENIALS
                self._apply(role, self.tokens[i])
                return i + n
        return None

    def _text(self, i: int, j: int) -> str:
        return repr(self.text[self.tokens[i].start : self.tokens[j - 1].end])

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
        if role is not Role.COMMA:
            self._close_lead()
            self.about = None
        self.led = self.article = self.having = False
        if role is Role.BUT:
            self._close_scope()
        elif role is Role.OR and not self.scope:
            self._problem(repr(token.word), "alternatives cannot be asked for; conditions are joined by 'and'")
        elif role is not Role.COMMA or self.joint is None:
            self.joint = role

    def _condition(self, phrase: str, flipped: bool, i: int, j: int, led: bool) -> None:
        attribute, value = self.words[phrase]
        if value == UNCLEAR:
            self._problem(
                self._text(i, j),
                f"it could mean the label {attribute}; say the name of the one you mean, or ask by --given and --if",
            )
            value = 0
        value ^= flipped
        self._check_noun(phrase, i, j)
        end = self.tokens[j - 1].end
        negation = self.scope if self.joint is Role.OR else self.negation
        if self.joint is Role.OR and self.scope:
            value ^= 1
            for k in self.scope.waiting:
                one = self.found.conditions[k]
                self.found.conditions[k] = replace(one, value=one.value ^ 1)
            self.scope.waiting.clear()
        elif self.negation:
            value ^= self.negation.odd
            self.scope = self.negation if self.negation.odd else None
            if self.negation.word not in v.DENIALS and phrase in v.SEXED:
                self._problem(repr(self.text[self.negation.start : end]), "it describes nobody")
        elif led or self.led or (self.scope and self.scope.word == "no" and self.article):
            self._close_scope()  # "no beard and a moustache": each noun has a word of its own
        elif self.scope and self.joint is Role.COMMA:
            self.scope.waiting.append(len(self.found.conditions))
        elif self.scope and (self.joint is Role.AND or self.scope.crossed or self.scope.word not in _PLAIN):
            self._two_ways(self.scope, end)
        else:
            self.scope = None
        instead = negation is not None and negation.word in _INSTEAD
        self.found.conditions.append(Condition(attribute, value, self.tokens[i].start, end, phrase, instead))
        self.negation, self.joint = None, None
        self.led = self.article = False
        self.last = kind(phrase), i, j
        self.having = self.having and self.last[0] is Kind.QUALITY

    def _check_noun(self, phrase: str, i: int, j: int) -> None:
        """Refuse what is said of a thing: "old glasses", "her hat is old", "wore old"."""
        this, last = kind(phrase), self.last
        beside = last if last and last[2] == i and last[0] is not Kind.PERSON else None
        after = self._said(j, 1)
        goes_on = ROLES.get(after) is Role.PERSON or any(self._said(j, n) in self.words for n in range(1, v.LONGEST))
        quality = this is Kind.QUALITY and not phrase.endswith("ing") and phrase not in v.FINITE
        thing = this is Kind.THING or (this is Kind.OWN and not goes_on)  # "an old hat", but "a young tall woman"
        why = f"it is said of {self.about or 'a thing'}; only the person can be described"
        pictured = after in ("photo", "picture") and not phrase.startswith("blur")
        if self.about or pictured or (self.having and quality and not goes_on and not beside):
            self._problem(self._text(i, j), why)
        elif beside and (thing or (quality and beside[0] is Kind.THING)):  # "his hat old"
            self._problem(self._text(beside[1], j), why)

    def _close_negation(self) -> None:
        if self.negation:
            self._problem(repr(self.negation.word), "nothing follows that it could negate")
            self.negation = None

    def _close_lead(self) -> None:
        if self.led and self.last and (self.about or self.last[0] is Kind.THING):  # "his beard was gone"
            self._problem(self._text(self.last[1], self.last[2]), "what is said of it is not understood")

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


def read(text: str, tokens: Sequence[Token], words: Words = WORDS) -> Reading:
    """Parse tokens into a `Reading`; `settle` turns it into values or raises its problems."""
    return Walk(text, tokens, words).run()


def settle(
    text: str, reading: Reading, words: Words = WORDS, known: Mapping[str, int] = MappingProxyType({})
) -> dict[str, int]:
    """Return the attribute values of a reading, or raise QueryError if it has a problem.

    `known` is what was so before: what "instead of" replaces, and what "older" compares with.
    """
    refuse_unknown(text, reading.unknown, words)
    if reading.problems:
        raise QueryError(reading.problems[0])
    said: dict[str, Condition] = {}
    for one in sorted(reading.conditions, key=lambda one: one.instead):
        first, shown = said.setdefault(one.attribute, one), text[one.start : one.end]
        if first is not one and not (one.instead and not first.instead and one.value == first.value):
            raise QueryError(_clash(text, first, one))
        before = known.get(one.attribute)
        if one.instead and first is one:
            fits = one.phrase not in v.SEXED and before != one.value
        else:
            fits = shown.lower() not in v.COMPARISONS or 1 - one.value == before != words[one.phrase][1]
        if not fits:
            say = repr(v.COMPARISONS.get(shown.lower(), "not ..."))
            raise QueryError(f"{shown!r} does not fit what is given; say what the person is or has, such as {say}")
    return {one.attribute: said[one.attribute].value for one in reading.conditions}


def _clash(text: str, first: Condition, second: Condition) -> str:
    one, two = text[first.start : first.end], text[second.start : second.end]
    if first.value == second.value:
        return f"{one!r} and {two!r} say one thing twice: {first.attribute}={first.value}"
    return f"{one!r} and {two!r} contradict each other: one says {first.attribute}={first.value}, one {second.value}"

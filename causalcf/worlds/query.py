"""Counterfactual questions about a face: who is given, and what is supposed of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import QueryError, unknown
from ..language import (
    Token,
    describe,
    predicate,
    pronoun,
    read,
    refuse_unknown,
    settle,
    subject_end,
    tokenize,
    vocabulary,
)
from ..language.function_words import POSSESSIVES, RELATIVE, SEX, SUBJECTS
from ..language.phrases import Reading
from ..language.tokens import COMMA

SHAPE = '"Given a woman, what if she had a moustache?" or "What if this woman had a moustache?"'
MODES = ("do", "observe")

_OPENERS = ("given", "for", "take", "consider")
_ASKS = (("what", "would", "happen"), ("what",))  # before "if"
# What turns an antecedent into an observation: before its subject, and after it.
_SEEN = {"see", "saw", "seen", "observe", "observed", "noticed", "learned", "learnt", "found", "discovered"}
_AFTER_SUBJECT = [("turned", "out", "to"), ("proved", "to")]
_AFTER_SUBJECT += [(be, seen, "to") for be in ("was", "were") for seen in ("seen", "observed", "found")]


@dataclass(frozen=True)
class Query:
    """A counterfactual question.

    Args:
        given: attribute -> 0 or 1, what is known of the actual face; empty for any face.
        antecedent: attribute -> 0 or 1, what is supposed of the same face; at least one.
        mode: "do", the antecedent is set by intervention, or "observe", it is found to be so.

    Raises:
        QueryError: nothing supposed, a value other than 0 and 1, or another mode.

    Source: defined here; the two modes as in Lucas and Kemp (2015).

    Example:
        >>> query = Query.parse("Given a young man with glasses, what if he weren't young?")
        >>> query
        Query(given={'Young': 1, 'Male': 1, 'Eyeglasses': 1}, antecedent={'Young': 0}, mode='do')
        >>> print(query)
        Given a young man with glasses, what if he were old?
    """

    given: dict[str, int]
    antecedent: dict[str, int]
    mode: str = "do"

    def __post_init__(self) -> None:
        object.__setattr__(self, "given", zeros_and_ones("given", self.given))
        object.__setattr__(self, "antecedent", zeros_and_ones("antecedent", self.antecedent))
        if not self.antecedent:
            raise QueryError(f"nothing is supposed; ask for example {SHAPE}")
        if self.mode not in MODES:
            raise QueryError(unknown("mode", str(self.mode), MODES))

    @classmethod
    def parse(cls, text: str, attributes: Iterable[str] = ()) -> Query:
        """The question that an English sentence asks.

        Two orders of words are read. "Given <someone>, what if <pronoun> <predicate>?", and "What if <someone>
        <predicate>?" with a verb between the two. The pronoun refers to whom was given, and must agree; "they" always
        does. "What if we saw (observed, learned) that ...", "it turned out that ..." and "... turned out to ..." make
        the antecedent an observation, all else an intervention. Conditions and negations are read as
        `causalcf.language.read` tells.

        Args:
            text: at most 2,000 characters.
            attributes: names that may be said beside CelebA's, as plain words: "Facial_Scar" as "a facial scar".

        Raises:
            QueryError: shows what was not understood and the nearest that is, or says what cannot be meant.
        """
        tokens, words = tokenize(text), vocabulary(attributes)
        before, after = _halves(text, tokens)
        observed, after = _without_preamble(after)
        subject, predicate_ = _subject(after)
        observed_too, predicate_ = _without_marker(predicate_)
        described, named, supposed = (read(text, part, words) for part in (before, subject, predicate_))
        refuse_unknown(text, [*described.unknown, *named.unknown, *supposed.unknown], words)
        _check_subject(text, subject, after)
        given = settle(text, _together(described, named), words)
        antecedent = settle(text, supposed, words)
        _check_pronouns(given, [token.word for token in (*before, *after) if token.word in SEX])
        if not antecedent:
            raise QueryError(f"nothing is supposed after 'if'; ask for example {SHAPE}")
        return cls(given, antecedent, "observe" if observed or observed_too else "do")

    def __str__(self) -> str:
        """The question in English; parsing it gives the query back, for CelebA's attributes."""
        seen = "we observed that " if self.mode == "observe" else ""
        return f"Given {describe(self.given)}, what if {seen}{pronoun(self.given)} {predicate(self.antecedent)}?"

    def as_mode(self, mode: str) -> Query:
        """The same question, the antecedent set ("do") or found ("observe")."""
        return replace(self, mode=mode)

    def check(self, nodes: Sequence[str], where: str = "the graph") -> None:
        """Refuse attributes that a graph lacks.

        Raises:
            QueryError: names the attribute, the nearest in the graph, and all that the graph has.
        """
        for name in (*self.given, *self.antecedent):
            if name not in nodes:
                raise QueryError(f"{where} has no such label: " + unknown("attribute", name, nodes))


def zeros_and_ones(what: str, values: Mapping[str, int]) -> dict[str, int]:
    """A copy of attributes' values, each 0 or 1.

    Args:
        what: they are, for the error's sentence.
        values: attribute -> 0 or 1.

    Raises:
        QueryError: no mapping, a name that is none, or another value.

    Example:
        >>> zeros_and_ones("given", {"Male": True})
        {'Male': 1}
    """
    if not isinstance(values, Mapping):
        raise QueryError(f"{what}={values!r}: expected a mapping such as {{'Male': 0}}")
    for name, value in values.items():
        if not isinstance(name, str) or not name:
            raise QueryError(f"{what}: {name!r} is not an attribute's name")
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise QueryError(f"{what}: {name}={value!r}; expected 0 or 1")
    return {name: int(value) for name, value in values.items()}


def _halves(text: str, tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """What stands before "what if", and what stands after it."""
    words = [token.word for token in tokens]
    if "if" not in words:
        shown = text if len(text) <= 100 else text[:97] + "..."
        raise QueryError(f"no 'what if' in {shown!r}; ask for example {SHAPE}")
    middle = words.index("if")
    starts = (middle - len(ask) for ask in _ASKS if tuple(words[max(middle - len(ask), 0) : middle]) == ask)
    start = next(starts, middle)
    before = tokens[:start]
    while before and before[-1].word == COMMA:
        before = before[:-1]
    if before and before[0].word in _OPENERS:
        before = before[1:]
    return before, tokens[middle + 1 :]


def _without_preamble(tokens: list[Token]) -> tuple[bool, list[Token]]:
    """Cut "we saw that" or "it turned out that" off the front; whether there was one."""
    words = [token.word for token in tokens]
    i = 0
    if words[:1] == ["we"]:
        i = 1 + (words[1:2] == ["had"])
        if not (words[i : i + 1] and words[i] in _SEEN):
            return False, tokens
        i += 1 + (words[i + 1 : i + 2] == ["out"])
    elif words[:3] == ["it", "turned", "out"]:
        i = 3
    return i > 0, tokens[i + (i > 0 and words[i : i + 1] == ["that"]) :]


def _without_marker(tokens: list[Token]) -> tuple[bool, list[Token]]:
    """Cut "turned out to" off the front; whether it was there."""
    for marker in _AFTER_SUBJECT:
        if tuple(token.word for token in tokens[: len(marker)]) == marker:
            return True, tokens[len(marker) :]
    return False, tokens


def _subject(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """A noun phrase and its predicate. A pronoun is no noun phrase, nor has "her mouth were open" one."""
    if tokens and tokens[0].word in SUBJECTS:
        return [], tokens[1:]
    if tokens and tokens[0].word in POSSESSIVES:
        return [], tokens
    end = subject_end(tokens)
    return tokens[:end], tokens[end:]


def _check_subject(text: str, subject: list[Token], after: list[Token]) -> None:
    words = [token.word for token in subject]
    relative = [word for i, word in enumerate(words) if word in RELATIVE or (word == "that" and i)]
    if relative:
        advice = f"begin with 'Given someone {relative[0]} ..., what if they ...'"
        raise QueryError(f"{relative[0]!r} after 'what if' hides where the subject ends; {advice}")
    if subject and len(subject) == len(after):
        shown = text[subject[0].start : subject[-1].end]
        raise QueryError(f"{shown!r} has no verb such as were, had or wore; ask for example {SHAPE}")


def _together(described: Reading, named: Reading) -> Reading:
    """The given face as described before "what if" and named again after it; repeating is no mistake there."""
    known = {one.attribute: one.value for one in described.conditions}
    new = [one for one in named.conditions if known.get(one.attribute) != one.value]
    return Reading([*described.conditions, *new], problems=[*described.problems, *named.problems])


def _check_pronouns(given: Mapping[str, int], pronouns: Sequence[str]) -> None:
    for word in pronouns:
        noun = "a man" if SEX[word] else "a woman"
        if "Male" not in given:
            raise QueryError(f"{word!r} refers to {noun}, and none is given; begin with 'Given {noun}', or say 'they'")
        if given["Male"] != SEX[word]:
            other = "a woman" if SEX[word] else "a man"
            raise QueryError(f"{word!r} does not refer to {other}, who is given; say {pronoun(given)!r} or 'they'")

"""Counterfactual questions about a face: the given facts, the antecedent, and the mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import QueryError, unknown
from .reading import Reading, read, refuse_unknown, settle, subject_end, vocabulary
from .vocabulary import COMMA, POSSESSIVES, RELATIVE, SEX, SUBJECTS, Token, tokenize
from .wording import describe, predicate, pronoun

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
    """Counterfactual question about a face.

    Args:
        given: attribute -> 0 or 1, the facts about the actual face; empty for any face.
        antecedent: attribute -> 0 or 1, the values in the counterfactual world; at least one.
        mode: "do": the antecedent is an intervention; "observe": the antecedent is an observation.

    Raises:
        QueryError: the antecedent is empty, a value is not 0 or 1, or the mode is unknown.

    Source: defined here; the two modes as in Lucas and Kemp (2015).

    Examples:
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
        """Parse an English question.

        Two forms are understood: "Given <someone>, what if <pronoun> <predicate>?", and "What if <someone>
        <predicate>?". The second form needs a verb after <someone>. The pronoun refers to the given person and must
        agree; "they" always agrees. "What if we saw (observed, learned) that ...", "it turned out that ..." and "...
        turned out to ..." make the antecedent an observation. Every other form makes it an intervention. Conditions and
        negations are parsed as by `read`.

        Args:
            text: at most 2,000 characters.
            attributes: names that the text may use in addition to CelebA's, as plain words: "Facial_Scar" as "a facial
                scar".

        Raises:
            QueryError: a part was not understood (the message shows it and the nearest known words), or the question
                contradicts itself or lacks a part.
        """
        tokens, words = tokenize(text), vocabulary(attributes)
        before, after = _halves(text, tokens)
        observed, after = _without_preamble(after)
        subject, predicate_ = split_subject(after)
        observed_too, predicate_ = _without_marker(predicate_)
        described, named, intervention = (read(text, part, words) for part in (before, subject, predicate_))
        refuse_unknown(text, [*described.unknown, *named.unknown, *intervention.unknown], words)
        _check_subject(text, subject, after)
        given = settle(text, _together(described, named), words)
        antecedent = settle(text, intervention, words)
        _check_pronouns(given, [token.word for token in (*before, *after) if token.word in SEX])
        if not antecedent:
            raise QueryError(f"nothing is supposed after 'if'; ask for example {SHAPE}")
        return cls(given, antecedent, "observe" if observed or observed_too else "do")

    def __str__(self) -> str:
        """Return the question in English; for CelebA's attributes, parsing it gives the query back."""
        seen = "we observed that " if self.mode == "observe" else ""
        return f"Given {describe(self.given)}, what if {seen}{pronoun(self.given)} {predicate(self.antecedent)}?"

    def as_mode(self, mode: str) -> Query:
        """Return the same question with the antecedent as an intervention ("do") or an observation ("observe")."""
        return replace(self, mode=mode)

    def check(self, nodes: Sequence[str], where: str = "the graph") -> None:
        """Check that a graph has all attributes of the question.

        Raises:
            QueryError: the graph lacks an attribute; the message names it, the nearest one, and all that the graph has.
        """
        for name in (*self.given, *self.antecedent):
            if name not in nodes:
                raise QueryError(f"{where} has no such label: " + unknown("attribute", name, nodes))


def zeros_and_ones(what: str, values: Mapping[str, int]) -> dict[str, int]:
    """Return a copy of a mapping from attribute to 0 or 1; `what` names it in the error."""
    if not isinstance(values, Mapping):
        raise QueryError(f"{what}={values!r}: expected a mapping such as {{'Male': 0}}")
    for name, value in values.items():
        if not isinstance(name, str) or not name:
            raise QueryError(f"{what}: {name!r} is not an attribute's name")
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise QueryError(f"{what}: {name}={value!r}; expected 0 or 1")
    return {name: int(value) for name, value in values.items()}


def shown(text: str) -> str:
    """Return a text as error messages quote it."""
    return repr(text if len(text) <= 100 else text[:97] + "...")


def _halves(text: str, tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """Return the tokens before "what if" and the tokens after it."""
    words = [token.word for token in tokens]
    if "if" not in words:
        raise QueryError(f"no 'what if' in {shown(text)}; ask for example {SHAPE}")
    middle = words.index("if")
    starts = (middle - len(ask) for ask in _ASKS if tuple(words[max(middle - len(ask), 0) : middle]) == ask)
    start = next(starts, middle)
    before = tokens[:start]
    while before and before[-1].word == COMMA:
        before.pop()
    if before and before[0].word in _OPENERS:
        before = before[1:]
    return before, tokens[middle + 1 :]


def _without_preamble(tokens: list[Token]) -> tuple[bool, list[Token]]:
    """Remove a leading "we saw that" or "it turned out that"; return whether there was one."""
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
    """Remove a leading "turned out to"; return whether there was one."""
    for marker in _AFTER_SUBJECT:
        if tuple(token.word for token in tokens[: len(marker)]) == marker:
            return True, tokens[len(marker) :]
    return False, tokens


def split_subject(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """Split a noun phrase from its predicate; a pronoun or possessive gives no noun phrase."""
    first = tokens[0].word if tokens else ""
    if first in SUBJECTS:
        return [], tokens[1:]
    end = 0 if first in POSSESSIVES else subject_end(tokens)
    return tokens[:end], tokens[end:]


def _check_subject(text: str, subject: list[Token], after: list[Token]) -> None:
    words = [token.word for token in subject]
    relative = [word for i, word in enumerate(words) if word in RELATIVE or (word == "that" and i)]
    if relative:
        advice = f"begin with 'Given someone {relative[0]} ..., what if they ...'"
        raise QueryError(f"{relative[0]!r} after 'what if' hides where the subject ends; {advice}")
    if subject and len(subject) == len(after):
        whole = text[subject[0].start : subject[-1].end]
        raise QueryError(f"{whole!r} has no verb such as were, had or wore; ask for example {SHAPE}")


def _together(described: Reading, named: Reading) -> Reading:
    """Merge the description before "what if" with the subject after it; repetition is allowed."""
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

"""Counterfactual questions about a face: the given facts, the antecedent, and the mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..checks import as_names
from ..errors import QueryError, unknown
from .clauses import split_question
from .names import means, refuse_unknown, vocabulary
from .reading import Reading, read, settle
from .vocabulary import SEX, SHAPE, Words, tokenize
from .wording import describe, predicate, pronoun

MODES = ("do", "observe")


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

        The forms are "Given <someone>, what if <pronoun> <predicate>?", "What if <someone> <predicate>?", "What would
        <someone> look like with ...?", "Would <someone> ... if ...?" and orders such as "Make him smile". The text
        after "would" does not change the query. A pronoun must agree with the person who is given. If nobody is given,
        "he" and "she" give the sex, if `attributes` have a label for it. "What if we saw (observed, learned) that ...",
        "it turned out that ..." and "... turned out to ..." make the antecedent an observation. Every other form makes
        it an intervention. All words must be known. An adjective of a thing ("old glasses") is an error.

        Args:
            text: at most 2,000 characters.
            attributes: the graph's labels, which the text may use in addition to CelebA's. A label's own name comes
                first: with "Beard", "no beard" is Beard=0. CelebA's words serve a label of another name for the same
                ("woman" is female=1), and "has_scarf" is also "a scarf".

        Raises:
            QueryError: a part was not understood (the message shows it and the nearest known words), or the question
                contradicts itself or lacks a part.
        """
        labels = as_names("attributes", attributes, QueryError)
        tokens, words = tokenize(text), vocabulary(labels)
        asked = split_question(text, tokens, words)
        described, so, told = (read(text, part, words) for part in (asked.described, asked.so, asked.told))
        named = [read(text, part, words) for part in asked.named]
        refuse_unknown(text, [span for one in (described, *named, so, told) for span in one.unknown], words)
        if asked.problem:
            raise QueryError(asked.problem)
        given = settle(text, _together(described, *named), words)
        pronouns = [token.word for token in tokens if token.word in SEX]
        nobody = bool(labels) and not asked.described and not asked.named
        given |= _sex(given, pronouns, words, labels if nobody else ())
        antecedent = settle(text, so, words, given)
        if not antecedent:
            raise QueryError(f"nothing is supposed after 'if'; ask for example {SHAPE}")
        for name in settle(text, told, words):
            if labels and name not in labels:
                raise QueryError(f"the graph has no such label: {unknown('attribute', name, labels)}")
        return cls(given, antecedent, "observe" if asked.observed else "do")

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


def _together(described: Reading, *named: Reading) -> Reading:
    """Merge the description before the question with the noun phrases in it; repetition is allowed."""
    for one in named:
        known = {condition.attribute: condition.value for condition in described.conditions}
        new = [condition for condition in one.conditions if known.get(condition.attribute) != condition.value]
        described = Reading([*described.conditions, *new], problems=[*described.problems, *one.problems])
    return described


def _sex(given: Mapping[str, int], pronouns: Sequence[str], words: Words, labels: Sequence[str]) -> dict[str, int]:
    """Check that pronouns agree with who is given; return what they tell where nobody is, if a label has it."""
    told: dict[str, int] = {}
    for word in pronouns:
        noun, other = ("a man", "a woman") if SEX[word] else ("a woman", "a man")
        meant = means(noun.split()[1], words)
        told = told or {name: value for name, value in meant.items() if name in labels}
        known = {**given, **told}
        if not meant or not meant.keys() <= known.keys():
            raise QueryError(f"{word!r} refers to {noun}, and none is given; begin with 'Given {noun}', or say 'they'")
        if not meant.items() <= known.items():
            fitting = "she" if SEX[word] else "he"
            raise QueryError(f"{word!r} does not refer to {other}, who is given; say {fitting!r} or 'they'")
    return told

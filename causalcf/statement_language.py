"""Counterfactual statements in English: read by clauses, and said.

The half with "if" is read as a `Query`; what the modal says is read as conditions, like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .arguments import as_names
from .errors import QueryError, StatementError
from .language import Token, infinitive, predicate, pronoun, read, settle, this_one, tokenize, vocabulary
from .language.function_words import SEX
from .statement_clauses import SHAPE, Clauses, split_clauses, without_not
from .statement_modals import MODALS
from .worlds.query import Query

if TYPE_CHECKING:
    from .statement import Statement

Words = Mapping[str, tuple[str, int]]
_Part = TypeVar("_Part")

_CHANGES = ("become", "turn", "go", "grow", "lose")  # verbs that say that it was not so before
_ASIDE = re.compile(r"\(([^()]*)\)")
_QUESTION = re.compile(r'ask for example ".*$', re.DOTALL)


def read_statement(text: str, attributes: Iterable[str] = ()) -> tuple[dict[str, Any], bool]:
    """What a sentence says; see `Statement.parse`.

    Returns:
        The parts of a `Statement` by name, and whether the sentence speaks of a change.

    Raises:
        StatementError: it cannot be understood, or says what cannot be meant.
    """
    try:
        return _read(text, as_names("attributes", attributes, QueryError))
    except QueryError as error:  # of the half with "if", or of conditions
        raise StatementError(_QUESTION.sub(f"write for example {SHAPE}", str(error))) from None


def say_statement(statement: Statement) -> str:
    """The sentence of a statement; see `Statement.__str__`."""
    seen = "we saw that " if statement.mode == "observe" else ""
    modal = MODALS[statement.modal]
    both = "both " if modal.negative and len(statement.consequent) > 1 else ""
    said = f"{pronoun(statement.given)} {modal.said} {both}{infinitive(statement.consequent)}"
    return f"If {seen}{this_one(statement.given)} {predicate(statement.antecedent)}, {said}."


def _read(text: str, attributes: tuple[str, ...]) -> tuple[dict[str, Any], bool]:
    words = vocabulary(attributes)
    tokenize(text)  # refuses what is no text, or too long
    bare = _ASIDE.sub(lambda aside: " " * len(aside[0]), text)
    clauses = split_clauses(bare, tokenize(bare))
    query, (modal, consequent, change) = _both(
        lambda: Query.parse(clauses.question, attributes), lambda: _consequent(bare, clauses, words)
    )
    given = _with_asides(query.given, text, words)
    _check_pronouns(given, query.antecedent, clauses)
    _check_subject(bare, clauses.subject, {**given, **query.antecedent}, given, words)
    parts = {"given": given, "antecedent": query.antecedent, "modal": modal, "consequent": consequent}
    return {**parts, "mode": query.mode}, change


def _both(first: Callable[[], Query], second: Callable[[], _Part]) -> tuple[Query, _Part]:
    """Both halves; where neither is understood, the error tells of both."""
    try:
        asked = first()
    except QueryError as error:
        try:
            second()
        except QueryError as other:
            raise StatementError(f"{error}; {other}") from None
        raise
    return asked, second()


def _consequent(text: str, clauses: Clauses, words: Words) -> tuple[str, dict[str, int], bool]:
    """The modal, what it is about, and whether that is a change."""
    says, modal = clauses.says, MODALS[clauses.modal]
    both = says[0].word == "both"
    says = says[1:] if both else says
    change = bool(says) and says[0].word in _CHANGES
    if change and says[0].word != "lose":  # which negates, too
        says = says[1:]
    reading = read(text, says, words)
    if modal.negative and not both and not reading.unknown and reading.problems and "or" in [t.word for t in says]:
        if change:
            raise StatementError(
                f"{clauses.says[0].word!r} after {modal.said!r} can speak of one condition alone; of several, give "
                "what is known of each, and say 'be'"
            )
        neither = without_not(clauses)  # "would not be bald or old"
        return neither.modal, settle(text, read(text, neither.says, words), words), False
    values = settle(text, reading, words)
    if not values:
        raise StatementError(f"nothing is said after {modal.said!r}; write for example {SHAPE}")
    if modal.negative and not both and len(values) > 1:
        advice = f"say '{modal.said} both ...', or '{MODALS[modal.positive].said} be neither ... nor ...'"
        raise StatementError(f"what the 'not' of {modal.said!r} negates can be read in two ways; {advice}")
    return clauses.modal, values, change


def _with_asides(given: Mapping[str, int], text: str, words: Words) -> dict[str, int]:
    """What is given, with what stands in brackets."""
    together = dict(given)
    for aside in _ASIDE.finditer(text):
        tokens = _tokens_of(text, aside.start(1), aside.end(1))
        if not tokens or tokens[0].word != "who":
            raise StatementError(f"{aside[0]!r}: only '(who is ...)' or '(who has ...)' can stand in brackets")
        for name, value in settle(text, read(text, tokens, words), words).items():
            if name in together:
                raise StatementError(
                    f"{aside[0]!r} tells {name} of whom is given, which is known to be {together[name]}"
                )
            together[name] = value
    return together


def _tokens_of(text: str, start: int, end: int) -> list[Token]:
    """The words of a part of a text, where they stand in the whole."""
    part = text[start:end]
    return [Token(t.word, t.start + start, t.end + start) for t in tokenize(part)] if part.strip() else []


def _check_pronouns(given: Mapping[str, int], antecedent: Mapping[str, int], clauses: Clauses) -> None:
    """ "He" is a man, as given or as supposed."""
    sexes = {values["Male"] for values in (given, antecedent) if "Male" in values}
    for word in clauses.pronouns:
        if word in SEX and SEX[word] not in sexes:
            known = f"{'a man' if 1 in sexes else 'a woman'} is" if sexes else "neither a man nor a woman is"
            fitting = " or ".join(sorted({repr(pronoun(given)), "'they'"}))
            raise StatementError(f"{word!r} refers to nobody: {known} given; say {fitting}")


def _check_subject(
    text: str, subject: list[Token], known: Mapping[str, int], given: Mapping[str, int], words: Words
) -> None:
    """A noun phrase before the modal only repeats whom the statement is about, as given or as supposed."""
    if not subject:
        return
    for name, value in settle(text, read(text, subject, words), words).items():
        if value not in (known.get(name), given.get(name)):
            shown = text[subject[0].start : subject[-1].end]
            raise StatementError(f"{shown!r} is not who is given, of whom {name}={value} is not said; say a pronoun")

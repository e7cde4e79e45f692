"""Counterfactual statements parsed from English, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..checks import as_names
from ..errors import QueryError, StatementError, nearest
from .clauses import relative_pronoun, shown, split_subject
from .modals import MODALS, SPOKEN
from .names import means, vocabulary
from .query import Query
from .reading import read, settle
from .vocabulary import COMMA, POSSESSIVES, SEX, SUBJECTS, Token, Words, is_person, tokenize
from .wording import pronoun

SHAPE = '"If this young man were old, he might be bald."'

_MODAL_WORDS = frozenset(word for words in SPOKEN for word in words)
_FIRST = _MODAL_WORDS - {"not"}  # what a modal can begin with
_POINTING = POSSESSIVES | {"this", "that", "the"}
_CHANGES = ("become", "turn", "go", "grow", "lose")  # verbs that say that it was not so before
_ASIDE = re.compile(r"\(([^()]*)\)")
_QUESTION = re.compile(r'ask for example "[^"]*"(?: or "[^"]*")?')


@dataclass(frozen=True)
class Clauses:
    """Clauses of one sentence; `pronouns` holds all words of the half without "if"."""

    question: str
    subject: list[Token]
    modal: str
    says: list[Token]
    pronouns: list[str]


def _split_clauses(text: str, tokens: list[Token], vocabulary_: Words) -> Clauses:
    """Split a sentence into its clauses, in either order."""
    words = ["not" if token.word == "never" else token.word for token in tokens]
    if "if" not in words:
        raise StatementError(f"no 'if' in {shown(text)}; write for example {SHAPE}")
    if words[0] == "what" or words[words.index("if") - 1] == "what":
        raise StatementError(f"{shown(text)} is a question; a statement says what might or would be: {SHAPE}")
    start, end = _modal(text, words)
    middle = words.index("if")
    reverse = start < middle
    begin = _subject_start(tokens, 0 if reverse else middle + 1, start, reverse)
    if relative := relative_pronoun(tokens[begin:start]):
        advice = f"begin with 'Given someone {relative} ..., if they were ...'"
        raise StatementError(f"{relative!r} before {words[start]!r} hides where the subject ends; {advice}")
    alone = tokens[begin].word in SUBJECTS
    owner, thing = ([], []) if alone else split_subject(tokens[begin:start], vocabulary_)
    says = [*thing, *(tokens[end:middle] if reverse else tokens[end:])]
    if not says:
        raise StatementError(f"nothing follows {' '.join(words[start:end])!r}; write for example {SHAPE}")
    if alone:  # "he also might be bald": read what stands between, as all else
        says += tokens[begin + 1 : start]
    question = text[: tokens[begin].start]
    if reverse:
        named = f"Given {text[owner[0].start : owner[-1].end]}, " if owner else ""
        question, owner = f"{question}{named}{text[tokens[middle].start :]}", []
    pronouns = [token.word for token in (*tokens[begin:start], *says)]
    return Clauses(question, owner, SPOKEN[tuple(words[start:end])], says, pronouns)


def _modal(text: str, words: Sequence[str]) -> tuple[int, int]:
    """Return the start and end index of the modal."""
    start = next((i for i, word in enumerate(words) if word in _FIRST), None)
    if start is None:
        close = ((word, hit) for word in words if len(word) > 3 for hit in nearest(word, sorted(_FIRST), 1))
        near = next((f"; near {word!r} there is {hit!r}" for word, hit in close), "")
        raise StatementError(f"no modal in {shown(text)}{near}; write for example {SHAPE}, with {_listed_modals()}")
    end = start
    while end < len(words) and words[end] in _MODAL_WORDS:
        end += 1
    if tuple(words[start:end]) not in SPOKEN:
        raise StatementError(f"{' '.join(words[start:end])!r} is no modal; there are {_listed_modals()}")
    return start, end


def _listed_modals() -> str:
    return ", ".join(repr(modal.said) for modal in MODALS.values())


def _subject_start(tokens: Sequence[Token], least: int, modal: int, reverse: bool) -> int:
    """Return the index of the modal's subject: its pronoun, else after a comma or at a determiner."""
    if modal > least and tokens[modal - 1].word in SUBJECTS:
        return modal - 1
    starts = [i + 1 for i in range(least, modal - 1) if tokens[i].word in (COMMA, "then")]
    if reverse and not starts:
        starts = [0]
    if not reverse:
        pointing = (i for i in range(least, modal) if tokens[i].word in _POINTING)
        starts += [i for i in pointing if tokens[i].word != "that" or not is_person(tokens[i - 1])]  # "the man that is"
    if not starts or modal == least:
        raise StatementError(f"whom {tokens[modal].word!r} speaks of is not clear; write for example {SHAPE}")
    return max(starts)


def read_statement(text: str, attributes: Iterable[str] = ()) -> tuple[dict[str, Any], bool]:
    """Parse a sentence into the parts of a `Statement`, and return whether it describes a change."""
    try:
        names = as_names("attributes", attributes, QueryError)
        return _read(text, names, vocabulary(names))
    except QueryError as error:  # of the half with "if", or of conditions
        raise StatementError(_QUESTION.sub(f"write for example {SHAPE}", str(error))) from None


def _read(text: str, attributes: tuple[str, ...], words: Words) -> tuple[dict[str, Any], bool]:
    tokenize(text)  # refuses what is no text, or too long
    bare = _ASIDE.sub(lambda aside: " " * len(aside[0]), text)
    clauses = _split_clauses(bare, tokenize(bare), words)
    try:
        query = Query.parse(clauses.question, attributes)
    except QueryError as error:
        try:
            _consequent(bare, clauses, words)
        except QueryError as other:  # both halves are wrong
            raise StatementError(f"{error}; {other}") from None
        raise
    modal, consequent, change = _consequent(bare, clauses, words)
    given = _with_asides(query.given, text, words)
    _check_pronouns(replace(query, given=given), clauses, words)
    _check_subject(bare, clauses.subject, {**given, **query.antecedent}, given, words)
    parts = {"given": given, "antecedent": query.antecedent, "modal": modal, "consequent": consequent}
    return {**parts, "mode": query.mode}, change


def _consequent(text: str, clauses: Clauses, words: Words) -> tuple[str, dict[str, int], bool]:
    """Return the modal, the consequent, and whether it describes a change."""
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
        says = [Token("not", says[0].start, says[0].start), *says]  # "would not be bald or old": would: not be ...
        return modal.positive, settle(text, read(text, says, words), words), False
    values = settle(text, reading, words)
    if not values:
        raise StatementError(f"nothing is said after {modal.said!r}; write for example {SHAPE}")
    if modal.negative and not both and len(values) > 1:
        advice = f"say '{modal.said} both ...', or '{MODALS[modal.positive].said} be neither ... nor ...'"
        raise StatementError(f"what the 'not' of {modal.said!r} negates can be read in two ways; {advice}")
    return clauses.modal, values, change


def _with_asides(given: Mapping[str, int], text: str, words: Words) -> dict[str, int]:
    """Add the conditions in brackets, such as "(who is not bald)", to the given ones."""
    together = dict(given)
    for aside in _ASIDE.finditer(text):
        at = aside.start(1)
        tokens = [Token(t.word, t.start + at, t.end + at) for t in tokenize(aside[1])] if aside[1].strip() else []
        if not tokens or tokens[0].word != "who":
            raise StatementError(f"{aside[0]!r}: only '(who is ...)' or '(who has ...)' can stand in brackets")
        for name, value in settle(text, read(text, tokens, words), words).items():
            if name in together:
                known = f"which is known to be {together[name]}"
                raise StatementError(f"{aside[0]!r} tells {name} of whom is given, {known}")
            together[name] = value
    return together


def _check_pronouns(query: Query, clauses: Clauses, words: Words) -> None:
    """Check that each pronoun agrees with the given or the antecedent's sex."""
    meant = {sex: means(noun, words).items() for sex, noun in enumerate(("woman", "man"))}
    parts = query.given.items(), query.antecedent.items()
    known = [sex for sex in meant if meant[sex] and any(meant[sex] <= part for part in parts)]
    for word in clauses.pronouns:
        if word in SEX and SEX[word] not in known:
            who = f"{'a man' if 1 in known else 'a woman'} is" if known else "neither a man nor a woman is"
            fitting = " or ".join(sorted({repr(pronoun(query.given)), "'they'"}))
            raise StatementError(f"{word!r} refers to nobody: {who} given; say {fitting}")


def _check_subject(
    text: str, subject: list[Token], known: Mapping[str, int], given: Mapping[str, int], words: Words
) -> None:
    """Check that the subject before the modal only repeats given or antecedent conditions."""
    if not subject:
        return
    for name, value in settle(text, read(text, subject, words), words).items():
        if value not in (known.get(name), given.get(name)):
            named = text[subject[0].start : subject[-1].end]
            raise StatementError(f"{named!r} is not who is given, of whom {name}={value} is not said; say a pronoun")

"""The clauses of a statement: the half with "if", whom the other half is about, its modal, and what the modal says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .errors import StatementError, nearest
from .language import Token, subject_end
from .language.function_words import POSSESSIVES, SUBJECTS
from .language.tokens import COMMA
from .statement_modals import MODALS, SPOKEN

SHAPE = '"If this young man were old, he might be bald."'

_MODAL_WORDS = frozenset(word for words in SPOKEN for word in words)
_FIRST = _MODAL_WORDS - {"not"}  # what a modal can begin with
_POINTING = POSSESSIVES | {"this", "that", "the"}


@dataclass(frozen=True)
class Clauses:
    """A sentence, split.

    Args:
        question: the half with "if" and whatever is said before it of whom is given, as `Query.parse` reads it.
        subject: of the other half, where it is a noun phrase that repeats whom is given; else empty.
        modal: one of `MODALS`.
        says: what stands after the modal; before it "mouth" of "her mouth might be open".
        pronouns: all words of the other half.
    """

    question: str
    subject: list[Token]
    modal: str
    says: list[Token]
    pronouns: list[str]


def split_clauses(text: str, tokens: Sequence[Token]) -> Clauses:
    """Split a sentence, whichever half comes first.

    Raises:
        StatementError: no "if", no modal, or a half whose subject is not clear.
    """
    words = ["not" if token.word == "never" else token.word for token in tokens]
    if "if" not in words:
        raise StatementError(f"no 'if' in {_shown(text)}; write for example {SHAPE}")
    if words[0] == "what" or words[words.index("if") - 1] == "what":
        raise StatementError(f"{_shown(text)} is a question; a statement says what might or would be: {SHAPE}")
    start, end = _modal(text, words)
    middle = words.index("if")
    reverse = start < middle
    begin = _subject_start(tokens, 0 if reverse else middle + 1, start, reverse)
    owner, thing = _owner(tokens[begin:start])
    says = [*thing, *(tokens[end:middle] if reverse else tokens[end:])]
    if not says:
        raise StatementError(f"nothing follows {' '.join(words[start:end])!r}; write for example {SHAPE}")
    question = text[: tokens[begin].start]
    if reverse:
        named = f"Given {text[owner[0].start : owner[-1].end]}, " if owner else ""
        question, owner = f"{question}{named}{text[tokens[middle].start :]}", []
    pronouns = [token.word for token in (*tokens[begin:start], *says)]
    return Clauses(question, owner, SPOKEN[tuple(words[start:end])], says, pronouns)


def without_not(clauses: Clauses) -> Clauses:
    """The same with the modal's "not" as the first word of what it says: "would: not be bald or old"."""
    start = clauses.says[0].start
    return replace(clauses, modal=MODALS[clauses.modal].positive, says=[Token("not", start, start), *clauses.says])


def _modal(text: str, words: Sequence[str]) -> tuple[int, int]:
    """Where the modal begins and ends."""
    start = next((i for i, word in enumerate(words) if word in _FIRST), None)
    if start is None:
        near = next((f"; near {word!r} there is {hit!r}" for word in words for hit in _near(word)), "")
        raise StatementError(
            f"no modal in {_shown(text)}{near}; write for example {SHAPE}, with {', '.join(map(repr, _said()))}"
        )
    end = start
    while end < len(words) and words[end] in _MODAL_WORDS:
        end += 1
    if tuple(words[start:end]) not in SPOKEN:
        shown = " ".join(words[start:end])
        raise StatementError(f"{shown!r} is no modal; there are {', '.join(map(repr, _said()))}")
    return start, end


def _said() -> list[str]:
    return [modal.said for modal in MODALS.values()]


def _near(word: str) -> list[str]:
    return nearest(word, sorted(_FIRST), 1) if len(word) > 3 else []


def _subject_start(tokens: Sequence[Token], least: int, modal: int, reverse: bool) -> int:
    """Where the subject of the modal begins: at its pronoun, else after a comma or at "this" or "her"."""
    if modal > least and tokens[modal - 1].word in SUBJECTS:
        return modal - 1
    starts = [i + 1 for i in range(least, modal - 1) if tokens[i].word in (COMMA, "then")]
    if reverse and not starts:
        starts = [0]
    if not reverse:
        starts += [i for i in range(least, modal) if tokens[i].word in _POINTING]
    if not starts or modal == least:
        raise StatementError(f"whom {tokens[modal].word!r} speaks of is not clear; write for example {SHAPE}")
    return max(starts)


def _owner(subject: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """A noun phrase for somebody, and the thing of theirs that is spoken of ("her mouth"), if there is one."""
    if subject[0].word in SUBJECTS:
        return [], []
    if subject[0].word in POSSESSIVES:
        return [], list(subject)
    end = subject_end(subject)
    return list(subject[:end]), list(subject[end:])


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:97] + "...")

"""Words of English that are not phrases of the vocabulary, and the split of a sentence into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from ..errors import QueryError

MAX_LENGTH = 2000  # characters; a question that names all 40 attributes twice takes about 1,500
COMMA = ","
POSSESSIVE = "'s"

# A word with its apostrophes; a mark that parts clauses; quotes, hyphens, underscores and spaces, which say nothing;
# or a character that is none of these, which nobody understands.
_PIECE = re.compile(
    r"(?P<word>[^\W_]+(?:'[^\W_]+)*)|(?P<mark>[,;:.?!]+)|(?P<blank>[\s_\"“”„-]+)|(?P<other>.)", re.DOTALL
)
_APOSTROPHES = str.maketrans("‘’ʼ`´‐‑–—", "'''''----")
_BARE_NEGATIONS = {"arent", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt", "wasnt", "werent"}
_SUBJECTS = {"he", "she", "it", "they", "who", "that", "what", "there"}  # before 's, a shortened "is" or "has"


@dataclass(frozen=True)
class Token:
    """Lower-case word, or "," for any punctuation between clauses, with its text span."""

    word: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text of at most 2,000 characters, with contractions expanded."""
    if not isinstance(text, str):
        raise QueryError(f"expected a question in English, not {text!r}")
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the text has {len(text)} characters; at most {MAX_LENGTH} are read")
    tokens: list[Token] = []
    for match in _PIECE.finditer(text.translate(_APOSTROPHES)):
        span = match.start(), match.end()
        if match["mark"]:
            tokens.append(Token(COMMA, *span))
        elif not match["blank"]:
            tokens += [Token(word, *span) for word in _written_out(match[0].lower())]
    while tokens and tokens[-1].word == COMMA:
        tokens.pop()
    if not tokens:
        raise QueryError('the text is empty; ask for example "Given a woman, what if she had a moustache?"')
    return tokens


def _written_out(word: str) -> list[str]:
    """Expand a contraction: "weren't" is were not, "he's" is he; "woman's" keeps its possessive."""
    if word in _BARE_NEGATIONS:
        return [word[:-2], "not"]
    base, apostrophe, ending = word.rpartition("'")
    if not apostrophe:
        return [word]
    if ending == "t" and base.endswith("n"):
        return [base[:-1], "not"]
    if ending == "s" and base not in _SUBJECTS:
        return [base, POSSESSIVE]
    if ending in ("s", "d", "re", "ve"):
        return [base]
    return word.split("'")


class Role(Enum):
    """Effect of a function word on the conditions around it."""

    SKIP = auto()  # nothing; among them infinitives, whose negation stands before them
    ARTICLE = auto()  # begins a noun
    LEAD = auto()  # a verb or preposition that begins a condition of its own, out of reach of earlier negations
    NOT = auto()
    AND = auto()
    BUT = auto()
    OR = auto()
    COMMA = auto()
    PERSON = auto()  # a noun for someone, which tells nothing of them


_WORDS = {
    Role.SKIP: f"also, be, did, do, does, get, have, instead, look, now, of, own, then, to, wear, {POSSESSIVE}",
    Role.ARTICLE: "a, an, any, her, his, its, some, that, the, their, these, this, those",
    Role.LEAD: "are, became, being, got, grew, had, has, having, in, is, looked, looks, put on, turned, was, wearing, "
    "wears, were, which, who, whose, with, wore",
    Role.NOT: "got rid of, instead of, lack, lacked, lacking, lacks, lose, lost, neither, never, no, not, rather than, "
    "removed, shaved off, stopped, took off, without",
    Role.AND: "and, plus, while",
    Role.BUT: "but, yet",
    Role.OR: "nor, or",
    Role.PERSON: "adult, anybody, anyone, face, human, individual, one, people, person, photo, picture, somebody, "
    "someone",
}


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split(", "))


def _roles() -> dict[str, Role]:
    roles = {word: role for role, words in _WORDS.items() for word in _listed(words)}
    return {**roles, COMMA: Role.COMMA}


# Word, or words parted by single spaces, -> what it does.
ROLES: Mapping[str, Role] = MappingProxyType(_roles())

# Verbs that tell something of a subject, so that the subject ends before them.
FINITE = _listed(
    "are, became, did, does, got, grew, grinned, had, has, is, lacked, lacks, looked, looks, lost, put, removed, "
    "shaved, smiled, smiles, stopped, took, turned, was, wears, were, wore"
)
TO_BE = _listed("are, be, is, was, were")
# Forms in -ing that a negation can begin a list with: "stopped smiling and wearing glasses".
GERUNDS = _listed("being, blushing, grinning, having, lacking, smiling, squinting, wearing")
# Words after which a noun for someone is not the person described.
HAVING = _listed(
    "got, had, has, have, having, in, lack, lacked, lacking, lacks, lose, lost, off, on, removed, wear, wearing, "
    "wears, whose, with, without, wore"
)
# First words of negations of a thing, which may also stand after it: "with his beard shaved off".
REMOVALS = _listed("got, lost, removed, shaved, took")
RELATIVE = _listed("which, who, whose")
POSSESSIVES = _listed("her, his, its, their")

# Pronouns that can be a subject, and the sex (Male=1 or 0) that any pronoun tells.
SUBJECTS = _listed("he, it, she, they")
SEX: Mapping[str, int] = MappingProxyType({"he": 1, "him": 1, "his": 1, "she": 0, "her": 0, "hers": 0})

"""Function words: verbs, articles, negations, conjunctions, nouns for people, and pronouns."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from .tokens import COMMA, POSSESSIVE


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

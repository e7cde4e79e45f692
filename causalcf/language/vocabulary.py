"""The words of the language: phrases for CelebA's 40 attributes, and function words; a sentence split into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from ..errors import QueryError

Words = Mapping[str, tuple[str, int]]  # phrase -> (attribute, value)

# In the order of the columns of list_attr_celeba.txt (Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the
# Wild, ICCV 2015).
_COLUMNS = """
5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair
Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones
Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline
Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick
Wearing_Necklace Wearing_Necktie Young
"""
CELEBA_ATTRIBUTES: tuple[str, ...] = tuple(_COLUMNS.split())

# Attribute -> (phrases for 1, phrases for 0), beside the attribute's own name. Only words that settle the value:
# "he" refers to a person already described, and "mouth" says nothing of whether it is open.
_PHRASES: dict[str, tuple[str, str]] = {
    "5_o_Clock_Shadow": ("five o clock shadow, stubble, stubbly", ""),
    "Arched_Eyebrows": ("arched brows", ""),
    "Attractive": ("beautiful, good looking, handsome, pretty", "ugly, unattractive"),
    "Bags_Under_Eyes": (", ".join(f"bags under {x} eyes" for x in ("his", "her", "their", "the")) + ", eye bags", ""),
    "Bald": ("baldheaded, bald headed, hairless", ""),
    "Bangs": ("fringe", ""),
    "Big_Lips": ("full lips, large lips", "small lips, thin lips"),
    "Big_Nose": ("large nose", "small nose"),
    "Black_Hair": ("black haired", ""),
    "Blond_Hair": ("blond, blonde, blonde hair, blond haired, blonde haired, fair haired", ""),
    "Blurry": ("blurred, out of focus", "in focus"),
    "Brown_Hair": ("brown haired, brunette", ""),
    "Bushy_Eyebrows": ("bushy brows, thick eyebrows", "thin eyebrows"),
    "Chubby": ("fat, overweight, plump", ""),
    "Eyeglasses": ("eye glasses, bespectacled, glasses, spectacles, wearing glasses, wears glasses", ""),
    "Goatee": ("goateed", ""),
    "Gray_Hair": ("gray haired, grey hair, grey haired", ""),
    "Heavy_Makeup": ("heavy make up, make up, makeup", ""),
    "High_Cheekbones": ("high cheek bones", ""),
    "Male": (
        "boy, boys, gentleman, gentlemen, guy, guys, lad, lads, males, man, men, masculine",
        "female, females, feminine, girl, girls, ladies, lady, woman, women",
    ),
    "Mouth_Slightly_Open": (
        "mouth open, mouth opened, mouth is open, open mouth, opened mouth, open mouthed, parted lips, "
        "slightly open mouth, slightly opened mouth",
        "closed mouth, mouth closed, mouth is closed, mouth is shut, mouth shut, shut mouth",
    ),
    "Mustache": ("moustache, moustached, moustaches, mustached, mustaches, mustachioed, moustachioed", ""),
    "Narrow_Eyes": ("narrow eyed, narrowed eyes, squint, squinting", "wide eyed, wide eyes, wide open eyes"),
    "No_Beard": ("beardless, clean shaven", "beard, bearded, beards"),
    "Oval_Face": ("oval faced", ""),
    "Pale_Skin": ("pale, pale skinned", ""),
    "Pointy_Nose": ("pointed nose", ""),
    "Receding_Hairline": ("receding hair, receding hair line", ""),
    "Rosy_Cheeks": ("blushing, red cheeks, rosy cheeked", ""),
    "Sideburns": ("side burns, sideboards", ""),
    "Smiling": ("grin, grinned, grinning, grins, smile, smiled, smiles", "unsmiling"),
    "Straight_Hair": ("straight haired", ""),
    "Wavy_Hair": ("wavy haired", ""),
    "Wearing_Earrings": ("earring, earrings", ""),
    "Wearing_Hat": ("cap, hat, wearing a hat, wears a hat", ""),
    "Wearing_Lipstick": ("lipstick, lip stick, wears lipstick", ""),
    "Wearing_Necklace": ("necklace, wearing a necklace, wears a necklace", ""),
    "Wearing_Necktie": ("necktie, neck tie, tie, wearing a necktie, wearing a tie, wears a tie", ""),
    "Young": ("youthful, younger", "aged, elderly, old, older"),
}


def _words() -> dict[str, tuple[str, int]]:
    words = {attribute.lower().replace("_", " "): (attribute, 1) for attribute in CELEBA_ATTRIBUTES}
    for attribute, said in _PHRASES.items():
        for value, phrases in ((1, said[0]), (0, said[1])):
            words.update({phrase: (attribute, value) for phrase in phrases.split(", ") if phrase})
    return words


# Phrase -> (attribute, value). Phrases are in lower case, their words parted by single spaces, without hyphens or
# apostrophes; where one phrase holds another ("no beard" and "beard"), the longer is meant.
WORDS: Words = MappingProxyType(_words())

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


_ROLES = {
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


# Word, or words parted by single spaces, -> what it does.
ROLES: Mapping[str, Role] = MappingProxyType(
    {word: role for role, words in _ROLES.items() for word in _listed(words)} | {COMMA: Role.COMMA}
)

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

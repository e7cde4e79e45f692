"""The words of the language: phrases for CelebA's 40 attributes, and function words; a sentence split into words."""

from __future__ import annotations

import re
import unicodedata
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
    "Bald": ("baldheaded, bald headed, hairless", "hair"),
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
    "Gray_Hair": ("gray haired, grey hair, grey haired, went gray, went grey, go gray, go grey", ""),
    "Heavy_Makeup": ("heavy make up, make up, makeup", ""),
    "High_Cheekbones": ("high cheek bones", ""),
    "Male": (
        "boy, boys, gentleman, gentlemen, guy, guys, lad, lads, males, man, men, masculine",
        "female, females, feminine, girl, girls, ladies, lady, woman, women",
    ),
    "Mouth_Slightly_Open": (
        "mouth open, mouth opened, mouth is open, open mouth, opened mouth, open mouthed, parted lips, "
        "slightly open mouth, slightly opened mouth",
        "close mouth, closed mouth, mouth closed, mouth is closed, mouth is shut, mouth shut, shut mouth",
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
    "Young": ("youthful", "aged, elderly, old"),
}
SHAPE = '"Given a woman, what if she had a moustache?" or "What if this woman had a moustache?"'
LONGEST = 6  # words in a phrase
MAX_LENGTH = 2000  # characters; a question that names all 40 attributes twice takes about 1,500
COMMA = ","
POSSESSIVE = "'s"

# A word with its apostrophes; a mark that parts clauses; quotes, hyphens, underscores and spaces, which say nothing;
# or a character that is none of these, which nobody understands. An accent may follow its letter, as macOS writes it.
_PIECE = re.compile(
    r"(?P<word>(?:[^\W_][\u0300-\u036f]*)+(?:'[^\W_]+)*)|(?P<mark>[,;:.?!]+)|(?P<blank>[\s_\"“”„-]+)|(?P<other>.)",
    re.DOTALL,
)
_APOSTROPHES = str.maketrans("‘’ʼ`´‐‑–—", "'''''----")
_BARE_NEGATIONS = {"arent", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt", "wasnt", "werent"}
_SUBJECTS = {"he", "she", "it", "they", "who", "that", "what", "there"}  # before 's, a shortened "is" or "has"


def _words() -> dict[str, tuple[str, int]]:
    words = {attribute.lower().replace("_", " "): (attribute, 1) for attribute in CELEBA_ATTRIBUTES}
    for attribute, said in _PHRASES.items():
        for value, phrases in ((1, said[0]), (0, said[1])):
            words.update({phrase: (attribute, value) for phrase in phrases.split(", ") if phrase})
    return words


# Phrase -> (attribute, value). Phrases are in lower case, their words parted by single spaces, without hyphens or
# apostrophes; where one phrase holds another ("no beard" and "beard"), the longer is meant.
WORDS: Words = MappingProxyType(_words())

# Phrases for a man or a woman, and those of them that are adjectives, too.
SEXED = frozenset(phrase for phrase, (attribute, _) in WORDS.items() if attribute == "Male")
_ADJECTIVES = frozenset(("female", "feminine", "male", "masculine"))
# Words of phrases for what a person has or wears; all other phrases are said of the person.
_THINGS = """
bags bangs beard beards bones brows burns cap cheekbones cheeks chin earring earrings eyebrows eyeglasses eyes face
fringe glasses goatee grin hair hairline hat line lips lipstick makeup mouth moustache moustaches mustache mustaches
necklace necktie nose shadow sideboards sideburns skin smile spectacles stick stubble tie up
"""
HEADS = frozenset(_THINGS.split())


class Kind(Enum):
    """What a phrase can be: a noun for the person, said of the person, a thing, or either (a graph's own label)."""

    PERSON = auto()
    QUALITY = auto()
    THING = auto()
    OWN = auto()


def kind(phrase: str) -> Kind:
    """Return what a phrase of the vocabulary can be."""
    if phrase in SEXED - _ADJECTIVES:
        return Kind.PERSON
    if not HEADS.isdisjoint(phrase.split()):
        return Kind.THING
    return Kind.QUALITY if phrase in WORDS or phrase.endswith("ing") else Kind.OWN


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
            tokens += [Token(word, *span) for word in _written_out(unicodedata.normalize("NFC", match[0]).lower())]
    while tokens and tokens[-1].word == COMMA:
        tokens.pop()
    for i in range(len(tokens) - 2, 0, -1):  # "he/she", "his or her"
        around = {tokens[i - 1].word, tokens[i + 1].word}
        if tokens[i].word in ("/", "or") and {SEX.get(word) for word in around} == {0, 1}:
            word = "they" if around <= SUBJECTS else "them" if "him" in around else "their"
            tokens[i - 1 : i + 2] = [Token(word, tokens[i - 1].start, tokens[i + 1].end)]
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
    Role.SKIP: "again, also, any more, anymore, be, did, do, does, get, have, instead, look, now, of, own, still, "
    f"suddenly, then, wear, {POSSESSIVE}",
    Role.ARTICLE: "a, a pair of, an, any, her, his, its, some, that, the, their, these, this, those",
    Role.LEAD: "are, became, become, becomes, been, began, began to, being, getting, go, goes, gone, got, grew, grow, "
    "grown, grows, had, has, having, in, is, looked, looking, looks, put, put on, puts on, started, started to, turn, "
    "turned, turned into, turns, was, was to, wearing, wears, went, were, were to, which, who, whose, with, wore",
    Role.NOT: "get rid of, got rid of, instead of, lack, lacked, lacking, lacks, lose, loses, losing, lost, neither, "
    "never, no, no longer, non, not, rather than, remove, removed, removes, shave, shave off, shaved, shaved off, "
    "shaves off, stop, stopped, stops, take off, takes off, took off, without, yet to",
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
    "are, became, becomes, began, did, does, dyed, goes, got, grew, grinned, grins, grows, had, has, is, lacked, "
    "lacks, looked, looks, loses, lost, put, puts, removed, removes, shaved, shaves, smiled, smiles, started, "
    "stopped, stops, takes, took, turned, turns, was, wears, went, were, wore"
)
# Verbs after "would", "make" or "let".
INFINITIVES = _listed(
    "be, become, get, go, grin, grow, have, lack, look, lose, remove, shave, smile, squint, stop, take, turn, wear"
)
TO_BE = _listed("are, be, is, was, were")
COPULAS = TO_BE | _listed("became, being, got, grew, looked, looking, looks, turned, went")
# Forms in -ing that a negation can begin a list with: "stopped smiling and wearing glasses".
GERUNDS = _listed("being, blushing, grinning, having, lacking, smiling, squinting, wearing")
# Words after which a noun for someone is not the person described.
HAVING = _listed(
    "got, had, has, have, having, in, lack, lacked, lacking, lacks, lose, lost, off, on, removed, wear, wearing, "
    "wears, whose, with, without, wore"
)
# First words of negations that can deny what a person is; what follows any other is a thing.
DENIALS = _listed("instead, neither, never, non, not, rather, stop, stopped, stops, yet")
# First words of negations of a thing, which may also stand after it: "with his beard shaved off".
REMOVALS = _listed("got, lost, removed, shaved, took")
# Verbs that "on" or "off" belongs to where it stands after a thing: "took her hat off", "with his hat on".
PARTICLES = {
    "on": _listed("had, has, have, having, put, puts, wearing, with, wore"),
    "off": _listed("had, has, have, having, shave, shaved, shaves, take, takes, took, with"),
}
# Adjectives that compare with what was before -> the adjective that they come to where that did not hold before.
COMPARISONS = {"older": "old", "younger": "young"}
RELATIVE = _listed("which, who, whose")
POSSESSIVES = _listed("her, his, its, their")

# Words of questions that are no misspelt condition.
ASKING = _listed(
    "almost, could, does, from, give, hardly, have, having, imagine, into, like, look, looked, made, make, only, show, "
    "take, than, that, them, then, turn, used, went, what, when, would"
)
# Pronouns that can be a subject or an object, and the sex (Male=1 or 0) that any pronoun tells.
SUBJECTS = _listed("he, it, she, they")
OBJECTS = _listed("her, him, it, them")
SEX: Mapping[str, int] = MappingProxyType({"he": 1, "him": 1, "his": 1, "she": 0, "her": 0, "hers": 0})


def is_person(token: Token) -> bool:
    """Return whether a word is a noun for someone."""
    return token.word in SEXED or ROLES.get(token.word) is Role.PERSON

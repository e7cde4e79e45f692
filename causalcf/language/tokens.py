"""English text as lower-case tokens with their positions in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

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

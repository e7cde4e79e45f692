"""Nouns for somebody else than the person described, of whom nothing that is said may be taken for the person's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .function_words import FINITE, HAVING, POSSESSIVES, ROLES, Role
from .tokens import POSSESSIVE, Token

OTHERS = "it may speak of somebody else; say what the person themselves is or has"

_LONGEST_OTHER = 3  # words at the end of a phrase that is looked for before "of"
_UNIVERSAL = frozenset(("any", "anybody", "anyone"))  # before "but" they except
_STOPS = (Role.LEAD, Role.NOT, Role.PERSON, Role.BUT, Role.OR, Role.COMMA)


def others(tokens: Sequence[Token], words: Mapping[str, tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """The spans of the text that may speak of somebody else.

    Args:
        tokens: a stretch of a text.
        words: phrase -> (attribute, value).

    Example:
        >>> from causalcf.attributes import WORDS
        >>> from causalcf.language.tokens import tokenize
        >>> text = "someone in a photo with a man"
        >>> [text[start:end] for start, end in others(tokenize(text), WORDS)]
        ['with a man']
    """
    said = [token.word for token in tokens]
    for i, word in enumerate(said):
        if word == POSSESSIVE:
            start = _possessor(said, i)
        elif word == "of":  # "the smile of a woman"; but "a photo of a woman" shows her
            start = i - 1 if any(" ".join(said[k:i]) in words for k in range(max(i - _LONGEST_OTHER, 0), i)) else i
        elif word == "but":
            start = 0 if _excepts(said, i) else i
        else:
            start = _owner(said, i) if words.get(word, ("", 0))[0] == "Male" else i
        if start < i:
            yield tokens[start].start, tokens[i].end


def _possessor(said: Sequence[str], i: int) -> int:
    """Where the owner of a thing stands ("a woman's smile"); "a woman's face" is the woman, and "a woman's" alone."""
    following = said[i + 1 : i + 2]
    return max(i - 1, 0) if following and ROLES.get(following[0]) is not Role.PERSON else i


def _excepts(said: Sequence[str], i: int) -> bool:
    """Whether "but" leaves somebody out ("anyone but a woman"), as nothing is said yet that it could contrast with."""
    following = said[i + 1 : i + 2]
    if not i or not following or following[0] in FINITE or ROLES.get(following[0]) in (Role.NOT, Role.LEAD):
        return False
    return not _UNIVERSAL.isdisjoint(said[:i]) or all(word in ROLES for word in said[:i])


def _owner(said: Sequence[str], noun: int) -> int:
    """Where the word stands by which a noun for a man or a woman is not the person; the noun's own place if none is."""
    for j in range(noun - 1, -1, -1):
        role = ROLES.get(said[j])
        if said[j] in HAVING or said[j] in POSSESSIVES or said[j] == POSSESSIVE:
            return j
        if role is Role.ARTICLE:
            if said[max(j - 2, 0) : j] == ["face", "of"]:  # "had the face of a woman"
                start = _owner(said, j - 2)
                return start if start < j - 2 else noun
            return j - 1 if j and said[j - 1] in HAVING else noun
        if role in _STOPS or (role is Role.AND and j == noun - 1):
            return noun
    return noun

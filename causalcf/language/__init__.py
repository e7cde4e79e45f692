"""Conditions on faces in English: "an old man without glasses" as attributes and values, and back."""

from .reading import read, refuse_unknown, settle, subject_end, vocabulary
from .tokens import Token, tokenize
from .wording import describe, predicate, pronoun, short

__all__ = [
    "Token",
    "describe",
    "predicate",
    "pronoun",
    "read",
    "refuse_unknown",
    "settle",
    "short",
    "subject_end",
    "tokenize",
    "vocabulary",
]

"""Conditions on faces in English: "an old man without glasses" as attributes and values, and back."""

from .infinitives import infinitive, this_one
from .reading import read, refuse_unknown, settle, subject_end, vocabulary
from .tokens import Token, tokenize
from .wording import describe, predicate, pronoun, short

__all__ = [
    "Token",
    "describe",
    "infinitive",
    "predicate",
    "pronoun",
    "read",
    "refuse_unknown",
    "settle",
    "short",
    "subject_end",
    "this_one",
    "tokenize",
    "vocabulary",
]

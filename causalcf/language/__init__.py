"""Conditions in English, such as "an old man without glasses", to attribute values and back."""

from .reading import read, refuse_unknown, settle, subject_end, vocabulary
from .wording import describe, infinitive, predicate, pronoun, short, this_one
from .words import Token, tokenize

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

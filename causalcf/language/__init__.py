"""Conditions in English, such as "an old man without glasses", to attribute values and back."""

from .wording import short

__all__ = ["short"]

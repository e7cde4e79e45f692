"""The attribute names against CelebA's own table, and the words against the names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from causalcf.language.vocabulary import _PHRASES, CELEBA_ATTRIBUTES, WORDS

TABLE = Path(__file__).parents[3] / "shared" / "data" / "celeba_attributes.npz"


@pytest.mark.skipif(not TABLE.is_file(), reason="shared data not present")
def test_names_are_celebas_columns():
    with np.load(TABLE) as table:
        assert tuple(table["names"]) == CELEBA_ATTRIBUTES


def test_there_are_forty_in_alphabetical_order():
    # CelebA sorts its columns as ASCII does, and so any slip in the order would show.
    assert len(set(CELEBA_ATTRIBUTES)) == 40
    assert list(CELEBA_ATTRIBUTES) == sorted(CELEBA_ATTRIBUTES)


def test_every_attribute_answers_to_its_own_name():
    for attribute in CELEBA_ATTRIBUTES:
        assert WORDS[attribute.lower().replace("_", " ")] == (attribute, 1)


def test_words_are_normal_and_mean_attributes():
    for phrase, (attribute, value) in WORDS.items():
        assert phrase == " ".join(phrase.lower().split())
        assert phrase.replace(" ", "").isalnum()
        assert attribute in CELEBA_ATTRIBUTES
        assert value in (0, 1)


def test_no_phrase_means_two_things():
    own = [attribute.lower().replace("_", " ") for attribute in CELEBA_ATTRIBUTES]
    said = [p for phrases in _PHRASES.values() for side in phrases if side for p in side.split(", ")]
    assert len(own + said) == len(set(own + said)) == len(WORDS)


@pytest.mark.parametrize(
    ("phrase", "meaning"),
    [
        ("man", ("Male", 1)),
        ("women", ("Male", 0)),
        ("old", ("Young", 0)),
        ("young", ("Young", 1)),
        ("moustache", ("Mustache", 1)),
        ("lipstick", ("Wearing_Lipstick", 1)),
        ("glasses", ("Eyeglasses", 1)),
        ("bald", ("Bald", 1)),
        ("smiles", ("Smiling", 1)),
        ("mouth open", ("Mouth_Slightly_Open", 1)),
        ("closed mouth", ("Mouth_Slightly_Open", 0)),
        ("squinting", ("Narrow_Eyes", 1)),
        ("beard", ("No_Beard", 0)),
        ("no beard", ("No_Beard", 1)),
        ("grey hair", ("Gray_Hair", 1)),
    ],
)
def test_what_people_say(phrase, meaning):
    assert WORDS[phrase] == meaning


def test_words_cannot_be_changed():
    with pytest.raises(TypeError):
        WORDS["dog"] = ("Male", 1)

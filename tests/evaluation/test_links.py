"""Links as they are typed, and what the shell makes of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import QueryError
from causalcf.evaluation.suite import ARROWS, Link, all_links
from causalcf.language import short

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="_"), min_size=1)


@given(NAMES, NAMES, st.sampled_from(ARROWS), st.sampled_from(("", " ")))
def test_every_arrow_means_the_same(cause, effect, arrow, space):
    text = f"{space}{cause}{space}{arrow}{space}{effect}{space}"
    if cause == effect:
        with pytest.raises(QueryError, match=f"{cause}->{effect}"):
            Link.parse(text)
    else:
        assert Link.parse(text) == Link(cause, effect) == Link.parse(str(Link(cause, effect)))


def test_an_arrow_eaten_by_the_shell_is_explained():
    with pytest.raises(QueryError, match=r"--link Young-:.*shell.*Young:Bald"):
        Link.parse("Young-")


@pytest.mark.parametrize(
    "text", ["", "-", "->", "Young", "Young->", "->Bald", "Young->Bald->Male", "Young>Bald", "a-b"]
)
def test_what_is_no_link_is_refused_with_what_is(text):
    with pytest.raises(QueryError, match=rf'--link {re.escape(repr(text))} .*"Young->Bald"'):
        Link.parse(text)


def test_an_unknown_label_is_named_with_the_nearest():
    with pytest.raises(QueryError, match=r"'Bold'.*'Bald'"):
        Link("Young", "Bold").check(("Young", "Bald"))


def test_nine_labels_have_seventy_two_ordered_pairs():
    assert len(set(all_links([f"n{i}" for i in range(9)]))) == 72
    assert short("Young", 0) == "old"  # the words that sentences about links are made of

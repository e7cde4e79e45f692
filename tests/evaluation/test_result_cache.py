"""An evaluation that was interrupted goes on where it stopped."""

import pytest

from causalcf.evaluation.session import FOLDER, ResultCache


def test_a_part_is_made_once_and_only_for_what_it_depends_on(tmp_path):
    made = []

    def make():
        made.append(len(made))
        return {"number": len(made), "of": [1.5, None]}

    first = ResultCache(tmp_path, "settings").get(("links", "a"), make)
    assert ResultCache(tmp_path, "settings").get(("links", "a"), make) == first == {"number": 1, "of": [1.5, None]}
    assert ResultCache(tmp_path, "settings").get(("links", "b"), make)["number"] == 2
    assert ResultCache(tmp_path, "other settings").get(("links", "a"), make)["number"] == 3


def test_what_is_no_json_is_refused_before_it_is_kept(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        ResultCache(tmp_path).get(("x",), lambda: float("nan"))
    assert not list((tmp_path / FOLDER).iterdir())


def test_nothing_is_left_in_the_end(tmp_path):
    pieces = ResultCache(tmp_path)
    pieces.get(("x",), lambda: 1)
    pieces.clear()
    assert not list(tmp_path.iterdir())

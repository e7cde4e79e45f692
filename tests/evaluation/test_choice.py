"""Which runs are taken where none are named: the newest of each kind, and a word on those it was chosen from."""

import json

import pytest
import yaml

from causalcf.errors import RunError
from causalcf.evaluation.inputs import newest_runs


def finished(base, name, approach="dcgan", statements=None, data_size=400):
    folder = base / name
    folder.mkdir()
    recipe = {"approach": approach, "statements": statements, "images": 64, "data": "faces", "data_size": data_size}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "stats.jsonl").write_text(json.dumps({"images": 64}))
    (folder / "meta.json").write_text(json.dumps({"started": f"2026-11-24T10:00:{len(list(base.iterdir())):02}"}))
    return folder


def test_runs_that_differ_in_their_seed_alone_pass_without_a_word(tmp_path):
    finished(tmp_path, "a", statements="faces-true")
    newest = finished(tmp_path, "b", statements="faces-true")
    assert newest_runs(tmp_path) == ([newest], [])


def test_runs_told_other_statements_are_named(tmp_path):
    finished(tmp_path, "plain")
    finished(tmp_path, "true-0", statements="faces-true")
    finished(tmp_path, "true-1", statements="faces-true")
    newest = finished(tmp_path, "false-0", statements="faces-false")
    chosen, (said,) = newest_runs(tmp_path)
    assert chosen == [tmp_path / "plain", newest]
    assert said == (
        "of the dcgan-statements runs only the newest is evaluated, false-0, with statements faces-false; runs with "
        "other statements are left out: true-1 (faces-true); name them with --run"
    )


def test_runs_of_other_data_are_named(tmp_path):
    finished(tmp_path, "small", "causalgan", data_size=100)
    newest = finished(tmp_path, "large")
    assert newest_runs(tmp_path) == ([newest], ["left out: causalgan, whose runs are of other data than large"])


def test_no_run_is_an_error(tmp_path):
    with pytest.raises(RunError, match=rf"{tmp_path}\b.*--run\b"):
        newest_runs(tmp_path)

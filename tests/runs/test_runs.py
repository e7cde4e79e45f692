"""Which runs in a folder are finished and which are newest, whatever else lies there."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from helpers.newest import latest_runs

from causalcf.errors import WriteError
from causalcf.io.files import temporary_beside
from causalcf.io.folders import point_to
from causalcf.runs.directory import FinishedRun, finished_runs, stored_runs
from causalcf.runs.recipe import Recipe


def make(base, name, seen=(64,), images=64, approach="causalgan", started="2025-01-01T10:00:00+00:00", statements=None):
    folder = base / name
    folder.mkdir()
    recipe = Recipe(images=images, approach=approach, statements=statements).to_dict()
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    (folder / "meta.json").write_text(json.dumps({"started": started}))
    (folder / "stats.jsonl").write_text("".join(json.dumps({"images": n}) + "\n" for n in seen))
    return folder


def test_a_run_is_finished_when_its_last_tick_came_with_all_images(tmp_path):
    make(tmp_path, "whole", seen=(32, 64))
    make(tmp_path, "more", seen=(72,))
    make(tmp_path, "part", seen=(32,))
    make(tmp_path, "none", seen=())
    (make(tmp_path, "torn") / "stats.jsonl").write_text('{"images": 64}\n{"ima')
    make(tmp_path, "longer", seen=(64,), images=96)
    found = {run.folder.name: run for run in stored_runs(tmp_path)}
    assert {name for name, run in found.items() if isinstance(run, FinishedRun)} == {"whole", "more"}
    assert {name: run.images for name, run in found.items()} == {
        "whole": 64, "more": 72, "part": 32, "none": 0, "torn": 0, "longer": 64,
    }  # fmt: skip
    assert [run.folder.name for run in finished_runs(tmp_path)] == ["more", "whole"]
    assert found["whole"].recipe == Recipe(images=64).to_dict() and found["whole"].approach == "causalgan"


def test_the_newest_is_the_one_that_started_last(tmp_path):
    make(tmp_path, "a", started="2025-03-01T00:00:00+00:00")
    make(tmp_path, "b", started="2025-01-01T00:00:00+00:00")
    make(tmp_path, "c", approach="dcgan")
    make(tmp_path, "d", approach="dcgan", seen=(8,), started="2026-01-01T00:00:00+00:00")  # never finished
    assert [run.folder.name for run in finished_runs(tmp_path)] == ["b", "c", "a"]
    assert latest_runs(str(tmp_path)) == {"causalgan": tmp_path / "a", "dcgan": tmp_path / "c"}


def test_runs_that_were_told_statements_are_a_kind_of_their_own(tmp_path):
    make(tmp_path, "a", started="2025-01-01T00:00:00+00:00")
    make(tmp_path, "b", started="2025-01-02T00:00:00+00:00", statements="celeba")
    make(tmp_path, "c", started="2025-01-03T00:00:00+00:00", statements="mine.yaml")
    make(tmp_path, "d", started="2025-01-04T00:00:00+00:00", statements="celeba", seen=(8,))  # never finished
    old = make(tmp_path, "e", started="2024-01-01T00:00:00+00:00", approach="dcgan")
    recipe = yaml.safe_load((old / "recipe.yaml").read_text())
    del recipe["statements"]  # older than the option
    (old / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert latest_runs(tmp_path) == {"dcgan": old, "causalgan": tmp_path / "a", "causalgan-statements": tmp_path / "c"}


def test_runs_of_one_second_are_as_old_as_their_numbers(tmp_path):
    names = ["2025-01-01-x-causalgan", *(f"2025-01-01-x-causalgan-{number}" for number in range(2, 12))]
    for name in names:
        make(tmp_path, name)
    assert [run.folder.name for run in finished_runs(tmp_path)] == names


@pytest.mark.parametrize("meta", [None, "{", "[1]", '{"started": 5}', "\udcff"])
def test_without_a_start_the_date_in_the_name_counts(tmp_path, meta):
    old, new = make(tmp_path, "2024-12-31-x-causalgan"), make(tmp_path, "2025-01-02-x-causalgan")
    make(tmp_path, "zzz", started="2025-01-01T23:00:00+00:00")
    for folder in (old, new):
        (folder / "meta.json").unlink()
        if meta is not None:
            (folder / "meta.json").write_bytes(meta.encode(errors="surrogateescape"))
    assert [run.folder.name for run in finished_runs(tmp_path)] == [old.name, "zzz", new.name]


def test_junk_is_passed_over(tmp_path):
    run = make(tmp_path, "run")
    os.symlink(run.name, tmp_path / "latest")
    os.symlink("gone", tmp_path / "dangling")
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").mkdir()
    classifier = tmp_path / "classifier-faces-residual-2025-01-01"
    classifier.mkdir()
    (classifier / "meta.json").write_text(json.dumps({"started": "2025-05-01", "recipe": {"approach": "dcgan"}}))
    for number, text in enumerate(
        [b"", b"- a", b"a: [", b"\xff\xfe", b"images: 64", b"approach: causalgan", b"approach: [causalgan]\nimages: 64",
         b"approach: cyclegan\nimages: 64", b"approach: causalgan\nimages: many", b"approach: {a: b}\nimages: 64"]
    ):  # fmt: skip
        (make(tmp_path, f"junk-{number}") / "recipe.yaml").write_bytes(text)
    (make(tmp_path, "no-recipe") / "recipe.yaml").unlink()
    (make(tmp_path, "folder-as-recipe") / "recipe.yaml").unlink()
    (tmp_path / "folder-as-recipe" / "recipe.yaml").mkdir()
    for number, text in enumerate([b"\xff", b"[64]\n", b'{"images": "64"}\n', b"64\n", b"\n"]):
        (make(tmp_path, f"bad-statistics-{number}") / "stats.jsonl").write_bytes(text)
    (make(tmp_path, "half-written") / "stats.jsonl").unlink()
    assert [found.folder for found in finished_runs(tmp_path)] == [run]
    assert latest_runs(tmp_path) == {"causalgan": run}


def test_no_folder_holds_no_runs(tmp_path):
    assert finished_runs(tmp_path / "nowhere") == [] and latest_runs(tmp_path / "nowhere") == {}
    assert finished_runs(Path(__file__)) == []


def test_real_runs_are_found(runs):
    assert latest_runs(runs / "a") == {"causalgan": (runs / "a" / "latest").resolve()}
    assert latest_runs(runs / "b") == {"dcgan": (runs / "b" / "latest").resolve()}


def test_latest_leads_to_the_newest_and_what_dead_processes_left_of_it_goes(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    ours = temporary_beside(tmp_path / "latest").name
    dead, alive = (ours.replace(str(os.getpid()), str(process)) for process in (gone.pid, os.getppid()))
    for name in (dead, alive):
        (tmp_path / name).symlink_to("a")
    for name in ("a", "b"):
        point_to(tmp_path / name)
        assert os.readlink(tmp_path / "latest") == name
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "latest", alive}


def test_a_folder_in_the_place_of_latest_is_refused_and_left_alone(tmp_path):
    for name in ("a", "latest"):
        (tmp_path / name).mkdir()
    (tmp_path / "latest" / "mine").touch()
    with pytest.raises(WriteError, match=r"/latest\b"):
        point_to(tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == ["a", "latest"] and os.listdir(tmp_path / "latest") == ["mine"]

"""The command line, in a process of its own: help in a second, every mistake one sentence and exit code 2."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from causalcf.checks import option_names
from causalcf.errors import RecipeError, RunError
from causalcf.runs.recipe import Recipe, recipe_from_dict, stored_recipe
from causalcf.train import main, parse_options


def train(*flags, cwd=None):
    command = [sys.executable, "-m", "causalcf.train", *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def test_help_needs_no_torch():
    code = "import sys; from causalcf.train import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in option_names(Recipe):
        assert "--" + option.replace("_", "-") in done.stdout


def test_dry_run_prints_the_resolved_recipe(tmp_path):
    (tmp_path / "mine.yaml").write_text("width: 8\nbatch: 16\n")
    done = train("--batch", "4", "--recipe", "mine.yaml", "--dry-run", cwd=tmp_path)
    told = yaml.safe_load(done.stdout)
    assert done.returncode == 0 and told["width"] == 8 and told["batch"] == 4 and told["name"] == "faces"
    assert recipe_from_dict(told).batch == 4
    assert os.listdir(tmp_path) == ["mine.yaml"]


def test_a_dry_run_of_resuming_prints_the_run_s_own_recipe(runs, capsys):
    run = (runs / "a" / "latest").resolve()
    before = {path: path.read_bytes() for path in run.iterdir()}
    own = yaml.safe_load((run / "recipe.yaml").read_text())
    assert main(["--resume", str(runs / "a" / "latest"), "--dry-run"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == own and own != Recipe().to_dict()
    flags = ["--images", "5000", "--keep=3", "--width", str(own["width"]), "--dry-run"]
    assert main(["--resume", str(run / "checkpoint.pt"), *flags]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {**own, "images": 5000, "keep": 3}
    assert {path: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    ("flags", "error", "culprit"),
    [
        (["--width", "16"], RecipeError, r"\bwidth\b.*\b16\b"),
        (["--keep", "0"], RecipeError, r"\bkeep\b.*\b0\b.*\b1\b"),
        ([], RunError, r"/lates\b.*/latest\b"),
    ],
)
def test_a_dry_run_of_resuming_refuses_what_resuming_refuses(runs, flags, error, culprit):
    run = runs / "a" / ("latest" if flags else "lates")
    for dry in ([], ["--dry-run"]):
        with pytest.raises(error, match=culprit):
            main(["--resume", str(run), *flags, *dry])


def test_a_resumed_run_takes_no_recipe_and_needs_no_file_of_its_graph(runs, tmp_path, monkeypatch):
    run = runs / "a" / "latest"
    with pytest.raises(RecipeError, match="--recipe is faces; it must be left out with --resume"):
        main(["--resume", str(run), "--recipe", "faces", "--dry-run"])
    with pytest.raises(RecipeError, match="approaches"):
        main(["--resume", str(run), "--approaches", "dcgan"])
    monkeypatch.setattr("causalcf.training.experiment.load_graph", lambda name: pytest.fail("read"))
    assert main(["--resume", str(run), "--dry-run"]) == 0


def test_the_number_of_faces_is_no_option_of_photographs(tmp_path):
    for data in ("celeba", "folder"):
        with pytest.raises(RecipeError, match=f"data_size is 10; it must be left out for {data}"):
            main(["--data", data, "--data-root", str(tmp_path), "--data-size", "10", "--dry-run"])
    assert stored_recipe({"data": "celeba", "data_root": "x", "data_size": 10}).data_size == Recipe().data_size


def test_an_empty_run_to_resume_is_no_new_run():
    with pytest.raises(RecipeError, match="--resume"):
        main(["--resume", ""])


@pytest.mark.parametrize(
    ("flags", "name", "data"),
    [
        ([], "faces", "faces"),
        (["--data", "celeba", "--data-root", "x"], "celeba-cpu", "celeba"),
        (["--data", "folder", "--data-root", "x"], "celeba-cpu", "folder"),
        (["--data", "folder", "--data-root", "x", "--recipe", "faces"], "faces", "folder"),
    ],
)
def test_the_recipe_suits_the_data_where_none_is_named(flags, name, data):
    recipe = parse_options(flags).recipe
    assert (recipe.name, recipe.data) == (name, data)


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--widht", "3"], "--widht.*--width"),
        (["--width", "wide"], r"\bwidth\b.*\bwide\b"),
        (["--width", "0"], r"\bwidth\b.*\b0\b.*\b1\b"),
        (["--seed", "4294967296"], r"\bseed\b.*\b4294967296\b.*\[0, 2\^32\)"),
        (["--balance", "2"], r"\bbalance\b.*\b2\.0.*\[0, 1\]"),
        (["--learning-rate=-1"], r"\blearning_rate\b.*-1\.0"),
        (["--noise-dim", "9" * 320], r"\bnoise_dim\b.*9{300}"),  # too long for a float
        (["--statement-stickiness", ".nan"], r"\bstatement_stickiness\b.*\bnan\b"),
        (["--statement-stickiness", "2"], r"\bstatement_stickiness\b.*\b2\.0.*\[0, 1\]"),
        (["--recipe", "fces"], "fces.*'faces'"),
        (["--recipe", "wrong.yaml"], r"wrong\.yaml.*\bwidht\b.*\bwidth\b"),
        (["--recipe", "list.yaml"], r"list\.yaml"),
        (["--recipe", "bytes.yaml"], r"bytes\.yaml"),
        (["--recipe", "twice.yaml"], r"twice\.yaml.*\b2\b.*\'width\'.*\b1\b"),
        (["--recipe", "alias.yaml"], r"alias\.yaml.*\banchors\b"),
        (["--recipe", "empty.yaml"], r"empty\.yaml.*\bempty\b"),
        (["--recipe", "date.yaml"], r"date\.yaml.*\bwidth\b"),
        (["--recipe", "dry.yaml"], r"dry\.yaml.*\bdry_run\b"),
        (["--data", "celeba"], r"\bdata_root\b.*\bceleba\b"),
        (["--data-root", "here"], r"\bdata_root\b.*\bhere\b.*\bfaces\b"),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, flags, culprit):
    (tmp_path / "wrong.yaml").write_text("widht: 3\n")
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "twice.yaml").write_text("width: 3\nwidth: 4\n")
    (tmp_path / "alias.yaml").write_text("name: &a x\ngraph: *a\n")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "date.yaml").write_text("width: 2020-01-01\n")
    (tmp_path / "dry.yaml").write_text("dry_run: true\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=culprit):
        parse_options(flags)


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--widht", "3"], "--widht.*--width"),
        (["--graph", "celebb"], "celebb.*'celeba'"),
        (["--graph", "mine.yaml"], "Smilling"),
        (["--data", "celeba", "--data-root", "nowhere"], "nowhere"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--resume", "nowhere"], "nowhere"),
    ],
)
def test_exit_code_2_and_no_traceback(tmp_path, flags, culprit):
    (tmp_path / "mine.yaml").write_text("nodes: {Smilling: []}\n")
    done = train(*flags, "--data-size=4" if "--data" not in flags else "--seed=0", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ") and re.search(culprit, done.stderr)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_every_recipe_that_is_shipped_is_valid():
    from causalcf.io.yaml import preset_names

    for name in preset_names("train"):
        flags = ["--recipe", name] + (["--data-root", "x"] if "celeba" in name else [])
        assert parse_options(flags).recipe.name == name


def test_a_finished_run_gets_its_own_page(tmp_path, monkeypatch, capsys):
    """Also when another training has become the latest one meanwhile."""
    from causalcf.train import PAGE, main

    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("causalcf.training.watchers.Pictures.__call__", lambda *_: None)
    small = "--images 16 --batch 8 --width 2 --labeler-width 2 --noise-dim 5 --data-size 40 --graph celeba-bald"
    flags = [*small.split(), "--device", "cpu", "--precision", "float32", "--runs-dir", str(tmp_path)]
    assert main(flags) == 0
    first = (tmp_path / "latest").resolve()
    assert "ask it in a browser" in capsys.readouterr().err and (first / PAGE).stat().st_size > 20_000
    (first / PAGE).unlink()
    assert main(flags) == 0
    second = (tmp_path / "latest").resolve()
    assert second != first and (second / PAGE).exists() and not (first / PAGE).exists()
    assert main(["--resume", str(first), "--images", "24"]) == 0
    assert (first / PAGE).exists()

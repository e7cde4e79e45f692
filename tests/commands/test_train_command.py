"""The command line, in a process of its own: help in a second, every mistake one sentence and exit code 2."""

import os
import subprocess
import sys

import pytest
import yaml

from causalcf.checks import option_names
from causalcf.errors import RecipeError, RunError
from causalcf.runs.recipe import Recipe, recipe_from_dict
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
    ("flags", "error", "sentence"),
    [
        (["--width", "16"], RecipeError, "width is 8 in .* and cannot be changed to 16 by resuming; only images"),
        (["--keep", "0"], RecipeError, "keep is 0; it must be at least 1"),
        ([], RunError, "no run directory .*lates; did you mean .*latest"),
    ],
)
def test_a_dry_run_of_resuming_refuses_what_resuming_refuses(runs, flags, error, sentence):
    run = runs / "a" / ("latest" if flags else "lates")
    for dry in ([], ["--dry-run"]):
        with pytest.raises(error, match=sentence):
            main(["--resume", str(run), *flags, *dry])


def test_an_empty_run_to_resume_is_no_new_run():
    with pytest.raises(RecipeError, match="--resume is empty"):
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
    ("flags", "sentence"),
    [
        (["--widht", "3"], "unknown option --widht; did you mean --width?"),
        (["--width", "wide"], 'option "width"'),
        (["--width", "0"], "width is 0; it must be at least 1"),
        (["--seed", "4294967296"], "seed is 4294967296; it must be in [0, 2^32)"),
        (["--balance", "2"], "balance is 2.0; it must be in [0, 1]"),
        (["--learning-rate=-1"], "learning_rate is -1.0"),
        (["--recipe", "fces"], "did you mean 'faces'?"),
        (["--recipe", "wrong.yaml"], "wrong.yaml: unknown key widht; did you mean width?"),
        (["--recipe", "list.yaml"], "list.yaml"),
        (["--recipe", "bytes.yaml"], "bytes.yaml"),
        (["--recipe", "twice.yaml"], "twice.yaml: line 2: duplicate key 'width', first given on line 1"),
        (["--recipe", "alias.yaml"], "anchors and aliases are not allowed"),
        (["--recipe", "empty.yaml"], "the file is empty; a recipe is a mapping from options to values"),
        (["--recipe", "date.yaml"], 'option "width"'),
        (["--recipe", "dry.yaml"], "dry_run belongs on the command line"),
        (["--data", "celeba"], "data_root is None; it must be set when data is celeba"),
        (["--data-root", "here"], "data_root is here; it must be left out for faces"),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, flags, sentence):
    (tmp_path / "wrong.yaml").write_text("widht: 3\n")
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "twice.yaml").write_text("width: 3\nwidth: 4\n")
    (tmp_path / "alias.yaml").write_text("name: &a x\ngraph: *a\n")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "date.yaml").write_text("width: 2020-01-01\n")
    (tmp_path / "dry.yaml").write_text("dry_run: true\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        parse_options(flags)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--widht", "3"], "did you mean --width?"),
        (["--graph", "celebb"], "did you mean"),
        (["--graph", "mine.yaml"], "Smilling"),
        (["--data", "celeba", "--data-root", "nowhere"], "nowhere"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--resume", "nowhere"], "no run directory nowhere"),
    ],
)
def test_exit_code_2_and_no_traceback(tmp_path, flags, sentence):
    (tmp_path / "mine.yaml").write_text("nodes: {Smilling: []}\n")
    done = train(*flags, "--data-size=4" if "--data" not in flags else "--seed=0", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ") and sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_every_recipe_that_is_shipped_is_valid():
    from causalcf.io.yaml import preset_names

    for name in preset_names("train"):
        flags = ["--recipe", name] + (["--data-root", "x"] if name.startswith("celeba") else [])
        assert parse_options(flags).recipe.name == name

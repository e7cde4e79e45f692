"""A run that starts from another one goes on as the other would have, and is refused where it could not."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import yaml
from helpers.newest import latest_runs
from helpers.same_training import difference

from causalcf.errors import CausalCFError, RecipeError, RunError
from causalcf.runs.directory import load_checkpoint, stored_runs
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe
from causalcf.training.experiment import resume_run, start_run
from causalcf.training.step import TrainingStep

pytestmark = pytest.mark.usefixtures("without_pictures")
TINY = Recipe(
    name="tiny", images=96, batch=8, width=2, labeler_width=2, noise_dim=5, data_size=40, tick=32, precision="float32",
    graph="celeba-bald", noise_weight=0.3, device="cpu",
)  # fmt: skip
APPROACHES = ("causalgan", "conditional", "dcgan")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """By approach, the recipes and directories of a run of 40 images and of one of 96; not to be changed."""
    base = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(base / "cache"))
        found = {}
        for approach in APPROACHES:
            recipe = replace(TINY, approach=approach, runs_dir=str(base / "runs"))
            found[approach] = []
            for images in (40, 96):
                one = replace(recipe, images=images)
                assert start_run(one) == 0
                found[approach].append((one, (base / "runs" / "latest").resolve()))
        yield found


def started(tmp_path, short, **changes):
    """The recipe of a run that starts from another one, given with its directory."""
    recipe, folder = short
    return replace(recipe, **{"images": 96, "runs_dir": str(tmp_path / "runs"), "init_from": str(folder), **changes})


def run_of(recipe):
    assert start_run(recipe) == 0
    return latest_runs(recipe.runs_dir)[recipe.approach]


@pytest.mark.parametrize("approach", APPROACHES)
def test_a_started_run_ends_bit_for_bit_where_the_other_would_have_ended(trained, tmp_path, approach):
    short, (_, whole) = trained[approach]
    run = run_of(started(tmp_path, short))
    assert difference(run, whole) == []
    assert difference(short[1], whole) != []  # the comparison sees what more training changes
    steps = [json.loads(line)["step"] for line in (run / "stats.jsonl").read_text().splitlines()]
    assert steps[0] > 5 and steps[-1] == 12


def test_a_started_run_says_what_it_began_with(trained, tmp_path):
    short = trained["dcgan"][0]
    before = {path: path.stat().st_mtime_ns for path in short[1].iterdir()}
    run = run_of(started(tmp_path, short))
    assert {path: path.stat().st_mtime_ns for path in short[1].iterdir()} == before
    assert json.loads((run / "meta.json").read_text())["start"] == {"run": short[1].name, "images": 40}
    assert yaml.safe_load((run / "recipe.yaml").read_text())["init_from"] == str(short[1])
    assert load_run(run).step == 12


def test_a_run_beside_it_is_started_from_by_name(trained, tmp_path):
    recipe, folder = trained["causalgan"][0]
    shutil.copytree(folder, tmp_path / "runs" / folder.name)
    run = run_of(started(tmp_path, (recipe, folder.name)))
    assert yaml.safe_load((run / "recipe.yaml").read_text())["init_from"] == folder.name
    by_path = run_of(started(tmp_path, (recipe, tmp_path / "runs" / folder.name), name="path"))
    assert yaml.safe_load((by_path / "recipe.yaml").read_text())["init_from"] == folder.name
    assert difference(run, by_path) == []


def test_a_started_run_that_was_interrupted_goes_on_without_the_other(trained, tmp_path, monkeypatch):
    (recipe, folder), (_, whole) = trained["causalgan"]
    parent = tmp_path / "runs" / folder.name
    shutil.copytree(folder, parent)
    healthy = TrainingStep.__call__

    def interrupted(self, batch, step, generator):
        if step == 9:
            raise KeyboardInterrupt
        return healthy(self, batch, step, generator)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingStep, "__call__", interrupted)
        start_run(started(tmp_path, (recipe, parent), name="new"))
    shutil.rmtree(parent)
    (run,) = stored_runs(tmp_path / "runs")
    assert load_checkpoint(run.folder)["step"] == 8
    assert resume_run(str(run.folder), {}) == 0
    assert difference(run.folder, whole) == []


def test_what_is_set_otherwise_counts_from_there_on(trained, tmp_path):
    short, (_, whole) = trained["dcgan"]
    run = run_of(started(tmp_path, short, learning_rate=1e-3, generator_rate=2e-3))
    optimisers = load_checkpoint(run)["optimisers"]
    rates = {name: state["param_groups"][0]["lr"] for name, state in optimisers.items()}
    assert rates == {"generator": 2e-3, "discriminator": 1e-3, "noise_reader": 1e-3}
    assert difference(run, whole) != []


def test_precision_is_not_measured_anew(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("causalcf.training.experiment.choose_precision", lambda *_: pytest.fail("measured"))
    run = run_of(started(tmp_path, trained["dcgan"][0], precision="auto"))
    assert load_checkpoint(run)["precision"] == "float32"


@pytest.mark.parametrize(
    ("changes", "error", "culprit"),
    [
        ({"approach": "conditional"}, RecipeError, "approach.*conditional.*causalgan"),
        ({"labels": "adversarial"}, RecipeError, "labels.*adversarial.*likelihood"),
        ({"objective": "hinge"}, RecipeError, "objective.*hinge.*non-saturating"),
        ({"width": 4}, RecipeError, r"\bwidth\b.*\b4\b.*\b2\b"),
        ({"labeler_width": 4}, RecipeError, r"\blabeler_width\b.*\b4\b.*\b2\b"),
        ({"noise_dim": 6}, RecipeError, r"\bnoise_dim\b.*\b6\b.*\b5\b"),
        ({"batch": 4}, RecipeError, r"\bbatch\b.*\b4\b.*\b8\b"),
        ({"seed": 1}, RecipeError, r"\bseed\b.*\b1\b.*\b0\b"),
        ({"noise_weight": 0.0}, RecipeError, r"\bnoise_weight\b.*\b0\.0"),
        ({"graph": "celeba"}, RecipeError, r"\bgraph\b.*\bceleba\b"),
        ({"data_size": 41}, RunError, r"\bdata\b.*--init-from does not"),
        ({"images": 40}, RecipeError, r"\bimages\b.*\b40\b.*\b40\b"),
        ({"init_from": "nowhere"}, RunError, r"\bnowhere\b"),
    ],
)
def test_what_cannot_go_on_is_refused(trained, tmp_path, changes, error, culprit):
    recipe = started(tmp_path, trained["causalgan"][0], **changes)
    with pytest.raises(error, match=culprit) as caught:
        start_run(recipe)
    assert not (tmp_path / "runs").exists()
    if not {"graph", "data_size", "init_from"} & changes.keys():
        assert trained["causalgan"][0][1].name in str(caught.value)


def test_a_run_trained_elsewhere_or_not_at_all_is_refused(trained, tmp_path):
    recipe, folder = trained["dcgan"][0]
    parent = tmp_path / folder.name
    shutil.copytree(folder, parent)
    torch.save({**load_checkpoint(parent), "device": "cuda"}, parent / "checkpoint.pt")
    with pytest.raises(RunError, match=rf"{parent.name}\b.*\bcuda\b.*\bcpu\b"):
        start_run(started(tmp_path, (recipe, parent)))
    (parent / "checkpoint.pt").unlink()
    with pytest.raises(RunError, match=rf"{parent} .*\bcheckpoint\.pt\b"):
        start_run(started(tmp_path, (recipe, parent)))


def test_a_mistyped_name_is_led_to_the_run_among_the_runs(trained, tmp_path):
    recipe, folder = trained["dcgan"][0]
    with pytest.raises(CausalCFError, match=rf"{folder.name[:-1]}\b.*{folder.parent}/{folder.name}\?"):
        start_run(started(tmp_path, (recipe, folder.name[:-1]), runs_dir=recipe.runs_dir))


def test_a_mistake_ends_the_command_with_exit_code_2(tmp_path):
    command = [sys.executable, "-m", "causalcf.train", "--init-from", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and re.match(r"error: .*\bruns/nowhere\b", done.stderr)
    assert list(tmp_path.iterdir()) == []

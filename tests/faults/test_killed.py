"""Training is killed at any moment, resumed, and ends bit for bit where one that was not killed ends.

python -m pytest tests/faults/test_killed.py             # while a checkpoint is written
python -m pytest tests/faults/test_killed.py -m slow     # 40 moments: of each kind one, then drawn at random
"""

import json
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from helpers.killing import Killing
from helpers.same_training import difference
from helpers.tiny_run import recipe_in

from causalcf.runs.directory import CHECKPOINT, finished_runs, stored_runs
from causalcf.runs.loading import load_run
from causalcf.training.experiment import resume_run, start_run


@pytest.fixture(scope="module")
def killing(tmp_path_factory):
    return Killing(tmp_path_factory.mktemp("killing"))


def plan_of(killing, die):
    plan = killing.plan(die)
    return {**plan, "recipe": recipe_in(Path(plan["folder"])).to_dict()}


@pytest.fixture(scope="module")
def whole(killing):
    """A training that lived: its folder, and how often each kind of moment came."""
    plan = plan_of(killing, None)
    assert killing.run([plan]) == [0], (Path(plan["folder"]) / "log").read_text()
    folder = Path(plan["folder"])
    return folder / "runs" / "latest", json.loads((folder / "counted.json").read_text())


def go_on(folder, monkeypatch):
    """What a user does after a crash: resume what can be resumed, else the same command again."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
    runs = folder / "runs"
    if (runs / "latest" / CHECKPOINT).is_file():
        load_run(runs / "latest").sample(2)  # it can be asked as it is, before anything is mended
        assert resume_run(str(runs / "latest"), {}) == 0
    else:
        assert start_run(recipe_in(folder)) == 0
    return runs


def assert_nothing_lost(plan, whole, monkeypatch):
    runs = go_on(Path(plan["folder"]), monkeypatch)
    run = (runs / "latest").resolve()
    assert difference(whole, run) == []
    assert [one.folder for one in finished_runs(runs)] == [run]
    assert all(one.folder == run or one.images == 0 for one in stored_runs(runs))
    told = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert [line["images"] for line in told] == [16, 32, 48]
    pictures = {path.name for path in whole.resolve().glob("*.png")}
    assert {path.name for path in run.glob("*.png")} == pictures
    assert [path for path in [*run.iterdir(), *runs.iterdir()] if path.name.endswith(".tmp")] == []


def moments(counted, n, seed):
    """n moments: every kind of them, then at random among all."""
    draw = random.Random(seed)
    everything = [(kind, number) for kind, times in counted.items() for number in range(1, times + 1)]
    one_each = [(kind, draw.randint(1, times)) for kind, times in counted.items()]
    chosen = (one_each + draw.sample(everything, len(everything)))[:n]
    return [[*moment, draw.choice(["before", "after"])] for moment in chosen]


def check(killing, run, chosen, monkeypatch):
    plans = [plan_of(killing, die) for die in chosen]
    assert killing.run(plans) == [-signal.SIGKILL] * len(plans)
    for plan in plans:
        assert_nothing_lost(plan, run, monkeypatch)


def test_every_kind_of_moment_comes(whole):
    kinds = Counter(whole[1])
    assert len(kinds) == 7 and min(kinds.values()) >= 1


def test_killed_while_a_checkpoint_is_written(killing, whole, monkeypatch):
    run, counted = whole
    named = counted["a file taking its name"] // 2
    chosen = [["a checkpoint on its way to the disk", 2, "after"], ["a file taking its name", named, "before"]]
    check(killing, run, chosen, monkeypatch)


@pytest.mark.slow
def test_killed_at_forty_random_moments(killing, whole, monkeypatch):
    run, counted = whole
    check(killing, run, moments(counted, 40, 1), monkeypatch)


def test_the_comparison_sees_one_step_less(killing, whole, tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    start_run(recipe_in(tmp_path, images=40))
    assert difference(whole[0], tmp_path / "runs" / "latest") != []

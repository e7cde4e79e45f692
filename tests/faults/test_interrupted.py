"""A signal that arrives between two looks for one: the step under way is done, kept and told, and nothing is lost."""

import json
import math
import os
import signal

import pytest
from helpers.same_training import difference
from helpers.tiny_run import recipe_in

from causalcf.cli.command import INTERRUPTED
from causalcf.runs.directory import load_checkpoint
from causalcf.training import loop as training
from causalcf.training.experiment import resume_run, start_run
from causalcf.training.watchers import Pictures


@pytest.fixture
def signal_after(monkeypatch, tmp_path):
    """Sends this process a signal right after the training has looked for one the n-th time, and seen none."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Pictures, "__call__", lambda *_: None)  # which take longer than all else, and change nothing
    usual, looks = training.anywhere, []

    def send(n, kind):
        def anywhere(flag):
            seen = usual(flag)
            looks.append(seen)
            if len(looks) == n:
                os.kill(os.getpid(), kind)
            return seen

        monkeypatch.setattr(training, "anywhere", anywhere)
        return looks

    return send


# The first look is before the first step, the third between two ticks.
@pytest.mark.parametrize(("look", "steps", "kind"), [(1, 1, signal.SIGTERM), (3, 3, signal.SIGINT)])
def test_a_signal_between_two_looks_costs_a_step_and_no_traceback(tmp_path, trained, signal_after, look, steps, kind):
    looks = signal_after(look, kind)
    assert start_run(recipe_in(tmp_path)) == INTERRUPTED
    assert looks[:look] == [False] * look and looks[-1] is True
    run = tmp_path / "runs" / "latest"
    assert load_checkpoint(run)["step"] == steps
    told = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert told[-1]["step"] == steps and {"real", "fake"} <= told[-1].keys()
    assert all(math.isfinite(value) for line in told for value in line.values())
    assert resume_run(str(run), {}) == 0
    assert difference(trained, run) == []

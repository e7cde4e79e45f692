"""The same seed gives the same, to the bit: twice in one process and in another one (CPU, same number of threads)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers.same_training import difference
from helpers.tiny_run import recipe_in

from causalcf.eval import main as evaluate
from causalcf.runs.loading import load_run
from causalcf.training.experiment import start_run

SAMPLE = """
import hashlib, sys, torch
from causalcf.runs.loading import load_run
run = load_run(sys.argv[1])
worlds = run.sample(8, generator=torch.Generator().manual_seed(3))
print(hashlib.sha256(worlds.images.numpy().tobytes() + worlds.labels.numpy().tobytes()).hexdigest())
"""
TRAIN = """
import sys
from pathlib import Path
from helpers.tiny_run import recipe_in
from causalcf.training.experiment import start_run
import torch
torch.set_num_threads(int(sys.argv[2]))
start_run(recipe_in(Path(sys.argv[1])))
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))


def in_another_process(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=_environment()).stdout


def _environment():
    return {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[1]}:{os.environ.get('PYTHONPATH', '')}"}


def test_training(tmp_path, trained):
    start_run(recipe_in(tmp_path / "again"))
    assert difference(trained, tmp_path / "again" / "runs" / "latest") == []
    in_another_process(TRAIN, tmp_path / "other", torch.get_num_threads())
    assert difference(trained, tmp_path / "other" / "runs" / "latest") == []
    start_run(recipe_in(tmp_path / "seed", seed=1))
    assert difference(trained, tmp_path / "seed" / "runs" / "latest") != []


def test_sampling(trained):
    first, again = (load_run(trained).sample(8, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)
    hashes = {in_another_process(SAMPLE, trained) for _ in range(2)}
    assert len(hashes) == 1


def test_evaluation(run, judge_folder, tmp_path):
    common = ["--link=Male->Bald", "--run", str(run), "--judge", str(judge_folder), "--half-width=.098"]
    found = []
    for name, seed in (("first", "0"), ("again", "0"), ("seed", "1")):
        evaluate([*common, "--seed", seed, "--out", str(tmp_path / name)])
        report = json.loads((tmp_path / name / "report.json").read_text())
        found.append([report["links"], report["axioms"], report["realism"]])
    assert found[0] == found[1] != found[2]

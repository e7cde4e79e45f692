"""Oracle: one process with the whole batch. Two with half of it each come to the same losses and weights."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from helpers.several_processes import by_one, by_two, penalty_gradients, save_reader, steps
from helpers.step_toys import ALL_OPTIONS

from causalcf.cli.command import run as run_command
from causalcf.distributed.group import own_device
from causalcf.errors import RecipeError
from causalcf.graph.files import load_graph
from causalcf.runs.directory import load_checkpoint
from causalcf.runs.recipe import Recipe
from causalcf.train import main
from causalcf.training.experiment import resume_run

TINY = Recipe(
    name="tiny", images=96, batch=8, width=2, labeler_width=2, noise_dim=5, data_size=40, tick=32,
    precision="float32", device="cpu", noise_weight=0.3, r1=0.5, graph="celeba-bald",
)  # fmt: skip
# An untrained reader sees all as old or all as young.
SAID = """
statements:
  old: If someone were old, they would be bald.
  young: If someone were young, they would be bald.
"""
TELLING = {"statement_from": 8, "statement_interval": 16, "statement_group": 4}
TRAININGS = {
    "causalgan": (replace(TINY, batch=64), 20),
    "dcgan": (replace(TINY, approach="dcgan"), 4),
    "conditional": (replace(TINY, approach="conditional"), 4),
    "augmented": (replace(TINY, augment=True, label_noise=0.3, even_kernels=True), 4),
    "all options": (replace(TINY, batch=32, **ALL_OPTIONS), 4),
    "wgan-gp": (replace(TINY, objective="wgan-gp"), 2),
    "relativistic": (replace(TINY, objective="relativistic", r1=None), 2),
}
TOLD = {"causalgan told": replace(TINY, **TELLING), "dcgan told": replace(TINY, approach="dcgan", **TELLING)}
LEFT_OUT = ["causalcf.training.step.share_batch_norm", "causalcf.training.step.average_over_processes"]
SHORT = (TINY, 4)
TOLERANCE = 1e-9  # of float64 sums in another order; what is wrong moves losses by 1e-3 (see the controls)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def trainings(own_cache, tmp_path_factory):
    """Recipes and how many steps of each, statements among them."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "said.yaml").write_text(SAID)
    reader = save_reader(folder / "reader", load_graph(TINY.graph).nodes)
    files = {"statements": str(folder / "said.yaml"), "statement_classifier": str(reader)}
    told = {name: (replace(recipe, **files), 6) for name, recipe in TOLD.items()}
    return {**TRAININGS, **told, "short": SHORT}


@pytest.fixture(scope="module")
def alone(trainings, tmp_path_factory):
    """One process's trainings."""
    return by_one({name: (steps, training, ()) for name, training in trainings.items()}, tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def together(trainings, alone, tmp_path_factory):
    """Each of two processes' trainings."""
    jobs = {name: (steps, training, ()) for name, training in trainings.items()}
    jobs |= {name: (steps, SHORT, (name,)) for name in LEFT_OUT}
    jobs["goes on"] = steps, (*SHORT, stored(alone["short"], tmp_path_factory)), ()
    jobs |= {f"by ddp: {by_ddp}": (penalty_gradients, (by_ddp,), ()) for by_ddp in (True, False)}
    return by_two(jobs, tmp_path_factory.mktemp("two"))


def stored(training, tmp_path_factory):
    """The state of a training in a file."""
    path = tmp_path_factory.mktemp("state") / "state.pt"
    torch.save(training["state"], path)
    return path


def distance(a, b):
    """The largest difference between two trainings' losses, and that between their weights."""
    assert [step.keys() for step in a["losses"]] == [step.keys() for step in b["losses"]]
    assert a["weights"].keys() == b["weights"].keys()
    losses = [abs(x[name] - y[name]) for x, y in zip(a["losses"], b["losses"], strict=True) for name in x]
    weights = [float((a["weights"][name] - b["weights"][name]).abs().max()) for name in a["weights"]]
    return max(losses), max(weights)


@pytest.mark.parametrize("name", [*TRAININGS, *TOLD])
def test_two_processes_train_as_one_with_the_whole_batch(alone, together, name):
    assert max(distance(alone[name], together[0][name])) < TOLERANCE
    assert torch.equal(alone[name]["random"], together[0][name]["random"])


@pytest.mark.parametrize("name", [*TRAININGS, *TOLD])
def test_processes_stay_alike_to_the_bit(together, name):
    first, second = (found[name] for found in together)
    assert all(torch.equal(first["weights"][key], second["weights"][key]) for key in first["weights"])
    assert first["losses"] == second["losses"] and torch.equal(first["random"], second["random"])


@pytest.mark.slow
@pytest.mark.parametrize("approach", ["causalgan", "conditional", "dcgan"])
def test_two_processes_train_as_one_for_longer(tmp_path, approach):
    training = replace(TINY, approach=approach, batch=64, width=4, labeler_width=4), 40
    assert max(distance(steps(*training), by_two({"all": (steps, training, ())}, tmp_path)[0]["all"])) < TOLERANCE


def test_statements_were_told(alone):
    for name in TOLD:
        assert alone[name]["losses"][-1]["statements"] > 0
        assert alone[name]["state"]["telling"]["means"]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_the_comparison_notices_what_is_left_out(alone, together, name):
    losses, weights = distance(alone["short"], together[0][name])
    assert losses > 1000 * TOLERANCE and weights > 1000 * TOLERANCE


def test_a_training_of_two_goes_on_as_one_and_one_as_two(together, tmp_path_factory):
    whole = steps(TINY, 8)
    as_one = steps(*SHORT, stored(together[0]["short"], tmp_path_factory))
    for parts in (as_one, together[0]["goes on"]):
        assert max(distance({**whole, "losses": whole["losses"][4:]}, parts)) < TOLERANCE


def test_distributed_data_parallel_would_not_average_a_penalty(together):
    """It averages what `backward` accumulates, and the step takes gradients by `torch.autograd.grad`."""
    whole = penalty_gradients(by_ddp=False)
    ours, theirs = ([found[f"by ddp: {by_ddp}"] for found in together] for by_ddp in (False, True))
    assert all(torch.allclose(one, whole, rtol=1e-4) for one in ours)
    assert not torch.allclose(*theirs, rtol=0.01)


RIGGED = """
import os, signal, sys
from causalcf.cli.command import run_together
from causalcf.training.step import TrainingStep
from causalcf.train import main

healthy = TrainingStep.__call__

def rigged(self, batch, step, generator):
    if step == 5 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.{kind})
    return healthy(self, batch, step, generator)

TrainingStep.__call__ = rigged
sys.exit(run_together(main))
"""


def torchrun(folder, *arguments, program=("-m", "causalcf.train")):
    """How two processes of a command line end, and what they say."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        *program,
        *arguments,
    ]
    environment = {**os.environ, "COLUMNS": "200", "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return ended.returncode, ended.stderr


def rigged(folder, kind, *arguments):
    """The second process gets a signal in the middle of the sixth step."""
    (folder / "rigged.py").write_text(RIGGED.format(kind=kind))
    return torchrun(folder, *flags(TINY), *arguments, program=("rigged.py",))


def flags(recipe):
    return [f"--{key.replace('_', '-')}={value}" for key, value in recipe.to_dict().items() if value is not None]


def ticks(run):
    return [json.loads(line)["step"] for line in (run / "stats.jsonl").read_text().splitlines()]


def test_asked_to_stop_one_process_stops_all_at_the_same_step(tmp_path):
    code, said = rigged(tmp_path, "SIGTERM")
    assert code != 0 and said.count("interrupted at 48 images") == 1 and "error:" not in said, said
    run = tmp_path / "runs" / "latest"
    assert load_checkpoint(run)["step"] == 6
    assert resume_run(str(run), {}) == 0  # by one process
    assert load_checkpoint(run)["step"] == 12 and ticks(run) == [4, 6, 8, 12]


def test_a_killed_process_ends_all_with_one_word_and_two_go_on(tmp_path):
    code, said = rigged(tmp_path, "SIGKILL")
    # Or torchrun's SIGTERM comes first, and is told of as any other.
    assert code != 0 and said.count("error: another process is gone") + said.count("\ninterrupted") == 1, said
    assert "SIGKILL" in said  # torchrun's summary
    run = tmp_path / "runs" / "latest"
    assert load_checkpoint(run)["step"] == 4
    code, said = torchrun(tmp_path, "--resume", "runs/latest")
    assert code == 0 and said.count("finished: 96 images") == said.count("2 processes") == 1, said
    assert load_checkpoint(run)["step"] == 12 and ticks(run) == [4, 8, 12]


def test_a_mistake_is_said_once(tmp_path):
    code, said = torchrun(tmp_path, *flags(replace(TINY, batch=7)))
    assert code != 0 and len(re.findall(r"error: .*\bbatch\b.*\b7\b.*\b2\b", said)) == said.count("error:") == 1, said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("rank", "code"), [("0", 2), ("1", 0)])
def test_a_command_for_one_process_refuses_several_and_says_so_once(monkeypatch, capsys, rank, code):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", rank)
    assert run_command(lambda: pytest.fail("it was run")) == code
    assert bool(re.match("error: .*one process", capsys.readouterr().err)) == (rank == "0")


def test_a_comparison_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(RecipeError, match=r"\bcompare\b.*one process"):
        main(["--recipe", "compare"])


@pytest.mark.parametrize(("name", "devices", "wanted"), [("auto", 0, "auto"), ("cpu", 2, "cpu"), ("cuda", 2, "cuda:1")])
def test_each_process_takes_a_device_of_its_own(monkeypatch, name, devices, wanted):
    several(monkeypatch, devices)
    assert own_device(name) == wanted


@pytest.mark.parametrize(("name", "devices", "culprit"), [("cuda:1", 2, "cpu or cuda"), ("auto", 1, "per-node 1")])
def test_devices_that_cannot_be_shared_out_are_refused(monkeypatch, name, devices, culprit):
    several(monkeypatch, devices)
    with pytest.raises(RecipeError, match=culprit):
        own_device(name)


def several(monkeypatch, devices):
    """As the second of two processes on a machine with so many CUDA devices sees it."""
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("causalcf.distributed.group.size", lambda: 2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: None)

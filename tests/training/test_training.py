"""A training that is interrupted, killed or resumed ends where an uninterrupted one ends, to the bit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from helpers.same_training import difference, leaves
from helpers.step_toys import ALL_OPTIONS

from causalcf.networks.dcgan import EvenTransposed
from causalcf.networks.skip import SkipGenerator
from causalcf.runs.directory import load_checkpoint
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe
from causalcf.training.experiment import resume_run, start_run
from causalcf.training.loop import DivergedError, next_tick

TINY = Recipe(
    name="tiny",
    images=96,
    batch=8,
    width=2,
    labeler_width=2,
    noise_dim=5,
    data_size=40,
    tick=32,
    precision="float32",
    r1=0.3,
)
pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def recipe(tmp_path, **changes):
    return replace(TINY, runs_dir=str(tmp_path / "runs"), **changes).validate()


def test_a_finished_run_is_given_another_truncation(tmp_path):
    assert start_run(recipe(tmp_path)) == 0
    folder = tmp_path / "runs" / "latest"
    before = load_run(folder, "cpu")
    assert resume_run(str(folder), {"truncation": 0.5}) == 0
    after = load_run(folder, "cpu")
    assert (before.recipe.truncation, after.recipe.truncation) == (1.0, 0.5) and before.step == after.step
    noise = before.sample_noise(4, torch.Generator().manual_seed(0))
    assert torch.equal(after.sample_noise(4, torch.Generator().manual_seed(0)), noise / 2)
    labels = torch.zeros(4, len(before.graph.nodes))
    assert torch.equal(after.generate(noise, labels), before.generate(noise, labels))


@pytest.mark.parametrize("approach", ["causalgan", "conditional", "dcgan"])
def test_a_resumed_training_ends_bit_for_bit_where_an_uninterrupted_one_ends(tmp_path, approach):
    whole = recipe(tmp_path / "whole", approach=approach)
    assert start_run(whole) == 0
    assert start_run(recipe(tmp_path / "parts", approach=approach, images=40)) == 0
    parts = tmp_path / "parts" / "runs" / "latest"
    assert resume_run(str(parts), {"images": 96}) == 0
    assert difference(tmp_path / "whole" / "runs" / "latest", parts) == []
    steps = [json.loads(line)["step"] for line in (parts / "stats.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps)) and steps[-1] == 12


@pytest.mark.parametrize("approach", ["causalgan", pytest.param("dcgan", marks=pytest.mark.slow)])
def test_with_all_options_too_a_training_resumed_from_the_middle_ends_bit_for_bit_the_same(tmp_path, approach):
    assert start_run(recipe(tmp_path, approach=approach, graph="celeba-bald", keep=4, **ALL_OPTIONS)) == 0
    whole = (tmp_path / "runs" / "latest").resolve()
    parts = shutil.copytree(whole, tmp_path / "parts")
    assert load_checkpoint(parts / "checkpoint.1.pt")["step"] == 8
    assert resume_run(str(parts / "checkpoint.1.pt"), {}) == 0
    assert difference(whole, parts) == []
    state = load_checkpoint(whole)
    assert state["optimisers"].keys() >= {"encoder", "noise_reader"}
    rates = {name: memory["param_groups"][0]["lr"] for name, memory in state["optimisers"].items()}
    assert 0.1 < rates["encoder"] / TINY.learning_rate < 0.3  # in the step before the last


def test_a_loaded_run_draws_with_the_kernels_that_it_was_trained_with(tmp_path):
    """Even kernels have the same weights to store as any others: the recipe alone tells them apart."""
    assert start_run(recipe(tmp_path, images=16, even_kernels=True)) == 0
    layers = load_run(tmp_path / "runs" / "latest").generator.layers
    kinds = {type(layer) for layer in layers if isinstance(layer, torch.nn.ConvTranspose2d)}
    assert kinds == {EvenTransposed}


def test_a_loaded_run_draws_with_the_generator_that_it_was_trained_with(tmp_path):
    assert start_run(recipe(tmp_path, images=16, generator="skip")) == 0
    run = load_run(tmp_path / "runs" / "latest")
    assert isinstance(run.generator, SkipGenerator)
    assert run.sample(2).images.shape == (2, 3, 64, 64)


def test_another_seed_is_another_training(tmp_path):
    start_run(recipe(tmp_path / "a", images=16))
    start_run(recipe(tmp_path / "b", images=16, seed=1))
    assert difference(tmp_path / "a" / "runs" / "latest", tmp_path / "b" / "runs" / "latest") != []


def launch(folder, *flags):
    options = [f"--{key.replace('_', '-')}={value}" for key, value in TINY.to_dict().items() if value is not None]
    command = [sys.executable, "-m", "causalcf.train", *options, "--runs-dir=runs", *flags]
    return subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}
    )


def wait_for_step(folder, least):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        stats = folder / "runs" / "latest" / "stats.jsonl"
        lines = stats.read_text().splitlines() if stats.is_file() else []
        if lines and json.loads(lines[-1])["step"] >= least:
            return
        time.sleep(0.02)
    raise AssertionError(f"no step {least} within two minutes")


# SIGKILL, and SIGTERM in the same process: tests/faults
@pytest.mark.parametrize("kind", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_interrupted_in_the_middle_then_resumed(tmp_path, kind):
    process = launch(tmp_path, "--images=100000")
    wait_for_step(tmp_path, 8)
    process.send_signal(kind)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in said
    run = tmp_path / "runs" / "latest"
    assert load_run(run).sample(2).images.shape == (2, 3, 64, 64)
    step = load_checkpoint(run)["step"]
    target = (step + 6) * TINY.batch
    assert resume_run(str(run), {"images": target}) == 0
    start_run(recipe(tmp_path / "whole", images=target))
    assert difference(run, tmp_path / "whole" / "runs" / "latest") == []


def test_training_touches_no_global_random_state(tmp_path):
    before = torch.get_rng_state()
    start_run(recipe(tmp_path, images=16))
    assert torch.equal(before, torch.get_rng_state())


def test_a_diverged_training_says_so_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    from causalcf.training.step import TrainingStep

    healthy = TrainingStep.__call__

    def poisoned(self, batch, step, generator):
        losses = healthy(self, batch, step, generator)
        return {**losses, "real": losses["real"] * float("nan")} if step == 6 else losses

    monkeypatch.setattr(TrainingStep, "__call__", poisoned)
    with pytest.raises(DivergedError, match=r"\breal\b.*\b8\b"):
        start_run(recipe(tmp_path))
    state = load_checkpoint(tmp_path / "runs" / "latest")
    assert state["step"] == 4
    assert all(v.isfinite().all() for v in leaves(state["networks"]).values())


def test_first_ticks_come_early_then_every_tick():
    ticks, images = [], 0
    while images < 30_000:
        images = next_tick(images, 8192)
        ticks.append(images)
    assert ticks == [1024, 2048, 4096, 8192, 16384, 24576, 32768]
    assert next_tick(0, 500) == 500

"""Sampling, reading and evaluating on a CUDA device, pretended where there is none. Oracle: the same on the CPU.
A tensor that is left on the CPU, where the network is not, is an error.
"""

import json
from dataclasses import replace

import pytest
import torch
from helpers.pretend_cuda import pretended_cuda

from causalcf.classifiers.storage import load_classifier
from causalcf.eval import main as evaluate
from causalcf.networks.bundle import build_generator
from causalcf.runs.loading import load_run


@pytest.fixture(autouse=True)
def cache(runs, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))


def drawn(run):
    generator = torch.Generator().manual_seed(0)
    worlds = run.sample(8, generator=generator)
    asked = {"observe": {"Male": 0}, "stickiness": 0.5, "draws": 2, "budget": 300, "method": "rejection"}
    found = run.counterfactual(worlds, generator=generator, **asked)
    return worlds.images, worlds.labels, run.classify(worlds.images), found.images, found.labels, found.noise


@pytest.mark.parametrize("name", ["a", "b"])
def test_worlds_and_counterfactuals_are_those_of_the_cpu(runs, judge_folder, name):
    on_cpu = drawn(load_run(runs / name / "latest", "cpu", judge_folder))
    with pretended_cuda():
        run = load_run(runs / name / "latest", "cuda", judge_folder)
        assert run.device.type == "cuda"
        on_cuda = drawn(replace(run, precision="float32"))
    assert all(torch.equal(a, b) and b.device.type == "cpu" for a, b in zip(on_cpu, on_cuda, strict=True))


def test_tuned_weights_go_to_the_device(runs, judge_folder, monkeypatch):
    monkeypatch.setattr("causalcf.runs.abduction.TUNING_STEPS", 1)
    monkeypatch.setattr("causalcf.runs.abduction.STEPS", 1)
    run = replace(load_run(runs / "a" / "latest", "cpu", judge_folder), precision="float32")
    generator = torch.Generator().manual_seed(0)
    worlds = run.abduct(run.sample(1, generator=generator).images, method="tune", generator=generator)
    asked = worlds.noise, worlds.labels, worlds.tuned[0]
    with pretended_cuda():
        there = replace(load_run(runs / "a" / "latest", "cuda", judge_folder), precision="float32")
        assert torch.equal(there.generate(*asked), run.generate(*asked))


@pytest.mark.parametrize("kind", ["dcgan", "skip"])
def test_each_generator_keeps_to_its_device(kind):
    network = build_generator(kind, 5, 3, 8).eval().requires_grad_(False)
    noise, labels = torch.rand(4, 5), torch.ones(4, 3)
    on_cpu = network(noise, labels)
    with pretended_cuda() as device:
        there = network.to(device)
        assert torch.equal(there(noise.to(device), labels.to(device)).cpu(), on_cpu)
        with pytest.raises(RuntimeError, match="CPU"):
            there(noise.to(device), labels)
        weight = there.project.weight
        there.project._parameters["weight"] = weight.cpu()  # a weight that was forgotten
        with pytest.raises(RuntimeError, match="CPU"):
            there(noise.to(device), labels.to(device))


def test_a_classifier_reads_as_on_the_cpu(judge_folder):
    images = torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    on_cpu = load_classifier(judge_folder, "cpu")(images)
    with pretended_cuda():
        there = load_classifier(judge_folder, "cuda")
        assert there.device.type == "cuda"
        assert torch.equal(there(images), on_cpu)


def test_an_evaluation_measures_what_it_measures_on_the_cpu(runs, judge_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("causalcf.evaluation.measure.REAL", 100)
    named = ["--judge", str(judge_folder), "--classifier", str(judge_folder), "--half-width=.098", "--budget=3"]
    runs_of = ["--run", *(str(runs / name / "latest") for name in "ab")]
    reports = []
    for device in ("cpu", "cuda"):
        out = tmp_path / device
        flags = ["--link=Male->Bald", *runs_of, *named, "--out", str(out), "--device", device]
        if device == "cpu":
            evaluate(flags)
        else:
            with pretended_cuda():
                evaluate(flags)
        reports.append(json.loads((out / "report.json").read_text()))
    on_cpu, on_cuda = reports
    assert on_cuda["provenance"]["device"] != on_cpu["provenance"]["device"]
    for part in ("links", "axioms", "realism"):
        assert on_cuda[part] == on_cpu[part]

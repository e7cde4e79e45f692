"""Runs and a classifier made before the package was laid out anew load, answer as they did, and go on training."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import causalcf as cf
from causalcf.train import main as train

EARLIER = Path(__file__).parent / "earlier"
ANSWERS = json.loads((EARLIER / "answers.json").read_text())


def seeded():
    return torch.Generator().manual_seed(0)


def close(found, expected):
    return torch.allclose(torch.as_tensor(found).double(), torch.tensor(expected, dtype=torch.float64), atol=1e-4)


def pixels(images):
    return images[:, :, ::21, ::21].flatten(1)


def test_a_run_answers_as_it_did():
    run, answers = cf.load_run(EARLIER / "causalgan", "cpu", EARLIER / "classifier"), ANSWERS["causalgan"]
    worlds = run.sample(4, generator=seeded())
    generator = seeded()
    run.sample(4, generator=generator)
    counterfactual = run.counterfactual(worlds, do={"Young": 0}, draws=2, generator=seeded())
    assert run.step == answers["step"]
    assert run.labels.probability({"Bald": 1}, given={"Male": 1}, do={"Young": 0}) == pytest.approx(
        answers["probability"], abs=1e-12
    )
    assert worlds.labels.tolist() == answers["labels"]
    assert counterfactual.labels.tolist() == answers["counterfactual"]
    assert close(pixels(worlds.images), answers["pixels"])
    read = cf.load_run(EARLIER / "causalgan", "cpu").classify(worlds.images)
    assert close(read, answers["read"])


def test_a_run_without_labels_and_a_classifier_answer_as_they_did():
    classifier = cf.load_classifier(EARLIER / "classifier", "cpu")
    assert list(classifier.attributes) == ANSWERS["classifier"]["attributes"]
    run = cf.load_run(EARLIER / "dcgan", "cpu", classifier=classifier)
    worlds = run.sample(4, generator=seeded())
    assert close(pixels(worlds.images), ANSWERS["dcgan"]["pixels"])
    assert close(classifier(worlds.images), ANSWERS["classifier"]["read"])
    assert worlds.labels.tolist() == ANSWERS["dcgan"]["labels"]


@pytest.mark.parametrize("name", ["causalgan", "dcgan"])
def test_a_run_goes_on_training(tmp_path, name, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(EARLIER / name, tmp_path / "runs" / name)
    assert train(["--resume", str(folder), "--images", "32"]) == 0
    assert [json.loads(line)["images"] for line in (folder / "stats.jsonl").read_text().splitlines()] == [16, 32]
    assert cf.load_run(folder).step == 4


def test_the_report_of_a_classifier_is_written_anew(tmp_path, monkeypatch):
    from causalcf.classify import main as classify

    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(EARLIER / "classifier", tmp_path / "runs" / "classifier")
    assert classify(["--report-only", str(folder), "--device", "cpu"]) == 0
    old, new = (json.loads((place / "report.json").read_text()) for place in (EARLIER / "classifier", folder))
    assert old["attributes"].keys() == new["attributes"].keys()
    for label, scores in old["attributes"].items():
        assert new["attributes"][label]["auroc"]["value"] == pytest.approx(scores["auroc"]["value"], abs=1e-3)

"""Counterfactual worlds of loaded runs, against the label SCM's exact answers and a classifier known in closed form."""

from dataclasses import replace

import pytest
import torch
from scipy.stats import binomtest
from torch import nn

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.errors import ImpossibleWorldError, RunError, UnreachedError
from causalcf.runs.loading import load_run

ALPHA = 1e-5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Bright(nn.Module):
    """Reads nine labels: whether the image is brighter than `level` on each of nine patches."""

    def __init__(self, levels):
        super().__init__()
        self.levels = nn.Parameter(levels)

    def forward(self, images):
        patches = nn.functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), 3).flatten(1)
        return (patches - self.levels) * 1e4


def bright(run):
    """A classifier that finds every label in half of the run's images."""
    images = run.generate(run.sample_noise(2000, seeded(9))) * 2 - 1
    levels = nn.functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), 3).flatten(1).median(0).values
    nodes = run.graph.nodes
    same = Calibration(torch.ones(9), torch.zeros(9))
    return AttributeClassifier(nodes, Bright(levels), tuple(range(9)), same, (0.5,) * 9, False, ("bright", 0))


def test_at_stickiness_one_a_null_antecedent_returns_the_same_image_to_the_bit(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(37, given={"Young": 1}, generator=seeded())
    same = run.counterfactual(worlds, do={"Young": 1}, draws=3, generator=seeded())
    assert torch.equal(same.images, worlds.images[:, None].expand_as(same.images))
    assert torch.equal(same.noise[:, 2], worlds.noise) and torch.equal(same.labels[:, 1], worlds.labels)
    other = run.counterfactual(worlds, do={"Young": 0}, generator=seeded())
    assert (other.images[:, 0] != worlds.images).flatten(1).any(1).all()
    looser = run.counterfactual(worlds, do={"Young": 1}, stickiness=0.5, generator=seeded())
    assert (looser.images[:, 0] != worlds.images).flatten(1).any(1).all()


def test_images_are_the_generators_of_the_counterfactual_noise_and_labels(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(8, generator=seeded())
    found = run.counterfactual(worlds, do={"Male": 1}, stickiness=0.7, draws=2, generator=seeded())
    assert found.images.shape == (8, 2, 3, 64, 64) and found.labels.shape == (8, 2, 9)
    again = run.generate(found.noise.flatten(0, 1), found.labels.flatten(0, 1)).view_as(found.images)
    assert torch.allclose(found.images, again, atol=1e-5)


def test_labels_follow_the_exact_counterfactual_law_and_noise_its_own_stickiness(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(1, given={"Young": 1, "Male": 1, "Bald": 0}, generator=seeded())
    found = run.counterfactual(
        worlds, do={"Young": 0}, stickiness=0.77, draws=3000, generator=seeded(), noise_stickiness=0.5
    )
    facts = dict(zip(run.graph.nodes, worlds.labels[0].tolist(), strict=True))
    exact = run.labels.counterfactual_probability({"Bald": 1}, facts, do={"Young": 0}, stickiness=0.77)
    bald = int(found.labels[0, :, run.graph.nodes.index("Bald")].sum())
    assert binomtest(bald, 3000, exact).pvalue > ALPHA
    assert binomtest(bald, 3000, exact + 0.05).pvalue < ALPHA  # it would have shown
    kept = int((found.noise == worlds.noise[:, None]).sum())
    assert binomtest(kept, 15000, 0.5).pvalue > ALPHA > binomtest(kept, 15000, 0.77).pvalue


def test_observing_changes_causes_and_doing_does_not(runs):
    run = load_run(runs / "a" / "latest")
    worlds = run.sample(200, given={"Male": 0}, generator=seeded())
    male = run.graph.nodes.index("Male")
    done = run.counterfactual(worlds, do={"Mustache": 1}, generator=seeded())
    seen = run.counterfactual(worlds, observe={"Mustache": 1}, stickiness=0.5, generator=seeded())
    assert int(done.labels[..., male].sum()) == 0 and float(seen.labels[..., male].float().mean()) > 0.9


def test_a_dcgan_run_is_asked_through_a_classifier(runs):
    run = load_run(runs / "b" / "latest")
    run = replace(run, antecedent_classifier=bright(run))
    male = run.graph.nodes.index("Male")
    worlds = run.sample(6, given={"Male": 0}, generator=seeded())
    assert (worlds.labels[:, male] == 0).all() and torch.equal(
        run.antecedent_classifier.labels(worlds.images), worlds.labels
    )
    done = []
    found = run.counterfactual(
        worlds, observe={"Male": 1}, stickiness=0.5, draws=4, generator=seeded(), on_unit=done.append
    )
    assert done == [1] * 6
    with pytest.raises(UnreachedError, match=r"\bMale=1\b.*budget|budget.*\bMale=1\b"):
        run.counterfactual(worlds, observe={"Male": 1}, stickiness=0.5, generator=seeded(), budget=2)
    assert found.labels.shape == (6, 4, 9) and (found.labels[..., male] == 1).all()
    assert len(found.diagnostics) == 6 and all(d.evaluations > 0 for d in found.diagnostics)
    null = run.counterfactual(worlds, observe={"Male": 0}, stickiness=1.0, draws=2, generator=seeded())
    assert torch.equal(null.images, worlds.images[:, None].expand_as(null.images))
    with pytest.raises(ImpossibleWorldError):
        run.counterfactual(worlds, observe={"Male": 1}, stickiness=1.0, generator=seeded())
    with pytest.raises(RunError, match=r"\bdcgan\b.*observe"):
        run.counterfactual(worlds, do={"Male": 1})

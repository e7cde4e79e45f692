"""Worlds of photographs. Oracles: a linear generator, whose noise is known; the law of the residual."""

import math
from dataclasses import replace

import pytest
import torch
from helpers.tiny_run import recipe_in

from causalcf.errors import CausalCFError, ImpossibleWorldError, RunError
from causalcf.export import export
from causalcf.labels import LabelSCM
from causalcf.losses.reconstruction import multi_scale_l1
from causalcf.runs.abduction import METHODS, nearest_of, optimise_noise, residual_mask, tune
from causalcf.runs.loading import load_run
from causalcf.training.experiment import start_run

pytestmark = pytest.mark.usefixtures("without_pictures")
NEVER_BALD = {"Young": 0.5, "Male": 0.5, "Bald": [[0.0, 0.0], [0.0, 0.0]]}
BETTER = {"generator": "skip", "discriminator": "projection", "objective": "relativistic", "r1": None}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Small runs with an encoder, with labels and without."""
    folder, found = tmp_path_factory.mktemp("abduction"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        for approach in ("causalgan", "dcgan"):
            recipe = recipe_in(folder / approach, approach=approach, reconstruction=0.5, **BETTER)
            assert start_run(recipe) == 0
            found[approach] = load_run(folder / approach / "runs" / "latest", "cpu")
    return found


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def photographs(n):
    return torch.rand(n, 3, 64, 64, generator=seeded(9))


LINES = torch.randn(5, 3 * 16 * 16, generator=torch.Generator().manual_seed(1)) / 20


def linear(noise):
    return (noise @ LINES + 0.5).unflatten(1, (3, 16, 16))


def test_descent_finds_the_noise_of_a_linear_generator_and_never_gets_worse():
    truth = torch.rand(6, 5, generator=seeded()) * 1.6 - 0.8
    images, start = linear(truth), torch.zeros(6, 5)
    found = optimise_noise(linear, images, start)
    assert (found - truth).abs().max() < 0.02
    assert torch.allclose(optimise_noise(linear, images, truth, steps=0), truth, atol=1e-6)
    worse = multi_scale_l1(linear(start), images)
    for steps in (1, 5, 20):
        better = multi_scale_l1(linear(optimise_noise(linear, images, start, steps=steps)), images)
        assert (better <= worse + 1e-6).all()
        worse = better


def test_with_an_encoder_noise_is_preferred_that_it_finds_again():
    """Of two coordinates that do the same, the encoder takes the first: so does the descent."""

    def twice(noise):
        return linear(torch.cat([noise.sum(1, keepdim=True) / 2, torch.zeros(len(noise), 4)], 1))

    def first(images):
        along = ((images - 0.5).flatten(1) * LINES[0]).sum(1) / LINES[0].square().sum()
        return torch.stack([2 * along, torch.zeros_like(along)], 1)

    images = twice(torch.tensor([[0.5, 0.0]]))
    free = optimise_noise(twice, images, torch.zeros(1, 2), steps=300)
    held = optimise_noise(twice, images, torch.zeros(1, 2), first, steps=300)
    assert free[0, 0] == pytest.approx(0.25, abs=0.05) and free[0, 1] == pytest.approx(0.25, abs=0.05)
    assert held[0, 0] == pytest.approx(0.5, abs=0.08) and abs(held[0, 1]) < 0.08


def test_the_nearest_start_is_taken_for_each_image():
    truth = torch.rand(4, 5, generator=seeded()) * 2 - 1
    draws = torch.rand(7, 4, 5, generator=seeded(1)) * 2 - 1
    draws[5] = truth
    assert torch.equal(nearest_of(linear, linear(truth), draws), truth)


def test_the_mask_is_one_where_nothing_changes_and_falls_with_the_change():
    before = torch.full((1, 3, 64, 64), 0.5)
    assert torch.equal(residual_mask(before, before), torch.ones(1, 1, 64, 64))
    after = before.clone()
    after[:, :, 20:40, 20:40] += 0.2
    mask = residual_mask(before, after)[0, 0]
    assert mask[30, 30] == pytest.approx(math.exp(-2), rel=1e-4)
    assert (mask[:17] == 1).all() and mask[20, 30] > mask[30, 30]


@pytest.mark.parametrize("approach", ["causalgan", "dcgan"])
@pytest.mark.parametrize("method", METHODS)
def test_a_null_intervention_gives_the_photograph_to_the_bit(trained, judge, approach, method, monkeypatch):
    monkeypatch.setattr("causalcf.runs.abduction.TUNING_STEPS", 3)
    run = trained[approach]
    run = replace(run, antecedent_classifier=judge.classifier.select(run.graph.nodes))
    images, told = photographs(3), []
    worlds = run.abduct(images, method=method, generator=seeded(), on_image=told.append)
    assert sum(told) == 3 and len(worlds) == 3 and len(worlds.tuned) == (3 if method == "tune" else 0)
    assert worlds.noise.shape == (3, 5) and worlds.noise.abs().max() <= 1
    assert torch.allclose(worlds.generated + worlds.residual, images, atol=1e-6)
    assert worlds.generated.min() >= -1e-6 and worlds.generated.max() <= 1 + 1e-6
    assert torch.equal(worlds.without_residual().images, worlds.generated)
    facts = {run.graph.nodes[0]: int(worlds.labels[0, 0])}
    if approach == "causalgan":
        same = run.counterfactual(worlds, do={}, draws=2, generator=seeded()).images
        assert all(torch.equal(same[:, draw], images) for draw in range(2))
    else:
        one = worlds.select(torch.tensor([0]))
        same = run.counterfactual(one, observe=facts, stickiness=1.0, generator=seeded(), method="rejection").images
        assert torch.equal(same[:, 0], images[:1])


def test_a_counterfactual_has_the_generators_change_and_the_masked_residual(trained):
    run, images = trained["causalgan"], photographs(4)
    worlds = run.abduct(images, dict.fromkeys(run.graph.nodes, 0) | {"Young": 1}, generator=seeded())
    found = run.counterfactual(worlds, do={"Young": 0, "Bald": 1}, generator=seeded())
    assert torch.equal(found.noise[:, 0], worlds.noise)
    made = run.generate(worlds.noise, found.labels[:, 0])
    mask = residual_mask(worlds.generated, made)
    assert torch.allclose(found.images[:, 0], (made + mask * worlds.residual).clamp(0, 1), atol=1e-6)
    assert not torch.allclose(found.images[:, 0], made, atol=1e-2)
    bare = run.counterfactual(worlds.without_residual(), do={"Young": 0, "Bald": 1}, generator=seeded())
    assert torch.allclose(bare.images[:, 0], made, atol=1e-6)


def test_z_and_the_residual_are_kept_or_redrawn_together(trained):
    run, images = trained["causalgan"], photographs(2)
    worlds = run.abduct(images, dict.fromkeys(run.graph.nodes, 0), generator=seeded())
    found = run.counterfactual(worlds, do={}, stickiness=0.5, draws=400, generator=seeded())
    kept = (found.noise == worlds.noise[:, None]).all(2)
    assert ((found.noise == worlds.noise[:, None]).any(2) == kept).all()
    assert 0.35 < kept.double().mean() < 0.65  # 800 draws: 8 standard deviations
    redrawn = ~kept[0]
    own = run.generate(found.noise[0, redrawn], found.labels[0, redrawn])
    assert torch.allclose(found.images[0, redrawn], own, atol=1e-6)


def test_a_tuned_generator_draws_the_photograph_and_a_label_still_does_what_it_did(trained, monkeypatch):
    monkeypatch.setattr("causalcf.runs.abduction.TUNING_STEPS", 60)
    run = trained["causalgan"]
    labels = torch.zeros(1, len(run.graph.nodes))
    noise = torch.rand(1, 5, generator=seeded()) * 2 - 1
    strangers = torch.rand(4, 5, generator=seeded(1)) * 2 - 1
    image = run.generate(noise, labels)[0].flip(2).mul(0.5).add(0.2)
    tuned = tune(run.generator, noise[0], labels[0], image, strangers)
    assert tuned.keys() < dict(run.generator.named_parameters()).keys()

    def apart(weights):
        return multi_scale_l1(run.generate(noise, labels, weights), image[None]).item()

    assert apart(tuned) < 0.6 * apart(None)
    other = labels.clone()
    other[0, 0] = 1

    def effect(weights):
        return run.generate(noise, other, weights) - run.generate(noise, labels, weights)

    moved = run.generate(noise, labels, tuned) - run.generate(noise, labels)
    assert (effect(tuned) - effect(None)).abs().mean() < moved.abs().mean() / 3
    assert torch.equal(run.generate(noise, labels, {}), run.generate(noise, labels))


def test_an_exported_run_finds_the_same_noise(trained, tmp_path):
    run, images = trained["causalgan"], photographs(3)
    export(run.folder, tmp_path / "mine")
    labels = torch.zeros(3, len(run.graph.nodes))
    found, there = (one.abduct(images, labels) for one in (run, load_run(tmp_path / "mine", "cpu")))
    assert torch.allclose(found.noise, there.noise, atol=0.02)
    assert torch.equal(there.images, images)


def test_labels_are_drawn_as_they_are_read_and_say_how_surely(trained, judge):
    run = trained["causalgan"]
    run = replace(run, antecedent_classifier=judge.classifier.select(run.graph.nodes))
    images = photographs(1).repeat(400, 1, 1, 1)
    worlds = run.abduct(images, {"Male": 1}, generator=seeded())
    read, column = run.judge(images[:1])[0], run.graph.nodes.index("Male")
    assert (worlds.labels[:, column] == 1).all() and (worlds.certainty[:, column] == 1).all()
    for i, p in enumerate(read.tolist()):
        if i != column:
            ones = worlds.labels[:, i].double()
            assert torch.allclose(worlds.certainty[:, i], torch.where(ones > 0, p, 1 - p).float(), atol=1e-6)
    given = torch.ones(400, len(run.graph.nodes), dtype=torch.int8)
    assert torch.equal(run.abduct(images, given).labels, given)


def test_what_cannot_be_found_is_said(trained, runs):
    run, images = trained["causalgan"], photographs(2)
    with pytest.raises(RunError, match=r"encoder.*optimise"):
        load_run(runs / "a" / "latest", "cpu").abduct(images)
    with pytest.raises(CausalCFError, match=r"method.*'descend'.*encoder, optimise, tune"):
        run.abduct(images, method="descend")
    with pytest.raises(CausalCFError, match="images"):
        run.abduct(images * 300)
    with pytest.raises(CausalCFError, match="at least one"):
        run.abduct(images[:0])
    with pytest.raises(CausalCFError, match=r"Yuong.*Young"):
        run.abduct(images, {"Yuong": 1})
    with pytest.raises(CausalCFError, match="labels of 3 photographs"):
        run.abduct(images, torch.zeros(3, len(run.graph.nodes)))
    with pytest.raises(RunError, match="needs a classifier"):
        trained["dcgan"].abduct(images)
    never = replace(run, labels=LabelSCM.from_probabilities(run.graph, NEVER_BALD))
    with pytest.raises(ImpossibleWorldError, match=r"photograph 1 of 2.*Bald=1"):
        never.abduct(images, {"Bald": 1})

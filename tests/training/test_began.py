"""CausalBEGAN's step against the textbook: each network by the whole of its own loss, from passes of its own."""

import copy
from dataclasses import replace

import pytest
import torch
from helpers.same_training import difference
from helpers.step_toys import CPU, draw_batch, seeded

from causalcf.cli.command import run as run_command
from causalcf.errors import RecipeError
from causalcf.networks.bundle import Networks
from causalcf.runs.directory import load_checkpoint
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe
from causalcf.train import main, parse_options
from causalcf.training.began import BeganStep
from causalcf.training.experiment import resume_run, start_run

RECIPE = Recipe(
    name="tiny", approach="causalbegan", images=96, batch=8, width=2, labeler_width=2, noise_dim=6, data_size=40,
    tick=32, precision="float32", learning_rate=1e-3, generator_rate=2e-3,
)  # fmt: skip


def made(weights=(0.3, 0.6, 0.8)):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = Networks(6, 3, 2, 2, generator="began", discriminator="autoencoder")
    networks.margin_weights.copy_(torch.tensor(weights))
    return networks


def textbook(nets, batch):
    """The three losses with k, l and c of before, each differentiated by itself."""
    k, l, c = nets.margin_weights.tolist()  # noqa: E741
    fake = nets.generator(batch.noise, batch.fake_labels)

    def errors(images, labels):
        drawn, read = nets.discriminator(images), nets.labeler(images).sigmoid()
        return (images - drawn).abs().mean(), (read - labels.float()).pow(2).mean()

    real, labels_real = errors(batch.images, batch.labels)
    held, labels_held = errors(fake.detach(), batch.fake_labels)
    through, labels_through = errors(fake, batch.fake_labels)
    losses = {
        "discriminator": real - k * held,
        "labeler": labels_real - l * labels_held,
        "generator": through + c * labels_through,
    }
    found = {
        name: torch.autograd.grad(loss, list(getattr(nets, name).parameters()), retain_graph=True)
        for name, loss in losses.items()
    }
    r, f, lr, lf = (float(error.detach()) for error in (real, held, labels_real, labels_held))
    b1, b2 = 0.5 * r - f, 0.5 * lr - lf
    steps = (1e-3 * b1, 8e-5 * b2, 1e-2 * (0.5 * max(b1, 0) - max(b2, 0)))
    return found, [min(max(w + 8 / 16 * s, 0), 1) for w, s in zip((k, l, c), steps, strict=True)]


@pytest.mark.parametrize("weights", [(0.0, 0.0, 0.0), (0.3, 0.6, 0.8), (1.0, 1.0, 1.0)])
def test_one_step_is_the_textbooks(weights):
    nets = made(weights)
    batch = draw_batch(n_labels=3)
    expected, moved = textbook(copy.deepcopy(nets), batch)
    before = copy.deepcopy(nets)
    losses = BeganStep(nets, RECIPE, CPU, "float32")(batch, 0, seeded())
    for name, gradients in expected.items():
        own = list(getattr(nets, name).parameters())
        for parameter, gradient in zip(own, gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
        assert any(not torch.equal(a, b) for a, b in zip(own, getattr(before, name).parameters(), strict=True))
    assert nets.margin_weights.tolist() == pytest.approx(moved, abs=1e-7)
    assert [float(losses[name]) for name in "klc"] == pytest.approx(weights)  # those that the step was taken with


def test_the_labelers_rate_is_the_discriminators():
    step = BeganStep(made(), RECIPE, CPU, "float32")
    rates = {name: o.param_groups[0]["lr"] for name, o in step.optimisers.items()}
    assert rates == {"generator": 2e-3, "discriminator": 1e-3, "labeler": 1e-3}
    assert all(o.param_groups[0]["betas"] == (0.9, 0.999) for o in step.optimisers.values())


def test_a_resumed_training_ends_bit_for_bit_with_its_margins(tmp_path, monkeypatch, without_pictures):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    whole, parts = (replace(RECIPE, runs_dir=str(tmp_path / name)) for name in ("whole", "parts"))
    assert start_run(whole) == 0 and start_run(replace(parts, images=40)) == 0
    assert resume_run(f"{parts.runs_dir}/latest", {"images": 96}) == 0
    assert difference(tmp_path / "whole" / "latest", tmp_path / "parts" / "latest") == []
    weights = load_checkpoint(tmp_path / "whole" / "latest")["networks"]["margin_weights"]
    assert bool((weights[[0, 2]] > 0).all())
    run = load_run(tmp_path / "whole" / "latest", "cpu")
    worlds = run.sample(3)
    assert worlds.images.shape == (3, 3, 64, 64) and float(worlds.images.min()) >= 0
    assert run.classify(worlds.images).shape == (3, 9)
    assert torch.equal(run.counterfactual(worlds, do={}).images[:, 0], worlds.images)


@pytest.mark.parametrize("changes", [{"generator": "skip"}, {"objective": "hinge"}, {"r1": 0.3}, {"augment": True}])
def test_options_of_the_other_approaches_are_refused_by_name(changes):
    (name,) = changes
    with pytest.raises(RecipeError, match=rf"^{name} is .*causalbegan"):
        replace(RECIPE, **changes).validate()


def test_the_approach_alone_takes_its_own_recipe(capsys):
    assert parse_options(["--approach", "causalbegan"]).recipe.name == "causalbegan"
    assert run_command(lambda: main(["--approach", "causalbegan", "--recipe", "faces", "--dry-run"])) == 2
    assert "generator is skip" in capsys.readouterr().err

"""Oracle: the textbook step, with a separate pass for every loss and every player, written out plainly."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from helpers.step_toys import CPU, SMALL, draw_batch, networks, seeded

from causalcf.losses.adversarial import OBJECTIVES, objective
from causalcf.losses.labels import anti_labeler_weight, label_cross_entropy, noise_error
from causalcf.losses.reconstruction import KL_WEIGHT, divergence_from_standard, multi_scale_l1
from causalcf.networks.dcgan import noise_of
from causalcf.training.batches import augmented, with_label_noise, with_one_flipped
from causalcf.training.step import TrainingStep


def plain_gradients(nets, recipe, batch, step, bound=slice(None)):
    """Every network's gradient, all players moving at once, each from its own passes."""
    loss, draw, raw = objective(recipe.objective), seeded(), batch
    fake = nets.generator(batch.noise, batch.fake_labels)
    if recipe.augment:
        fake = augmented(fake, draw, recipe.augment_probability)
        batch = replace(batch, images=augmented(batch.images, draw, recipe.augment_probability))
    real_logits, fake_logits = (
        nets.discriminator(x, y) for x, y in ((batch.images, batch.labels), (fake, batch.fake_labels))
    )
    d_terms = loss.discriminator(real_logits, nets.discriminator(fake.detach(), batch.fake_labels))
    d_loss = sum(term.mean() for term in d_terms.values())
    if recipe.wrong_labels:
        wrong_logits = nets.discriminator(batch.images, with_one_flipped(batch.labels, draw))
        d_loss = d_loss + recipe.wrong_labels * loss.on_fake(real_logits, wrong_logits).mean()
    g_loss = sum(t.mean() for t in loss.generator(real_logits.detach(), fake_logits).values())
    losses = {"discriminator": d_loss}
    if nets.labeler is not None:
        k = anti_labeler_weight(step * recipe.batch, recipe.anti_labeler_decay)
        read_real, read_fake = batch.images, fake
        if recipe.label_noise:
            read_real, read_fake = (with_label_noise(x, recipe.label_noise, draw) for x in (read_real, read_fake))
        given = batch.fake_labels[:, bound]
        on_fake = label_cross_entropy(nets.labeler(read_fake)[:, bound], given).mean()
        anti = label_cross_entropy(nets.anti_labeler(read_fake)[:, bound], given).mean()
        g_loss = g_loss + recipe.label_weight * (on_fake - k * anti)
        losses["labeler"] = label_cross_entropy(nets.labeler(read_real), batch.labels).mean()
        by_anti_labeler = nets.anti_labeler(read_fake.detach())[:, bound]
        losses["anti_labeler"] = label_cross_entropy(by_anti_labeler, given).mean()
    if nets.noise_reader is not None:
        g_loss = g_loss + recipe.noise_weight * noise_error(nets.noise_reader(fake), batch.noise).mean()
        losses["noise_reader"] = noise_error(nets.noise_reader(fake.detach()), batch.noise).mean()
    if nets.encoder is not None:  # it sees the images themselves, whatever is shown to the others
        (by_others,) = torch.autograd.grad(g_loss, fake, retain_graph=True)
        mean, log_variance = nets.encoder(raw.images, raw.labels)
        noise = noise_of(mean, log_variance, torch.randn(mean.shape, generator=draw))
        made = nets.generator(noise, raw.labels)
        distance = multi_scale_l1(made, raw.images).mean()
        (by_made,) = torch.autograd.grad(distance, made, retain_graph=True)
        g_loss = g_loss + recipe.reconstruction * by_others.norm() / by_made.norm() * distance
        losses["encoder"] = distance + KL_WEIGHT * divergence_from_standard(mean, log_variance).mean()
    losses["generator"] = g_loss
    return {
        name: torch.autograd.grad(value, list(getattr(nets, name).parameters()), retain_graph=True)
        for name, value in losses.items()
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"noise_weight": 2.0},
        {"label_noise": 0.3},
        {"augment": True, "label_noise": 0.3, "noise_weight": 2.0},
        {"augment": True, "augment_probability": 0.5},
        {"reconstruction": 0.7},
        {"reconstruction": 0.7, "augment": True, "label_noise": 0.3, "generator": "skip"},
        {"objective": "relativistic"},
        {"objective": "relativistic", "generator": "skip", "discriminator": "projection"},
    ],
)
@pytest.mark.parametrize("n_labels", [0, 3])
def test_the_shared_pass_gives_every_network_the_gradient_of_separate_passes(n_labels, changes):
    check_gradients(replace(SMALL, **changes), n_labels)


@pytest.mark.parametrize("discriminator", ["dcgan", "projection"])
@pytest.mark.parametrize("name", ["non-saturating", "relativistic"])
def test_real_images_with_a_wrong_label_are_fakes_of_their_weight(name, discriminator):
    check_gradients(replace(SMALL, wrong_labels=0.5, objective=name, discriminator=discriminator, augment=True), 3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_wrong_labels_count_in_the_discriminators_loss_alone(name):
    recipe = replace(SMALL, objective=name, wrong_labels=2.0)
    nets, batch = networks(recipe, 3), draw_batch(3)
    on_right = nets.discriminator(batch.images, batch.labels).detach()
    on_wrong = nets.discriminator(batch.images, with_one_flipped(batch.labels, seeded())).detach()
    losses = TrainingStep(nets, recipe, CPU, "float32")(batch, 1, seeded())
    expected = 2 * objective(name).on_fake(on_right, on_wrong).mean()
    assert float(losses["wrong_labels"]) == pytest.approx(float(expected), rel=1e-4)
    without = TrainingStep(networks(recipe, 0), recipe, CPU, "float32")(draw_batch(0), 1, seeded())
    assert "wrong_labels" not in without  # a comparison gives dcgan the same recipe


def test_released_labels_are_left_out_of_the_labelers_terms():
    check_gradients(replace(SMALL, statement_release=True), 3, "b", bound=[0, 2])
    check_gradients(SMALL, 3, "b")
    with pytest.raises(AssertionError):
        check_gradients(SMALL, 3, "b", bound=[0, 2])


def check_gradients(recipe, n_labels, consequents=(), **bound):
    nets, batch = networks(recipe, n_labels), draw_batch(n_labels)
    expected = plain_gradients(copy.deepcopy(nets), recipe, batch, step=25, **bound)
    told = SimpleNamespace(consequents=consequents, due=lambda step: False, losses=dict)
    TrainingStep(nets, recipe, CPU, "float32", told, "abc"[:n_labels])(batch, 25, seeded())
    for name, gradients in expected.items():
        largest = max(float(g.abs().max()) for g in gradients)
        for weight, gradient in zip(getattr(nets, name).parameters(), gradients, strict=True):
            assert torch.allclose(weight.grad, gradient, rtol=2e-3, atol=2e-5 * largest), name


@pytest.mark.parametrize(
    "wrong",
    [{"label_weight": 0.6}, {"wrong_labels": 0.5}, {"reconstruction": 0.6}, {"augment": True}, {"label_noise": 0.3}],
)
def test_the_oracle_tells_another_recipe_apart(wrong):
    nets, batch = networks(SMALL, 3), draw_batch(3)
    other = replace(SMALL, **wrong)
    others = networks(other, 3)
    others.load_state_dict(nets.state_dict(), strict=False)  # all but the encoder
    expected = plain_gradients(others, other, batch, step=25)
    TrainingStep(nets, SMALL, CPU, "float32")(batch, 25, torch.Generator())
    apart = [
        not torch.allclose(w.grad, g, rtol=2e-3, atol=1e-5)
        for name in ("generator", "discriminator")
        for w, g in zip(getattr(nets, name).parameters(), expected[name], strict=True)
    ]
    assert any(apart)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_discriminator_that_is_sure_of_itself_still_teaches_the_generator(name):
    """Its loss on fakes then has a slope that float32 rounds to 0; the generator's own has one of 1."""
    recipe = replace(SMALL, objective=name)
    nets, batch = networks(recipe, 3), draw_batch(3)
    nets.discriminator.stack.read.bias.data.fill_(-200.0)
    expected = plain_gradients(copy.deepcopy(nets), recipe, batch, step=25)["generator"]
    losses = TrainingStep(nets, recipe, CPU, "float32")(batch, 25, torch.Generator().manual_seed(0))
    assert all(value.isfinite() for value in losses.values())
    largest = max(float(g.abs().max()) for g in expected)
    assert largest > 1e-4
    if TrainingStep(nets, recipe, CPU, "float32").objective.shares_pass:  # elsewhere D has moved before G is taught
        for weight, gradient in zip(nets.generator.parameters(), expected, strict=True):
            assert torch.allclose(weight.grad, gradient, rtol=2e-3, atol=2e-5 * largest)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_moves_every_network_and_stays_finite(name):
    recipe = replace(SMALL, objective=name, r1=0.5)
    nets, batch = networks(recipe, 3), draw_batch(3)
    before = copy.deepcopy(nets.state_dict())
    step = TrainingStep(nets, recipe, CPU, "float32")
    for number in range(2):
        losses = step(batch, number, torch.Generator().manual_seed(0))
    assert all(value.isfinite() for value in losses.values())
    after = nets.state_dict()
    for part in ("generator", "discriminator", "labeler", "anti_labeler", "average"):
        moved = [key for key in before if key.startswith(part + ".") and not torch.equal(before[key], after[key])]
        assert moved, part


def test_r1_is_applied_every_eighth_step_and_only_then():
    recipe = replace(SMALL, r1=0.5)
    step = TrainingStep(networks(recipe, 3), recipe, CPU, "float32")
    told = [number for number in range(10) if "r1" in step(draw_batch(3), number, torch.Generator())]
    assert told == [0, 8]


@pytest.mark.parametrize("discriminator", ["dcgan", "projection"])
def test_relativistic_penalises_real_and_generated_images_alike(discriminator):
    recipe = replace(SMALL, objective="relativistic", r1=0.7, discriminator=discriminator)
    nets, batch = networks(recipe, 3), draw_batch(3)
    made = nets.generator(batch.noise, batch.fake_labels).detach()
    expected = {}
    for name, images, labels in (("r1", batch.images, batch.labels), ("r2", made, batch.fake_labels)):
        each = []
        for image, row in zip(images, labels, strict=True):
            (slope,) = torch.autograd.functional.jacobian(
                lambda x, row=row: nets.discriminator(x, row[None]), image[None]
            )
            each.append(float(slope.square().sum()))
        expected[name] = 8 * 0.7 / 2 * sum(each) / len(each)
    losses = TrainingStep(nets, recipe, CPU, "float32")(batch, 0, seeded())
    assert {name: float(losses[name]) for name in expected} == pytest.approx(expected, rel=1e-3)
    assert "r2" not in TrainingStep(nets, replace(recipe, objective="hinge"), CPU, "float32")(batch, 0, seeded())


def test_the_discriminator_judges_each_image_alone():
    nets, batch = networks(SMALL, 3), draw_batch(3)
    together = nets.discriminator(batch.images, batch.labels)
    alone = torch.cat([nets.discriminator(batch.images[i : i + 1], batch.labels[i : i + 1]) for i in range(8)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert together.std() > 1e-4


def test_a_step_touches_no_global_random_state():
    nets = networks(SMALL, 3)
    before = torch.get_rng_state()
    TrainingStep(nets, SMALL, CPU, "float32")(draw_batch(3), 0, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())

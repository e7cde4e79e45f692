"""Oracles: scipy and torch.distributions; what an encoder learns on a handful of images."""

from dataclasses import replace

import pytest
import torch
from helpers.step_toys import CPU, SMALL, draw_batch, networks, seeded
from scipy.stats import kstest
from torch.distributions import Normal, kl_divergence

from causalcf.losses.reconstruction import divergence_from_standard, multi_scale_l1
from causalcf.networks.dcgan import Encoder, noise_of
from causalcf.training.step import TrainingStep


def test_a_constant_difference_counts_at_four_scales_and_speckle_at_the_first_alone():
    images = torch.rand(2, 3, 64, 64, generator=seeded())
    assert multi_scale_l1(images + 0.25, images).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    checkerboard = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1) * 0.25
    assert multi_scale_l1(images + checkerboard, images).tolist() == pytest.approx([0.25, 0.25], abs=1e-5)
    assert multi_scale_l1(images, images).tolist() == [0, 0]


def test_divergence_is_that_of_normals_from_standard_ones():
    mean, log_variance = torch.randn(2, 5, 7, generator=seeded(), dtype=torch.float64)
    exact = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(divergence_from_standard(mean, log_variance), exact)


@pytest.mark.parametrize(("mean", "uniform"), [(0.0, True), (0.3, False)])
def test_noise_is_uniform_where_the_normals_are_standard(mean, uniform):
    normal = torch.randn(20_000, 1, generator=seeded(), dtype=torch.float64)
    noise = noise_of(torch.full_like(normal, mean), torch.zeros_like(normal), normal)
    assert (kstest(noise[:, 0].numpy(), "uniform", (-1, 2)).pvalue > 1e-5) == uniform


@pytest.mark.parametrize("n_labels", [0, 3])
@pytest.mark.parametrize("width", [2, 3, 24])
def test_an_encoder_sees_images_and_labels(width, n_labels):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = Encoder(5, n_labels, width)
    batch = draw_batch(n_labels)
    mean, log_variance = (part.detach() for part in encoder(batch.images, batch.labels))
    assert mean.shape == log_variance.shape == (8, 5)
    assert float(mean.std(0).min()) > 0
    other = encoder(batch.images, 1 - batch.labels)[0].detach()
    assert torch.allclose(mean, other) == (n_labels == 0)


@pytest.mark.parametrize(("share", "learns"), [(1.0, True), (1e-9, False)])
def test_a_generator_learns_to_reconstruct_by_the_gradient_that_it_gets(share, learns):
    """Flat images of eight colours; without its share the generator stays where the discriminator sends it."""
    recipe = replace(SMALL, reconstruction=share, learning_rate=2e-3, generator_rate=2e-3, generator="skip", r1=0.0)
    colours = torch.rand(8, 3, 1, 1, generator=seeded()) * 1.6 - 0.8
    batch = replace(draw_batch(0), images=colours.expand(8, 3, 64, 64))
    step, draw = TrainingStep(networks(recipe, 0), recipe, CPU, "float32"), seeded()
    found = [float(step(batch, number, draw)["reconstruction"]) for number in range(60)]
    assert (sum(found[-10:]) < 0.5 * sum(found[:10])) == learns

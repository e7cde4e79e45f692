"""Noise augmentation: of the strength asked for, on half of the images, and no more."""

import pytest
import torch

from causalcf.data.augment import blurred, draw_noise_strength, with_noise


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def speckled(images, most, seed=0):
    return with_noise(images, most, draw_noise_strength(images.shape, seeded(seed)))


def test_half_of_the_images_have_noise_of_every_strength_up_to_the_most():
    flat = torch.zeros(400, 3, 16, 16)  # a flat image is its own blurred one
    spread = speckled(flat, 0.4).flatten(1).std(1)
    assert 150 < int((spread > 0).sum()) < 250
    some = spread[spread > 0]
    assert some.max() < 0.5 and some.min() < 0.05 and abs(float(some.mean()) - 0.2) < 0.04


def test_coarse_noise_comes_in_blocks_of_four_pixels():
    images = speckled(torch.zeros(200, 3, 16, 16), 0.4)
    blocks = images.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    alike = (blocks == blocks[..., :1]).all(-1).flatten(1).all(1) & (images.flatten(1).std(1) > 0)
    assert 20 < int(alike.sum()) < 90


def test_a_quarter_is_blurred_and_the_rest_is_left_as_it_is():
    images = torch.rand(400, 3, 16, 16, generator=seeded(1)) * 2 - 1
    found = speckled(images, 1e-6)
    as_it_was = (found - images).abs().flatten(1).amax(1) < 1e-4
    soft = (found - blurred(images)).abs().flatten(1).amax(1) < 1e-4
    assert bool((as_it_was | soft).all()) and 70 < int(soft.sum()) < 130


def test_the_same_seed_is_the_same_noise():
    images = torch.rand(8, 3, 16, 16, generator=seeded(1))
    assert torch.equal(speckled(images, 0.3, 2), speckled(images, 0.3, 2))
    assert not torch.equal(speckled(images, 0.3, 2), speckled(images, 0.3, 3))


def test_blurring_keeps_the_mean_of_a_flat_image():
    assert blurred(torch.full((1, 3, 8, 8), 0.3)).flatten().tolist() == pytest.approx([0.3] * 192)

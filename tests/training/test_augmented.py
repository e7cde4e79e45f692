"""What networks see of images: moved, lit, with noise; gradients pass, and no global random state is touched."""

import pytest
import torch

from causalcf.training.batches import augmented, with_label_noise

VIEWS = {"moved": augmented, "noise": lambda images, draw: with_label_noise(images, 0.3, draw)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_each_time_is_another_and_gradients_pass(view):
    before = torch.get_rng_state()
    images = (torch.rand(8, 3, 64, 64, generator=seeded(1)) * 2 - 1).requires_grad_()
    draw = seeded()
    first, second = view(images, draw), view(images, draw)
    assert torch.equal(first, view(images, seeded())) and not torch.equal(first, second)
    assert first.is_contiguous(memory_format=torch.channels_last) and first.shape == images.shape
    (gradient,) = torch.autograd.grad(first.sum(), images)
    assert float(gradient.abs().amax()) > 0 and bool(gradient.isfinite().all())
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_are_those_of_finite_differences():
    images = torch.rand(2, 3, 8, 8, generator=seeded(1)) * 2 - 1
    weights = torch.randn(2, 3, 8, 8, generator=seeded(2))
    for view in VIEWS.values():
        leaf = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((view(leaf, seeded()) * weights).sum(), leaf)
        ahead = torch.randn(images.shape, generator=seeded(3))
        moved = [(view(images + step * ahead, seeded()) * weights).sum() for step in (0.1, -0.1)]
        assert float((gradient * ahead).sum()) == pytest.approx(float(moved[0] - moved[1]) / 0.2, rel=1e-3)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_each_image_is_augmented_with_the_probability_and_else_stays_as_it_is(probability):
    images = torch.rand(400, 3, 8, 8, generator=seeded(1)) * 2 - 1
    views = augmented(images, seeded(), probability)
    kept = (views == images).flatten(1).all(1)
    assert abs(float(kept.double().mean()) - (1 - probability)) <= (0.12 if 0 < probability < 1 else 0)  # 5 sigma
    assert torch.equal(views[~kept], augmented(images, seeded())[~kept])

"""Pixel distances by hand, as a distance, and the wrap-around that integers would bring in."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError
from causalcf.evaluation.flips import pixel_change, unrelated_change


def flat(*levels):
    return torch.stack([torch.full((3, 4, 4), level) for level in levels])


def test_each_image_has_its_own_mean_absolute_difference():
    before, after = flat(0.5, 0.5, 0.0), flat(0.5, 0.25, 1.0)
    after[0, 1, 2, 3] = 0.98  # one of 48 values
    found = pixel_change(before, after)
    assert found.dtype == torch.float64 and found.tolist() == pytest.approx([0.01, 0.25, 1.0], abs=1e-7)
    assert pixel_change(before[:0], after[:0]).shape == (0,)


@given(st.integers(0, 2**32 - 1))
def test_it_is_a_distance(seed):
    a, b, c = torch.rand(3, 2, 3, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert torch.equal(pixel_change(a, a), torch.zeros(2).double()) and (pixel_change(a, b) > 0).all()
    assert torch.equal(pixel_change(a, b), pixel_change(b, a))
    assert (pixel_change(a, c) <= pixel_change(a, b) + pixel_change(b, c) + 1e-12).all()


def test_integers_are_refused_because_their_differences_wrap_around():
    before = torch.randint(0, 250, (1, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    after = before + 5
    true = pixel_change(before / 255, after / 255)
    wrapped = (before - after).float().abs().mean() / 255
    assert float(true) == pytest.approx(5 / 255, abs=1e-6) and float(wrapped) == pytest.approx(251 / 255, abs=1e-6)
    with pytest.raises(CausalCFError, match=r"images.*\b249\b.*\[0, 1\]"):
        pixel_change(before, after)
    with pytest.raises(CausalCFError, match=r"images.*\b249\b.*\[0, 1\]"):
        unrelated_change(before.expand(2, -1, -1, -1))


def test_unrelated_images_are_compared_around_the_circle():
    assert unrelated_change(flat(0.0, 0.5, 0.6)) == pytest.approx((0.6 + 0.5 + 0.1) / 3, abs=1e-6)
    assert unrelated_change(flat(0.3, 0.3)) == 0


def test_the_yardstick_of_noise_is_a_third():
    """|u - v| of two uniform numbers has mean 1/3."""
    images = torch.rand(50, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert unrelated_change(images) == pytest.approx(1 / 3, abs=0.005)


@pytest.mark.parametrize(
    ("before", "after", "culprit"),
    [
        (flat(0.0), flat(-1.0), r"images.*-1\b.*\[0, 1\]"),
        (flat(math.nan), flat(0.0), r"images.*\bnan\b"),
    ],
)
def test_wrong_images_are_refused_in_words(before, after, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        pixel_change(before, after)


def test_one_image_has_no_other():
    with pytest.raises(CausalCFError, match=r"\b1 image\b"):
        unrelated_change(flat(0.5))

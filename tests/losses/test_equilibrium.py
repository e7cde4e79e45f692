"""CausalBEGAN's margins: hand-computed values, and the losses by their definitions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from causalcf.losses.equilibrium import label_error, margins, moved, reconstruction_error


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((0.4, 0.1, 0.2, 0.3), (0.1, -0.2, 0.05)),  # the images' margin is open, the labels' closed: c rises
        ((0.4, 0.1, 0.2, 0.02), (0.1, 0.08, -0.03)),  # both open: labels are served already, c falls
        ((0.2, 0.3, 0.2, 0.3), (-0.2, -0.2, 0.0)),  # generated images are drawn worse again than half of real ones
    ],
)
def test_margins_by_hand(errors, expected):
    assert margins(*torch.tensor(errors)).tolist() == pytest.approx(expected, abs=1e-6)


def test_weights_move_by_their_own_rates_and_by_images():
    margin = torch.tensor([0.1, 0.5, -0.2], dtype=torch.float64)
    start = torch.tensor([0.5, 0.5, 0.5], dtype=torch.float64)
    assert moved(start, margin, 16).tolist() == pytest.approx([0.5001, 0.50004, 0.498])
    assert moved(start, margin, 64).tolist() == pytest.approx([0.5004, 0.50016, 0.492])


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_weights_stay_between_0_and_1(start, margin):
    after = moved(torch.tensor(start), torch.tensor(margin), 16)
    assert bool(((after >= 0) & (after <= 1)).all())


def test_errors_are_means_over_an_image_and_over_labels():
    images = torch.zeros(2, 3, 4, 4)
    drawn = images.clone()
    drawn[0, 0] = 0.3
    assert reconstruction_error(images, drawn).tolist() == pytest.approx([0.1, 0.0])
    logits = torch.tensor([[0.0, 0.0], [20.0, -20.0]])
    assert label_error(logits, torch.tensor([[1, 0], [1, 1]])).tolist() == pytest.approx([0.25, 0.5], abs=1e-6)

"""Closed forms: a reader that knows nothing scores 1 on average, one that knows all scores 0."""

import pytest
import torch

from causalcf.losses.labels import noise_error


def test_knowing_nothing_costs_the_variance_and_knowing_all_costs_nothing():
    noise = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert float(noise_error(torch.zeros(200_000, 3), noise).mean()) == pytest.approx(1, abs=0.01)
    assert float(noise_error(noise, noise).abs().max()) == 0


def test_only_the_coordinates_that_are_read_count():
    noise = torch.tensor([[0.5, -1.0, 1.0]])
    assert noise_error(torch.tensor([[0.0, -1.0]]), noise).tolist() == pytest.approx([3 * 0.25 / 2])

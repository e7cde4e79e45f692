"""Oracle: scipy's Bernoulli log-likelihood."""

import math

import pytest
import torch
from scipy.stats import bernoulli

from causalcf.losses.labels import anti_labeler_weight, label_cross_entropy


def test_cross_entropy_is_the_negative_log_likelihood_of_the_whole_row():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=draw, dtype=torch.float64)
    labels = torch.randint(0, 2, (5, 3), generator=draw)
    expected = -bernoulli.logpmf(labels.numpy(), logits.sigmoid().numpy()).sum(1)
    assert label_cross_entropy(logits, labels).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_the_anti_labelers_weight_fades():
    assert anti_labeler_weight(0, decay=500) == 1
    assert anti_labeler_weight(500, decay=500) == pytest.approx(math.exp(-1))

"""Diversity by hand, by loops, and against a law whose diversity is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.stats import binomtest, ttest_1samp

from causalcf.errors import CausalCFError
from causalcf.evaluation.axioms import between_units, diversity

ALPHA = 1e-5


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("causalcf.evaluation.axioms.RESAMPLES", 200)


def rng():
    return np.random.default_rng(0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_by_hand():
    """Draws 2 and 4 apart, so 3; units 10, 14, 8 and 12 apart, so 11."""
    assert diversity(torch.tensor([[[0.0], [2.0]], [[10.0], [14.0]]]), seeded()).value == pytest.approx(3 / 11)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 4), st.integers(1, 3))
def test_by_loops_whatever_the_scale_the_place_and_the_blocks(seed, n, m, f):
    draws = np.random.default_rng(seed).standard_normal((n, m, f))
    within = np.mean([pdist(unit).mean() for unit in draws])
    between = np.mean([cdist(draws[i], draws[j]).mean() for i in range(n) for j in range(n) if i != j])
    found = diversity(torch.from_numpy(draws), seeded())
    assert found.value == pytest.approx(within / between, rel=1e-9) and found.low <= found.high
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalcf.evaluation.axioms.BLOCK", 3)
        other = diversity(torch.from_numpy(7 * draws + 1), seeded())
    assert (other.value, other.low, other.high) == pytest.approx((found.value, found.low, found.high), rel=1e-6)


def test_draws_that_are_alike_have_no_diversity_and_people_that_are_alike_no_yardstick():
    people = torch.from_numpy(rng().standard_normal((40, 1, 30)))
    alike = diversity(people.expand(-1, 4, -1), seeded())
    assert (alike.value, alike.low, alike.high) == (0, 0, 0)
    assert str(diversity(people[:1].expand(9, 4, -1), seeded())) == "no units"
    assert str(diversity(people[:1].expand(1, 4, -1), seeded())) == "no units"


SPREADS = np.array([0.2, 1.5])  # of a unit's draws around the unit, each as likely as the other


def sample(n, m, random):
    unit, spread = random.standard_normal((n, 1)), random.choice(SPREADS, (n, 1))
    return unit + spread * random.standard_normal((n, m))


def true_diversity():
    """E|N(0, v)| is sqrt(2 v / pi), with v = 2 s^2 within a unit and 2 + s^2 + t^2 between units."""
    within = np.sqrt(2 * SPREADS**2).mean()
    between = np.sqrt(2 + np.add.outer(SPREADS**2, SPREADS**2)).mean()
    return within / between


def distances_as_if_independent(draws):
    """The interval that takes each distance between draws for a unit of its own."""
    apart = np.concatenate([pdist(unit[:, None]) for unit in draws])
    between = between_units(torch.from_numpy(draws)[:, :, None])
    yardstick = between.sum() / (len(draws) * (len(draws) - 1))
    reach = 1.96 * apart.std() / math.sqrt(len(apart))
    return (apart.mean() - reach) / yardstick, (apart.mean() + reach) / yardstick


def test_intervals_cover_where_those_over_distances_do_not():
    random, generator, truth, repeats = rng(), seeded(), true_diversity(), 200
    hits = wrong_hits = 0
    for _ in range(repeats):
        draws = sample(80, 6, random)
        found = diversity(torch.from_numpy(draws)[:, :, None], generator)
        hits += found.low <= truth <= found.high
        low, high = distances_as_if_independent(draws)
        wrong_hits += low <= truth <= high
    assert binomtest(hits, repeats, 0.95, alternative="less").pvalue > ALPHA
    assert binomtest(wrong_hits, repeats, 0.95, alternative="less").pvalue < ALPHA


def of_samples(shared, repeats=60):
    """Diversities of 200 units whose draws share a part of that spread with their unit."""
    random = rng()
    parts = [(random.standard_normal((200, 5, 8)), random.standard_normal((200, 1, 8))) for _ in range(repeats)]
    return [diversity(torch.from_numpy(own + shared * unit), seeded()).value for own, unit in parts]


def test_draws_of_anyone_are_as_varied_as_different_people():
    assert ttest_1samp(of_samples(shared=0.0), 1.0).pvalue > ALPHA
    assert ttest_1samp(of_samples(shared=0.2), 1.0).pvalue < ALPHA  # about .98: a little alike is seen


def test_randomness_comes_from_the_generator_alone():
    draws = torch.from_numpy(rng().standard_normal((30, 3, 2)))
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert diversity(draws, seeded()) == diversity(draws, seeded()) != diversity(draws, seeded(1))
    assert torch.equal(before[0], torch.get_rng_state()) and (before[1] == np.random.get_state()[1]).all()


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(CausalCFError, match=r"features.*finite"):
        diversity(torch.full((5, 2, 3), math.inf), seeded())

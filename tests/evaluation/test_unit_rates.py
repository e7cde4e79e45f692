"""Figures over units: faces whose errors are their own, as one interval each, and as thousands of trials."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import beta, binomtest

from causalcf.statistics.rates import BCA, WILSON, Rate, as_share, over_units, ratio_interval

ALPHA = 1e-5
PROBLEMS = 400
LABELS = 9


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("causalcf.statistics.rates.ratio_interval", partial(ratio_interval, resamples=400))


# Faces, share of those that are drawn badly, causes flipped of which each face answers some or all.
CASES = [(385, 0.02, 9), (385, 0.3, 9), (60, 0.3, 9), (120, 0.15, 4), (200, 0.0, 9)]


def faces(n, bad, causes, random):
    """Which unit each answered flip is of, and how many of its labels are read as they should be.

    A face drawn badly is read as badly in all its flips, one that is not is always read right.
    """
    quality = np.where(random.random(n) < bad, beta(2, 1).rvs(n, random_state=random), 1.0)
    units = np.repeat(np.arange(n), random.integers(1, causes + 1, n))
    right = random.binomial(LABELS, quality[units])
    return torch.from_numpy(units), torch.from_numpy(right)


@pytest.mark.parametrize("case", CASES)
def test_intervals_over_units_cover_and_those_over_trials_do_not(case):
    random, truth = np.random.default_rng(0), 1 - case[1] / 3  # the mean of beta(2, 1) is 2 / 3
    covering = wrong = 0
    for problem in range(PROBLEMS):
        units, right = faces(*case, random)
        found = over_units(units, right, LABELS, None, problem)
        covering += found["low"] <= truth <= found["high"]
        assert found["value"] == pytest.approx(int(right.sum()) / found["n"])  # pooled counts
        low, high = Rate(int(right.sum()), found["n"]).interval
        wrong += low <= truth <= high
    assert binomtest(covering, PROBLEMS, 0.95, alternative="less").pvalue > ALPHA
    if case[1]:  # without bad faces all is right, and any interval holds it
        assert binomtest(wrong, PROBLEMS, 0.95, alternative="less").pvalue < ALPHA


def test_counts_are_told_and_nothing_is_dropped():
    found = over_units(torch.tensor([3, 3, 7]), torch.tensor([1, 2, 0]), torch.tensor([1, 2, 4]), 5, 0)
    assert (found["n"], found["units"], found["answered"], found["asked"]) == (7, 2, 3, 5)
    assert found["value"] == pytest.approx(3 / 7) and found["interval_method"] == WILSON


@pytest.mark.parametrize("units", [[], [4], [4, 4]])
def test_fewer_than_two_units_give_counts_alone(units):
    found = over_units(torch.tensor(units, dtype=torch.long), torch.ones(len(units)), 1, 9, 0)
    assert [found[key] for key in ("value", "low", "high", "interval_method")] == [None] * 4
    assert (found["n"], found["units"], found["answered"], found["asked"]) == (len(units), len({*units}), len(units), 9)


def test_units_asked_once_are_a_single_rate():
    shown = torch.arange(200) % 3 == 0
    found = over_units(torch.arange(200), shown, 1, 200, 0)
    assert (found["low"], found["high"]) == Rate(67, 200).interval and found["interval_method"] == WILSON


def test_amounts_have_a_bootstrap_and_may_exceed_their_yardstick():
    change = torch.rand(200, generator=torch.Generator().manual_seed(0)).double() / 2 + 0.25
    raw = over_units(torch.arange(200), change, 1, 200, 0)
    found = as_share(raw, 0.4)
    assert found["interval_method"] == BCA and 1 < found["low"] < found["value"] < found["high"]
    assert found["high"] == pytest.approx(raw["high"] / 0.4)


def test_the_upper_end_of_no_change_is_a_whole_image_and_not_a_yardstick():
    """What the units not yet seen may do is to turn black to white, which is several yardsticks."""
    found = as_share(over_units(torch.arange(200), torch.zeros(200).double(), 1, 200, 0), 0.2)
    bound = binomtest(0, 200).proportion_ci(method="wilson").high
    assert found["low"] == 0 and found["high"] == pytest.approx(bound / 0.2)


@pytest.mark.parametrize("yardstick", [0.0, 1e-9])
def test_where_all_images_are_alike_there_is_no_share(yardstick):
    found = as_share(over_units(torch.arange(9), torch.zeros(9).double(), 1, 9, 0), yardstick)
    assert [found[key] for key in ("value", "low", "high")] == [None] * 3 and found["answered"] == 9

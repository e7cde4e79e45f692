"""Scores against brute force; intervals against exact or simulated coverage, with wrong intervals that must fail."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from causalcf.classifiers.scores import (
    area_and_variance,
    auroc,
    balanced_accuracy,
    calibration_error,
    mean_estimate,
    score_attributes,
)
from causalcf.statistics.rates import Estimate

ALPHA = 1e-5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def holds(estimate, truth):
    return estimate.low - 1e-12 <= truth <= estimate.high + 1e-12


@st.composite
def readings(draw):
    """Truths of both kinds, and scores with ties."""
    truth = draw(st.lists(st.booleans(), min_size=2, max_size=30).filter(lambda t: 0 < sum(t) < len(t)))
    score = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]), min_size=len(truth), max_size=len(truth)))
    return np.array(truth), np.array(score)


@given(readings())
def test_auroc_counts_pairs(reading):
    truth, score = reading
    above = score[truth][:, None] - score[~truth][None]
    wins = (above > 0) + 0.5 * (above == 0)
    found = auroc(truth, score)
    assert found.value == pytest.approx(wins.mean(), abs=1e-12)
    m, n = wins.shape
    assert found.value == pytest.approx(stats.mannwhitneyu(score[truth], score[~truth]).statistic / (m * n), abs=1e-12)
    assert 0 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1
    assert found.low < found.high
    variance = area_and_variance(truth, score)[1]
    if m > 1 and n > 1:  # DeLong's variance by its definition
        assert variance == pytest.approx(wins.mean(1).var(ddof=1) / m + wins.mean(0).var(ddof=1) / n, abs=1e-12)


def test_a_perfect_ranking_still_has_an_interval():
    truth = np.arange(60) < 10
    found = auroc(truth, truth.astype(float))
    low, m, n = found.low, 10, 50
    spread = 1 + 29 * (1 - low) / (2 - low) + 29 * low / (1 + low)  # Newcombe (2006), method 5
    assert found.value == found.high == 1 and 0.7 < low < 0.99
    assert (1 - low) ** 2 == pytest.approx(1.959964**2 * low * (1 - low) * spread / (m * n), rel=1e-6)
    worst = auroc(truth, -truth.astype(float))
    assert (worst.value, worst.low, worst.high) == pytest.approx((0, 0, 1 - low), abs=1e-6)


def delong(truth, score):
    """The interval from DeLong's variance alone, on the log-odds scale."""
    area, variance = area_and_variance(truth, score)
    area = min(area, 1 - 1e-9)
    spread = 1.959964 * math.sqrt(max(variance, 1e-30)) / (area * (1 - area))
    return Estimate(area, *stats.logistic.cdf(stats.logistic.ppf(area) + np.array([-spread, spread])))


def newcombe(truth, score):
    """Newcombe's interval as published: the variance of its model alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalcf.classifiers.scores.area_and_variance", lambda t, s: (area_and_variance(t, s)[0], 0.0))
        return auroc(truth, score)


def coverage_p(interval, apart, spread, m, n, repeats=700):
    """How likely a 95 % interval holds the true area, of two normals `apart`, as rarely as it did; one-sided."""
    rng, truth = np.random.default_rng(0), np.arange(m + n) < m
    area = stats.norm.cdf(apart / math.sqrt(1 + spread**2))
    scale = np.where(truth, spread, 1.0)
    hits = sum(holds(interval(truth, scale * rng.standard_normal(m + n) + apart * truth), area) for _ in range(repeats))
    return stats.binomtest(hits, repeats, 0.95, alternative="less").pvalue


def test_auroc_intervals_cover_where_others_do_not():
    """Few positives read well, positives that vary more than negatives, and a plain case."""
    well, varied = (2.9, 1.0, 46, 954), (2.0, 2.0, 46, 954)
    assert min(coverage_p(auroc, *case) for case in (well, varied, (1.0, 1.0, 60, 300))) > ALPHA
    assert coverage_p(delong, *well) < ALPHA
    assert coverage_p(newcombe, *varied) < ALPHA


def test_auroc_intervals_are_no_wider_than_they_must():
    """Two normals, as many images of either kind as photographs give: within a tenth of DeLong's width."""
    rng, truth = np.random.default_rng(0), np.arange(2000) < 900
    score = rng.standard_normal(2000) + 2.0 * truth
    ours, other = auroc(truth, score), delong(truth, score)
    assert 1 <= (ours.high - ours.low) / (other.high - other.low) < 1.15


def exact_coverage(interval, sensitivity, specificity, m, n):
    """P(the interval holds the true balanced accuracy), summed over all outcomes of m ones and n zeros."""
    total = 0.0
    for hit, p in enumerate(stats.binom.pmf(np.arange(m + 1), m, sensitivity)):
        for miss, q in enumerate(stats.binom.pmf(np.arange(n + 1), n, specificity)):
            if p * q > 1e-6 and holds(interval(hit, miss), (sensitivity + specificity) / 2):
                total += p * q
    return total


def test_balanced_accuracy_intervals_cover_exactly_computed():
    m, n = 25, 60
    truth = np.arange(m + n) < m

    def ours(hit, miss):
        said = np.concatenate([np.arange(m) < hit, np.arange(n) >= miss])
        return balanced_accuracy(truth, said)

    def wald(hit, miss):
        p, q = hit / m, miss / n
        spread = 1.96 * math.sqrt(p * (1 - p) / m + q * (1 - q) / n) / 2
        return Estimate((p + q) / 2, (p + q) / 2 - spread, (p + q) / 2 + spread)

    assert ours(20, 54).value == pytest.approx((20 / 25 + 54 / 60) / 2)
    for sensitivity, specificity in ((0.8, 0.9), (0.97, 0.99), (0.5, 0.99)):
        assert 0.93 < exact_coverage(ours, sensitivity, specificity, m, n) < 0.985
    assert exact_coverage(wald, 0.97, 0.99, m, n) < 0.9


def test_a_threshold_at_the_base_rate_and_one_at_half_are_both_told():
    labels = torch.tensor([[1], [1], [0], [0], [0], [0], [0], [0], [0], [0]])
    p = torch.tensor([0.9, 0.3, 0.25, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05])[:, None]
    scores = score_attributes(["Bald"], labels, p, [0.2], seeded())["Bald"]
    assert scores.balanced_accuracy.value == pytest.approx((1 + 7 / 8) / 2)
    assert scores.balanced_accuracy_at_half.value == pytest.approx((1 / 2 + 1) / 2)
    assert scores.accuracy.value == 0.9 and scores.majority == 0.8 and scores.positives == 2
    assert scores.confusion == {"true 1, said 1": 1, "true 1, said 0": 1, "true 0, said 1": 0, "true 0, said 0": 8}
    wilson = stats.binomtest(9, 10).proportion_ci(0.95, "wilson")
    assert (scores.accuracy.low, scores.accuracy.high) == pytest.approx((wilson.low, wilson.high))
    other = torch.randperm(10, generator=seeded())  # counts are pooled: the order of images changes nothing
    assert score_attributes(["Bald"], labels[other], p[other], [0.2], seeded())["Bald"].auroc == scores.auroc


def test_a_value_that_never_occurs_gives_no_figure():
    scores = score_attributes(["Hat"], torch.zeros(5, 1), torch.full((5, 1), 0.1), [0.1], seeded())["Hat"]
    assert str(scores.auroc) == str(scores.balanced_accuracy) == "no units"
    assert scores.auroc.to_dict() == {"value": None, "low": None, "high": None}
    assert scores.accuracy.value == 1 and scores.accuracy.low < 0.7
    mean = mean_estimate([scores.auroc, Estimate(0.8, 0.7, 0.9), Estimate(0.6, 0.5, 0.7)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.7, 0.6, 0.8))


def test_plain_calibration_error_is_the_weighted_gap_of_the_bins():
    rng = np.random.default_rng(1)
    p, truth = rng.random(500), rng.random(500) < 0.5
    total = 0.0
    for low in range(15):
        inside = (p > low / 15) & (p <= (low + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - truth[inside].mean())
    assert calibration_error(truth, p, seeded()).plain == pytest.approx(total)


def skewed(n, off, rng):
    """Rare positives as a classifier sees them, its log-odds too high by `off`."""
    log_odds = -2.0 + 2.0 * rng.standard_normal(n)
    return rng.random(n) < 1 / (1 + np.exp(-log_odds)), 1 / (1 + np.exp(-log_odds - off))


def binned_truth(off):
    """The true error over 15 bins, by integration over the log-odds."""
    grid = np.linspace(-14, 10, 200_001)
    weight = stats.norm.pdf(grid, -2, 2)
    said, is_one = 1 / (1 + np.exp(-grid - off)), 1 / (1 + np.exp(-grid))
    place = np.clip(np.ceil(said * 15).astype(int) - 1, 0, 14)
    return np.abs(np.bincount(place, (said - is_one) * weight, 15)).sum() / weight.sum()


def percentile_bootstrap(truth, p, rng, draws=100):
    n = len(truth)
    place = np.clip(np.ceil(p * 15).astype(int) - 1, 0, 14)
    rows = rng.integers(0, n, (draws, n))
    errors = [np.abs(np.bincount(place[r], (p - truth)[r], 15)).sum() / n for r in rows]
    return Estimate(0.0, *np.quantile(errors, [0.025, 0.975]))


@pytest.mark.parametrize("off", [0.0, 0.4])
def test_calibration_error_intervals_cover_where_a_percentile_bootstrap_does_not(off):
    rng, true = np.random.default_rng(2), binned_truth(off)
    hits = bootstrap_hits = 0
    repeats, ours, plain = 200, [], []
    for seed in range(repeats):
        truth, p = skewed(400, off, rng)
        found = calibration_error(truth, p, seeded(seed))
        ours.append(found.corrected.value)
        plain.append(found.plain)
        hits += holds(found.corrected, true)
        bootstrap_hits += holds(percentile_bootstrap(truth, p, rng), true)
    assert stats.binomtest(hits, repeats, 0.95, alternative="less").pvalue > ALPHA
    assert stats.binomtest(bootstrap_hits, repeats, 0.95, alternative="less").pvalue < ALPHA
    assert abs(float(np.median(ours)) - true) < abs(float(np.median(plain)) - true)


def test_chance_alone_is_told():
    rng = np.random.default_rng(3)
    plain, description = [], []
    for seed in range(200):
        truth, p = skewed(400, 0.0, rng)
        found = calibration_error(truth, p, seeded(seed))
        plain.append(found.plain)
        description.append(found.by_chance)
    assert np.mean(description) == pytest.approx(np.mean(plain), rel=0.08) and min(plain) > 0.005

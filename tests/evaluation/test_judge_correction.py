"""The judge's errors taken out: unbiased, wider, and refused where there is nothing to go by."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from causalcf.statistics.misclassification import corrected_effects
from causalcf.statistics.rates import Rate, mean_intervals

ALPHA = 1e-5


def read(labels, sensitivity, specificity, rng):
    """What a judge sees of 0/1 labels."""
    return np.where(labels == 1, rng.random(labels.shape) < sensitivity, rng.random(labels.shape) > specificity).astype(
        int
    )


def test_corrected_intervals_cover_the_true_effect_and_raw_ones_do_not():
    rng, n, se, sp = np.random.default_rng(0), 600, 0.8, 0.85
    raw = corrected = 0
    for _ in range(300):
        before = rng.random(n) < 0.3
        after = before | (rng.random(n) < 0.4)  # an effect of .28
        values = read(after, se, sp, rng) - read(before, se, sp, rng)
        scored = Rate(rng.binomial(400, se), 400), Rate(rng.binomial(800, sp), 800)
        ((_, interval),) = corrected_effects(values[None], [scored], rng, resamples=500)
        corrected += interval.low <= 0.28 <= interval.high
        (plain,) = mean_intervals(values[None], rng, resamples=500)
        raw += plain.low <= 0.28 <= plain.high
    assert binomtest(corrected, 300, 0.95, alternative="less").pvalue > ALPHA
    assert binomtest(raw, 300, 0.95, alternative="less").pvalue < ALPHA


@given(st.integers(60, 100), st.integers(60, 100), st.integers(0, 40))
def test_never_narrower_than_the_raw_interval_over_the_gain(hits, passes, up):
    values = np.r_[np.ones(up), np.zeros(100 - up)]
    rates = Rate(hits, 100), Rate(passes, 100)
    (found,) = corrected_effects(values[None], [rates], np.random.default_rng(0), resamples=200)
    if found is None:  # of these, at most 40 in 100 are seen to change, so none lies beyond 1
        assert hits + passes < 145
        return
    (raw,) = mean_intervals(values[None], np.random.default_rng(0), resamples=200)
    gain = rates[0].value + rates[1].value - 1
    effect, interval = found
    assert abs(effect - min(1, values.mean() / gain)) < 1e-12
    assert interval.low <= raw.low / gain + 1e-12 and interval.high >= min(1, raw.high / gain) - 1e-12


def test_no_corrected_effect_exceeds_1():
    judge, rng = (Rate(95, 100), Rate(95, 100)), np.random.default_rng(0)
    ((effect, interval),) = corrected_effects(np.r_[np.ones(92), np.zeros(8)][None], [judge], rng)
    assert effect == 1 and interval.low < 0.95 and interval.high == 1
    # A judge that errs on one image in twenty cannot have seen all of 400 change.
    assert corrected_effects(np.ones((1, 400)), [judge], rng) == [None]


def test_a_judge_that_hardly_tells_corrects_nothing():
    values, rng = np.ones((1, 50)), np.random.default_rng(0)
    assert corrected_effects(values, [(Rate(50, 100), Rate(52, 100))], rng) == [None]
    assert corrected_effects(values, [(Rate(0, 0), Rate(5, 5))], rng) == [None]

"""Do 95 % intervals hold the truth 95 times in a hundred? And is one told apart that does not?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from causalcf.errors import CausalCFError
from causalcf.statistics.rates import BCA, FEW, PERCENTILE, WILSON, mean_intervals, ratio_interval

ALPHA = 1e-5
PROBLEMS = 2000
# Units, share of answers up, share down, spread of a reference that differs from unit to unit.
CASES = [
    (400, 0.3, 0.1, 0.0),
    (400, 0.1, 0.05, 0.0),
    (400, 0.02, 0.01, 0.0),
    (1068, 0.02, 0.01, 0.0),
    (1068, 0.02, 0.01, 0.3),
    (1068, 0.1, 0.05, 0.0),
    (1068, 0.3, 0.1, 0.3),
    (400, 0.05, 0.05, 0.2),
]


def changes(problems, n, up, down, rng):
    draw = rng.random((problems, n))
    return (draw < up).astype(float) - ((draw >= up) & (draw < up + down))


def problems(case, rng):
    """Paired differences of many problems, their references, and the mean that each problem estimates."""
    n, up, down, spread = case
    values = changes(PROBLEMS, n, up, down, rng)
    return values, spread * rng.beta(2, 5, values.shape), up - down - spread * 2 / 7


def hits(case, level):
    values, reference, truth = problems(case, np.random.default_rng(0))
    found = mean_intervals(values, np.random.default_rng(1), level, resamples=1000, reference=reference)
    return sum(one.low <= truth <= one.high for one in found)


@pytest.mark.parametrize("case", CASES)
def test_coverage_is_as_stated_and_too_narrow_an_interval_is_found_out(case):
    assert binomtest(hits(case, 0.95), PROBLEMS, 0.95).pvalue > ALPHA
    assert binomtest(hits(case, 0.90), PROBLEMS, 0.95).pvalue < ALPHA  # 5 to 95 %


@pytest.mark.parametrize(("up", "down"), [(0.0, 0.0), (0.001, 0.0), (0.002, 0.001), (0.005, 0.0)])
def test_rare_changes_beside_a_reference_are_covered_which_a_bootstrap_of_the_differences_does_not(up, down):
    rng = np.random.default_rng(0)
    values = changes(PROBLEMS, 400, up, down, rng)
    reference = -0.05 + 0.005 * rng.choice([-1, 1], size=values.shape)
    truth = up - down + 0.05

    def covering(found):
        return sum(one.low <= truth <= one.high for one in found)

    apart = mean_intervals(values, rng, resamples=400, reference=reference)
    assert binomtest(covering(apart), PROBLEMS, 0.95, alternative="less").pvalue > ALPHA
    if up:  # the negative control
        together = mean_intervals(values - reference, rng, resamples=400)
        assert binomtest(covering(together), PROBLEMS, 0.95, alternative="less").pvalue < ALPHA


def test_resampling_units_is_the_bootstrap_of_the_values():
    values = np.random.default_rng(0).normal(size=(4, 60))
    own = mean_intervals(values, np.random.default_rng(1), resamples=500)
    plain = bootstrap((values,), np.mean, axis=-1, n_resamples=500, method="BCa", rng=np.random.default_rng(1))
    ends = plain.confidence_interval
    assert [one.low for one in own] == pytest.approx(ends.low) and [one.high for one in own] == pytest.approx(ends.high)
    assert {one.method for one in own} == {BCA}


def test_where_no_bias_can_be_had_the_percentiles_are_taken_and_told():
    values = np.random.default_rng(0).normal(size=(20, 60))
    found = mean_intervals(values, np.random.default_rng(0), resamples=2)  # often both on one side of the mean
    assert {one.method for one in found} == {BCA, PERCENTILE}
    assert all(np.isfinite([one.low, one.high]).all() for one in found)


@given(st.integers(2, 300), st.data())
def test_intervals_hold_the_mean_and_stay_within_bounds(n, data):
    few = data.draw(st.lists(st.sampled_from([-1.0, -0.3, 0.0, 1.0]), max_size=min(n, FEW - 1)))
    common = data.draw(st.sampled_from([-1.0, 0.0, 0.05, 1.0]))
    values = np.r_[few, np.full(n - len(few), common)][None]
    (found,) = mean_intervals(values, np.random.default_rng(0), resamples=50)
    assert found.low >= -1 - 1e-12 and found.high <= 1 + 1e-12 and found.low < found.high
    assert found.method != WILSON or found.low - 1e-12 <= values.mean() <= found.high + 1e-12


def test_a_distance_of_0_has_nothing_below_it():
    (found,) = mean_intervals(np.zeros((1, 400)), np.random.default_rng(0), bounds=(0, 1))
    assert found.low == 0 and found.high == pytest.approx(binomtest(0, 400).proportion_ci(method="wilson").high)


def test_the_method_is_told_and_follows_from_the_data():
    rng = np.random.default_rng(0)
    few = np.zeros((3, 500))
    few[1, : FEW - 1], few[2, :FEW] = 1, 1
    assert [one.method for one in mean_intervals(few, rng)] == [WILSON, WILSON, BCA]
    assert {BCA, PERCENTILE, WILSON} == {"BCa bootstrap", "percentile bootstrap", "Wilson"}


def test_units_that_all_stayed_leave_room_for_units_that_would_not():
    (found,) = mean_intervals(np.zeros((1, 400)), np.random.default_rng(0))
    bound = binomtest(0, 400).proportion_ci(method="wilson").high  # what 0 of 400 leaves open
    assert found.low == pytest.approx(-bound) and found.high == pytest.approx(bound)


@pytest.mark.parametrize(("up", "down"), [(0.003, 0.0), (0.004, 0.004), (0.0, 0.01)])
def test_rare_changes_are_covered_at_least_as_often_as_stated(up, down):
    values = changes(PROBLEMS, 1068, up, down, np.random.default_rng(1))
    found = mean_intervals(values, np.random.default_rng(2), resamples=400)
    covering = sum(one.low <= up - down <= one.high for one in found)
    assert binomtest(covering, PROBLEMS, 0.95, alternative="less").pvalue > ALPHA


def test_a_row_does_not_depend_on_the_rows_beside_it():
    rows = np.random.default_rng(2).normal(size=(5, 60))
    together = mean_intervals(rows, np.random.default_rng(3))
    alone = mean_intervals(rows[2:3], np.random.default_rng(3))[0]
    assert (together[2].low, together[2].high) == pytest.approx((alone.low, alone.high))


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((2, 1)), np.full((1, 9), np.nan)])
def test_what_is_no_table_of_values_is_refused(values):
    with pytest.raises(CausalCFError, match=r"\bvalues\b"):
        mean_intervals(values, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("sums", "trials"),
    [([1.0], [2]), ([1, 1], [[2], [2]]), ([1, 1], [2, 0]), ([1, -1], [2, 2]), ([1, np.nan], [2, 2])],
)
def test_what_are_no_trials_of_units_is_refused(sums, trials):
    with pytest.raises(CausalCFError, match=r"\btrials\b"):
        ratio_interval(np.array(sums), np.array(trials), np.random.default_rng(0))


def test_equal_trials_are_the_bootstrap_of_the_units_own_rates():
    sums, same = np.random.default_rng(0).uniform(0, 9, 60), np.full(60, 9)
    found = ratio_interval(sums, same, np.random.default_rng(1))
    (plain,) = mean_intervals(sums[None] / 9, np.random.default_rng(1))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high)) and found.method == plain.method == BCA


def test_a_unit_counts_by_its_trials():
    trials = np.array([1] * 50 + [9] * 50)
    found = ratio_interval(np.where(trials == 9, 6, 0), trials, np.random.default_rng(0))
    assert found.low < 0.6 < found.high and found.high < 0.67  # 300 of 500, not a third, which is the mean of rates


def test_hits_throughout_leave_room_for_units_and_not_for_trials():
    found = ratio_interval(np.full(40, 81), np.full(40, 81), np.random.default_rng(0))
    bound = binomtest(40, 40).proportion_ci(method="wilson").low
    assert (found.low, found.high, found.method) == (pytest.approx(bound), 1.0, WILSON) and bound < 0.92

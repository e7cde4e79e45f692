"""Do 95 % intervals hold the truth 95 times in a hundred? And is one told apart that does not?"""

import numpy as np
import pytest
from scipy.stats import binomtest

from causalcf.errors import CausalCFError
from causalcf.evaluation.intervals import BCA, FEW, PERCENTILE, WILSON, mean_intervals

ALPHA = 1e-5
PROBLEMS = 2000
# Units, share of answers up, share down, spread of a reference that differs from unit to unit.
CASES = [
    (400, 0.3, 0.1, 0.0),
    (400, 0.1, 0.05, 0.0),
    (400, 0.02, 0.01, 0.0),
    (1068, 0.02, 0.01, 0.3),
    (400, 0.05, 0.05, 0.2),
]
PER_CASE = PROBLEMS // len(CASES)


def problems(case, rng):
    """Paired differences of many problems, and the mean that each estimates."""
    n, up, down, spread = case
    draw = rng.random((PER_CASE, n))
    values = (draw < up).astype(float) - ((draw >= up) & (draw < up + down))
    return values - spread * rng.beta(2, 5, values.shape), up - down - spread * 2 / 7


def covered(level):
    rng = np.random.default_rng(0)
    hits = 0
    for case in CASES:
        values, truth = problems(case, rng)
        hits += sum(one.low <= truth <= one.high for one in mean_intervals(values, rng, level, resamples=600))
    return hits


def test_coverage_is_as_stated_and_too_narrow_an_interval_is_found_out():
    assert binomtest(covered(0.95), PROBLEMS, 0.95).pvalue > ALPHA
    assert binomtest(covered(0.90), PROBLEMS, 0.95).pvalue < ALPHA  # 5 to 95 %


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


def test_rare_changes_are_covered_at_least_as_often_as_stated():
    rng = np.random.default_rng(1)
    for up, down in ((0.003, 0.0), (0.004, 0.004), (0.0, 0.01)):
        draw = rng.random((800, 1068))
        values = (draw < up).astype(float) - ((draw >= up) & (draw < up + down))
        hits = sum(one.low <= up - down <= one.high for one in mean_intervals(values, rng, resamples=400))
        assert binomtest(hits, 800, 0.95, alternative="less").pvalue > ALPHA


def test_a_row_does_not_depend_on_the_rows_beside_it():
    rows = np.random.default_rng(2).normal(size=(5, 60))
    together = mean_intervals(rows, np.random.default_rng(3))
    alone = mean_intervals(rows[2:3], np.random.default_rng(3))[0]
    assert (together[2].low, together[2].high) == pytest.approx((alone.low, alone.high))


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((2, 1)), np.full((1, 9), np.nan)])
def test_what_is_no_table_of_values_is_refused(values):
    with pytest.raises(CausalCFError, match="values"):
        mean_intervals(values, np.random.default_rng(0))

"""Verdicts: by metrics' own definitions, on null links, and their power."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from causalcf.errors import CausalCFError
from causalcf.evaluation.links import ABSENT, EXAGGERATED, LEAKS, RESPECTED, REVERSED, WEAK, verdict
from causalcf.evaluation.suite import VERDICTS
from causalcf.statistics.misclassification import holm, sign_test, units_for
from causalcf.statistics.rates import mean_intervals

ALPHA = 1e-5
SHARES = st.floats(-1, 1)


@pytest.mark.parametrize(
    ("effect", "interval", "reference", "expected"),
    [
        (0.30, (0.25, 0.35), 0.28, RESPECTED),
        (0.33, (0.30, 0.36), 0.28, RESPECTED),  # .05 is within .05
        (0.34, (0.30, 0.38), 0.28, EXAGGERATED),
        (0.20, (0.15, 0.25), 0.28, WEAK),
        (0.01, (-0.02, 0.04), 0.28, ABSENT),
        (0.04, (-0.01, 0.09), 0.06, ABSENT),  # near, but it may be nothing
        (-0.10, (-0.15, -0.05), 0.28, REVERSED),
        (-0.30, (-0.35, -0.25), -0.28, RESPECTED),
        (0.04, (0.02, 0.06), 0.0, RESPECTED),
        (0.06, (0.03, 0.09), 0.0, LEAKS),
        (-0.06, (-0.09, -0.03), 1e-12, LEAKS),
        (0.00, (-0.03, 0.03), 0.04, RESPECTED),  # within the margin there is nothing to be absent
        (0.12, (0.09, 0.15), 0.04, EXAGGERATED),
        (-0.08, (-0.11, -0.05), 0.04, REVERSED),
    ],
)
def test_each_rule(effect, interval, reference, expected):
    assert verdict(effect, interval, reference) == expected


@given(SHARES, st.floats(0, 0.5), st.floats(0, 0.5), SHARES)
def test_every_figure_has_one_verdict_and_signs_do_not_matter(effect, below, above, reference):
    found = verdict(effect, (effect - below, effect + above), reference)
    assert found in list(VERDICTS)[:6]
    assert found == verdict(-effect, (-effect - above, -effect + below), -reference)
    if found == RESPECTED:
        assert abs(effect - reference) <= 0.05 + 1e-9
    if found in (LEAKS, WEAK, EXAGGERATED, REVERSED) and found != ABSENT:
        assert abs(effect - reference) > 0.05 - 1e-9 or found == REVERSED


def test_a_figure_that_is_none_gets_no_verdict():
    for bad in ((math.nan, (0, 1), 0), (0, (1, 0), 0), (0, (0, math.inf), 0)):
        with pytest.raises(CausalCFError, match=re.escape("effect {}, interval {}, reference {}".format(*bad))):
            verdict(*bad)


def simulated(up, down, reference, problems=400):
    n = units_for(0.03)
    rng = np.random.default_rng(0)
    draw = rng.random((problems, n))
    values = (draw < up).astype(float) - ((draw >= up) & (draw < up + down))
    found = mean_intervals(values, rng, resamples=300)
    return [verdict(float(row.mean()), (one.low, one.high), reference) for row, one in zip(values, found, strict=True)]


def test_null_links_hardly_ever_leak_and_a_real_leak_is_seen():
    # A judge that errs on one image in twenty, both ways: the standard error is .0095, the margin five of them.
    assert simulated(0.05, 0.05, 0.0).count(LEAKS) == 0
    assert simulated(0.15, 0.05, 0.0).count(LEAKS) > 395  # the negative control


def test_effects_of_a_known_size_are_found_and_missing_ones_are_missed():
    assert simulated(0.16, 0.01, 0.15).count(RESPECTED) > 395
    assert simulated(0.005, 0.005, 0.15).count(ABSENT) > 370  # 5 % of the intervals exclude 0: weak or reversed
    assert simulated(0.01, 0.16, 0.15).count(REVERSED) == 400
    assert simulated(0.08, 0.01, 0.15).count(WEAK) > 395


def test_holm_by_hand_and_by_its_bounds():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.5, 0.9]) == [1.0, 1.0]
    with pytest.raises(CausalCFError, match=r"p-values.*\bnan\b"):
        holm([0.1, math.nan])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_the_raw_value_and_bonferroni(p):
    adjusted = holm(p)
    assert all(raw <= one <= min(1, raw * len(p)) + 1e-12 for raw, one in zip(p, adjusted, strict=True))
    assert sorted(adjusted) == [adjusted[i] for i in np.argsort(p, kind="stable")]


def test_families_of_null_links_are_rejected_no_more_often_than_stated():
    rng = np.random.default_rng(0)
    families = [[sign_test(row) for row in rng.choice([-1, 0, 1], (20, 300), p=[0.1, 0.8, 0.1])] for _ in range(300)]
    wrong = sum(min(holm(family)) < 0.05 for family in families)
    assert wrong <= 15 + 4.4 * (300 * 0.05 * 0.95) ** 0.5
    assert sum(min(family) < 0.05 for family in families) > 100  # unadjusted, most families would be


def test_the_sign_test_is_exact_on_pairs_and_sees_a_shift_elsewhere():
    assert sign_test(np.zeros(10)) == 1.0
    assert sign_test(np.array([1.0] * 10)) == pytest.approx(2 / 2**10)
    assert sign_test(np.random.default_rng(0).normal(0.5, 1, 200)) < 1e-6
    assert sign_test(np.full(20, 0.05)) == pytest.approx(2 * 1.05**-20)  # a constant proves little in few units
    for bad in ([], [0.0, math.nan]):
        with pytest.raises(CausalCFError, match=r"\bvalues\b.*finite"):
            sign_test(np.array(bad))


def test_null_p_values_are_conservative_and_a_shift_is_not_null():
    rng = np.random.default_rng(0)
    for level in (0.01, 0.05, 0.2):
        small = sum(sign_test(row) <= level for row in rng.choice([-1, 0, 1], (1000, 300), p=[0.1, 0.8, 0.1]))
        assert binomtest(small, 1000, level, alternative="greater").pvalue > ALPHA
        shifted = sum(sign_test(row) <= level for row in rng.choice([-1, 0, 1], (1000, 300), p=[0.07, 0.8, 0.13]))
        assert binomtest(shifted, 1000, level, alternative="greater").pvalue < ALPHA  # the negative control


@pytest.mark.parametrize("half_width", [0, 1, -0.1, math.nan])
def test_a_half_width_that_is_none_is_refused(half_width):
    with pytest.raises(CausalCFError, match=rf"\bhalf_width\b.*{half_width}"):
        units_for(half_width)


@pytest.mark.parametrize("sd", [0, -1, math.nan, math.inf])
def test_a_spread_that_is_none_is_refused(sd):
    with pytest.raises(CausalCFError, match=rf"\bsd\b.*{sd}"):
        units_for(0.03, sd)

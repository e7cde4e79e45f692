"""Dual ascent, against a problem whose multiplier is known."""

import pytest

from causalcf.constraints.costs import Multipliers


def minimise(weights, steps=4000, rate=0.02):
    """x that minimises (x - 2)^2 subject to x <= 1, by gradient descent on (x - 2)^2 + weight * x."""
    x = 0.0
    for _ in range(steps):
        x -= rate * (2 * (x - 2) + weights.weigh("x", x - 1))
    return x


def test_it_finds_the_lagrange_multiplier():
    weights = Multipliers(rate=0.05, damping=1.0, slack=0.0)
    assert minimise(weights) == pytest.approx(1, abs=1e-6)
    assert weights.values["x"] == pytest.approx(2, abs=1e-6)


def test_the_penalty_alone_does_not():
    assert minimise(Multipliers(rate=0.0, damping=1.0, slack=0.0)) > 1.2


def test_what_holds_costs_nothing():
    weights = Multipliers(rate=0.5, damping=2.0, slack=0.1)
    assert [weights.weigh("a", 0.1), weights.weigh("a", 0.0)] == [0, 0]
    assert weights.values == {"a": 0}


def test_a_multiplier_sinks_once_its_statement_holds():
    weights = Multipliers(rate=1.0, damping=0.0, slack=0.5)
    weights.weigh("a", 1.5)
    seen = [weights.weigh("a", 0.0) for _ in range(4)]
    assert seen == [1.0, 0.5, 0.0, 0.0]

"""The statement loss: zero where the modal is met, its formula where not, gradients as finite differences have them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, kl_divergence

from causalcf.language.modals import MODALS
from causalcf.losses.labels import (
    FLOOR,
    SHARPNESS,
    agreement_loss,
    contrast_loss,
    hinge,
    joint_probability,
    modal_loss,
)

modals = st.sampled_from([*MODALS])
probabilities = st.floats(FLOOR, 1 - FLOOR)


def scalar(value):
    return torch.tensor(value, dtype=torch.float64)


def odds(p):
    return math.log(p / (1 - p))


@given(modals, probabilities)
def test_zero_exactly_where_the_modal_is_met_and_positive_elsewhere(modal, q):
    interval = MODALS[modal].interval()
    loss = modal_loss(scalar(q), interval).item()
    if q in interval:
        assert loss == 0
    elif abs(odds(q) - odds(interval.threshold)) > 1e-6:
        assert loss > 0


@given(modals, probabilities)
def test_the_formula(modal, q):
    interval = MODALS[modal].interval()
    missed = odds(interval.threshold) - odds(q)
    if "not" in modal:  # an upper bound
        missed = -missed
    wanted = max(0.0, math.log1p(math.exp(SHARPNESS * missed)) - math.log(2)) / SHARPNESS
    assert modal_loss(scalar(q), interval).item() == pytest.approx(wanted, abs=1e-9)


def test_a_met_modal_has_no_gradient_and_a_missed_one_pushes_the_right_way():
    interval = MODALS["might"].interval()
    for q, sign in ((0.2, 0), (0.03, -1)):
        leaf = scalar(q).requires_grad_()
        modal_loss(leaf, interval).backward()
        assert torch.sign(leaf.grad).item() == sign
    leaf = scalar(0.2).requires_grad_()
    modal_loss(leaf, MODALS["would not"].interval()).backward()
    assert leaf.grad > 0


def test_beyond_the_floor_the_push_goes_on():
    leaf = scalar(1e-6).requires_grad_()
    modal_loss(leaf, MODALS["might"].interval()).backward()
    assert leaf.grad < 0


def test_the_mean_is_taken_before_the_hinge():
    units = torch.tensor([0.9] + [0.0] * 9, dtype=torch.float64)  # one old man in ten is bald
    interval = MODALS["might"].interval()
    assert modal_loss(units.mean(), interval) == 0
    assert modal_loss(units, interval).mean() > 0  # a hinge on each turns "might" into "would"


def test_a_raised_base_rate_does_not_satisfy_the_contrast():
    interval = MODALS["might"].interval()
    assert contrast_loss(scalar(0.3), scalar(0.3), 0.0, interval) > 0
    assert contrast_loss(scalar(0.3), scalar(0.1), 0.0, interval) == 0
    assert contrast_loss(scalar(0.3), scalar(0.3), 0.3, interval) == 0  # it was known to be so before
    never = MODALS["would not"].interval()
    assert contrast_loss(scalar(0.3), scalar(0.3), 0.0, never) == 0  # nothing came with the antecedent
    assert contrast_loss(scalar(0.3), scalar(0.0), 0.0, never) > 0


@given(probabilities, probabilities)
def test_agreement_is_the_divergence_of_bernoulli_means(reading, target):
    found = agreement_loss(scalar(reading), scalar(target)).item()
    wanted = kl_divergence(Bernoulli(scalar(target)), Bernoulli(scalar(reading))).item()
    assert found == pytest.approx(wanted, abs=1e-12)
    assert agreement_loss(scalar(target), scalar(target)).item() == pytest.approx(0, abs=1e-12)


def test_all_wanted_together():
    p = torch.tensor([[0.2, 0.5, 0.9]], dtype=torch.float64)
    assert joint_probability(p, {0: 1, 2: 0}).item() == pytest.approx(0.2 * 0.1)


@pytest.mark.parametrize("modal", [*MODALS])
def test_gradients_through_a_small_smooth_net_in_float64(modal):
    draw = torch.Generator().manual_seed(0)
    noise = torch.randn(6, 3, generator=draw, dtype=torch.float64)
    weights = torch.randn(3, 2, generator=draw, dtype=torch.float64, requires_grad=True)
    interval = MODALS[modal].interval()

    def loss(w):
        p = torch.tanh(noise @ w).sigmoid()
        q, before = joint_probability(p, {0: 1, 1: 1}).mean(), joint_probability(p.flip(0)[:3], {0: 1}).mean()
        kept = agreement_loss(p.mean(0), torch.tensor([0.3, 0.6], dtype=torch.float64)).sum()
        return modal_loss(q, interval) + contrast_loss(q, before, 0.5, interval) + kept

    assert torch.autograd.gradcheck(loss, weights)


@given(st.floats(-50, 50))
def test_the_hinge_is_continuous_and_rises_by_at_most_one_a_unit(x):
    near = hinge(scalar(x + 1e-6)) - hinge(scalar(x))
    assert -1e-12 <= near.item() <= 1e-6 + 1e-12

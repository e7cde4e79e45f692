"""Calibration against scipy's minimiser and known temperatures; what weights do to log-odds in closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from causalcf.classifiers.classifier import MIN_SCALE, fit_calibration
from causalcf.classifiers.training import MAX_UNEVEN, base_rates, weighting


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def column(*values):
    return torch.tensor(values, dtype=torch.float64)


def simulated(n, rate, separation, generator):
    """Labels, and their true evidence: a log likelihood ratio of two normals `separation` apart."""
    labels = (torch.rand(n, 1, generator=generator, dtype=torch.float64) < rate).double()
    reading = separation * labels + torch.randn(n, 1, generator=generator, dtype=torch.float64)
    return labels, separation * reading - separation**2 / 2


@given(st.floats(0.001, 0.999), st.floats(0, 1))
def test_weights_shift_the_best_log_odds_by_what_they_say(rate, balance):
    """Of images alike in all but their label, a share `rate` are ones: the loss is least at logit(rate) + shift."""
    weights = weighting(column(rate), balance)
    best = (column(rate).logit() + weights.shift).requires_grad_()
    one, zero = column(1)[None], column(0)[None]
    loss = rate * weights.loss(best[None], one) + (1 - rate) * weights.loss(best[None], zero)
    assert torch.autograd.grad(loss.sum(), best)[0].abs().item() < 1e-9
    assert float(rate * weights.ones + (1 - rate) * weights.zeros) == pytest.approx(1)
    assert 1 / MAX_UNEVEN - 1e-9 <= float(weights.ones / weights.zeros) <= MAX_UNEVEN + 1e-9
    if balance == 1 and 0.05 < rate < 0.95:
        assert float(rate * weights.ones) == pytest.approx(0.5)


def test_base_rates_are_never_certain():
    rates = base_rates(torch.tensor([[0, 1, 1], [0, 1, 0]]))
    assert rates.tolist() == pytest.approx([0.5 / 3, 2.5 / 3, 0.5])


@given(st.integers(0, 2**31), st.floats(0.02, 0.6), st.floats(-4, 4), st.floats(-1, 6), st.floats(-2, 2))
def test_the_fit_is_scipys(seed, rate, separation, strength, moved):
    labels, evidence = simulated(200, rate, separation, seeded(seed))
    logits, rates, shift = strength * evidence + moved, column(rate), column(0.7)
    prior = float(rates.logit())
    centred = (logits - shift).numpy()[:, 0] - prior

    def objective(x):
        z = x[0] * centred + x[1] + prior
        misfit = np.logaddexp(0, z) - labels.numpy()[:, 0] * z
        return misfit.sum() + (x[0] - 1) ** 2 / 2 + (x[1] / 0.5) ** 2 / 2

    found = fit_calibration(logits, labels, rates, shift)
    scale = float(found.scale)
    ours = objective([scale, float(found.shift) - prior + scale * (0.7 + prior)])
    best = minimize(objective, [1.0, 0.0], method="L-BFGS-B", bounds=[(MIN_SCALE, None), (None, None)])
    assert ours <= best.fun + 1e-5 * abs(best.fun) and scale >= MIN_SCALE


def test_a_known_temperature_and_a_weighted_loss_are_undone():
    """Three times too sure, trained with weights: the probabilities come back; a temperature alone cannot do it."""
    labels, evidence = simulated(20_000, 0.03, 2.0, seeded())
    rates = column(0.03)
    weights = weighting(rates, 1.0)
    logits = 3 * evidence + rates.logit() + weights.shift
    found = fit_calibration(logits, labels, rates, weights.shift)
    assert float(found.temperature) == pytest.approx(3, rel=0.05)
    true = evidence + rates.logit()
    assert (found.log_odds(logits).sigmoid() - true.sigmoid()).abs().mean() < 0.002
    # the negative control: the best single temperature on the logits as they come
    alone = min((float(((logits / t).sigmoid() - true.sigmoid()).abs().mean()), t) for t in np.linspace(0.5, 60, 200))
    assert alone[0] > 0.02


def test_an_attribute_that_cannot_be_read_ends_at_its_base_rate():
    draw = seeded(1)
    labels = (torch.rand(3000, 1, generator=draw) < 0.05).double()
    noise = 6 * torch.randn(3000, 1, generator=draw, dtype=torch.float64) + column(0.05).logit()
    p = fit_calibration(noise, labels, column(0.05), column(0.0)).log_odds(noise).sigmoid()
    assert float(p.min()) > 0.03 and float(p.max()) < 0.08
    backwards = -4 * (labels * 2 - 1) + torch.randn(3000, 1, generator=draw, dtype=torch.float64)
    found = fit_calibration(backwards, labels, column(0.05), column(0.0))
    assert float(found.scale) == MIN_SCALE  # never reversed


def test_perfect_reading_stays_finite_and_columns_do_not_touch():
    labels = torch.tensor([[0.0, 1.0]] * 50 + [[1.0, 0.0]] * 50)
    logits = torch.stack([30 * (labels[:, 0] * 2 - 1), torch.linspace(-1, 1, 100)], 1)
    both = fit_calibration(logits, labels, column(0.5, 0.5), column(0.0, 0.0))
    one = fit_calibration(logits[:, :1], labels[:, :1], column(0.5), column(0.0))
    assert bool(both.scale.isfinite().all()) and 0.5 < float(both.scale[0]) < 2
    assert float(both.select([0]).scale) == pytest.approx(float(one.scale)) and len(both.select([1, 0]).shift) == 2
    assert both.loss(logits, labels) < 0.6

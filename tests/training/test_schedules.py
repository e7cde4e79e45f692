"""Learning rates and the average's half-life over a training: closed forms, and what a step makes of them."""

import math
from dataclasses import replace

import pytest
import torch
from helpers.step_toys import CPU, SMALL, draw_batch, networks, seeded
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import RecipeError
from causalcf.runs.recipe import Recipe
from causalcf.training.step import TrainingStep, ema_decay, rate_factor


@given(st.integers(0, 200_000), st.floats(0, 1))
def test_rates_stay_then_fall_to_a_tenth(images, share):
    recipe = Recipe(images=100_000, rate_decay=share)
    factor, later = rate_factor(recipe, images), rate_factor(recipe, images + 32)
    assert 0.1 - 1e-12 <= later <= factor <= 1
    if images <= 100_000 * (1 - share) or share == 0:
        assert factor == 1
    if images >= 100_000 and share > 1e-3:
        assert factor == pytest.approx(0.1)


def test_half_way_down_the_cosine_they_are_in_the_middle():
    recipe = Recipe(images=1000, rate_decay=0.4)
    assert rate_factor(recipe, 800) == pytest.approx(0.55)
    assert rate_factor(recipe, 700) == pytest.approx(0.55 + 0.45 * math.cos(math.pi / 4))


MIDDLE = 0.55 + 0.45 * math.cos(0.4 * math.pi)


@pytest.mark.parametrize(("share", "factors"), [(0.5, (1.0, 1.0, MIDDLE, 0.1)), (0.0, (1.0, 1.0, 1.0, 1.0))])
def test_a_step_takes_the_rates_of_its_place_in_the_training(share, factors):
    recipe = replace(SMALL, images=80, noise_weight=1.0, rate_decay=share)
    update = TrainingStep(networks(recipe, 3), recipe, CPU, "float32")
    for step, factor in zip((0, 5, 7, 10), factors, strict=True):
        update(draw_batch(3), step, seeded())
        rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in update.optimisers.items()}
        expected = dict.fromkeys(rates, recipe.learning_rate * factor) | {"generator": recipe.generator_rate * factor}
        assert len(rates) == 5 and rates == pytest.approx(expected)


def test_more_images_mean_a_later_fall():
    recipe = Recipe(images=1000, rate_decay=0.2)
    assert rate_factor(recipe, 900) < 1 == rate_factor(replace(recipe, images=2000), 900)


def test_the_half_life_grows_with_the_images_seen_up_to_its_own():
    recipe = Recipe(batch=32, ema_half_life=1000.0, ema_ramp=0.05)
    assert ema_decay(recipe, 0) == 0.0
    assert ema_decay(recipe, 6400) == pytest.approx(0.5 ** (32 / 320))
    assert ema_decay(recipe, 20_000) == ema_decay(recipe, 10**6) == pytest.approx(0.5 ** (32 / 1000))
    assert ema_decay(replace(recipe, ema_ramp=0.0), 0) == pytest.approx(0.5 ** (32 / 1000))
    assert ema_decay(replace(recipe, ema_half_life=0.0), 6400) == 0.0


def test_the_first_average_is_the_generator_itself_while_the_ramp_begins():
    nets = networks(SMALL, 3)
    TrainingStep(nets, replace(SMALL, ema_ramp=0.05), CPU, "float32")(draw_batch(3), 0, seeded())
    pairs = zip(nets.average.parameters(), nets.generator.parameters(), strict=True)
    assert all(torch.equal(average, weight) for average, weight in pairs)


@pytest.mark.parametrize("wrong", [{"rate_decay": 1.1}, {"rate_decay": -0.1}, {"ema_ramp": -1.0}])
def test_shares_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(RecipeError, match=name):
        replace(SMALL, **wrong).validate()

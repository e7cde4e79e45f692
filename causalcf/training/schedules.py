"""What changes over a training: the learning rates' factor and the decay of the EMA weights, by the images seen."""

from __future__ import annotations

import math

from ..runs.recipe import Recipe

LOWEST = 0.1  # of the rates' factor, at the end


def rate_factor(recipe: Recipe, images: int) -> float:
    """Return what all learning rates are multiplied by in the step after `images` images: along a cosine to a tenth."""
    falling = recipe.rate_decay * recipe.images
    passed = (images - (recipe.images - falling)) / falling if falling else 0.0
    return (1 + LOWEST) / 2 + (1 - LOWEST) / 2 * math.cos(math.pi * min(max(passed, 0.0), 1.0))


def ema_decay(recipe: Recipe, images: int) -> float:
    """Return the decay of the EMA weights in the step after `images` images, which may limit their half-life."""
    half_life = min(recipe.ema_half_life, recipe.ema_ramp * images) if recipe.ema_ramp else recipe.ema_half_life
    return 0.5 ** (recipe.batch / half_life) if half_life else 0.0

"""Counterfactual worlds of a generator without labels: the antecedent is seen in the image by a classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from .counterfactual import CounterfactualWorlds, Worlds, keep_or_generate
from .observed import Method, counterfactual_noise

GenerateFromNoise = Callable[[Tensor], Tensor]
Classify = Callable[[Tensor], Tensor]


def observed_counterfactual(
    generate: GenerateFromNoise,
    classify: Classify,
    attributes: Sequence[str],
    worlds: Worlds,
    observe: Mapping[str, int],
    stickiness: float,
    draws: int,
    generator: torch.Generator | None,
    method: str | Method = "smc",
    budget: int = 100_000,
    on_unit: Callable[[int], None] = lambda n: None,
) -> CounterfactualWorlds:
    """Each unit's noise drawn from its ESM posterior given the antecedent; labels are read off the images.

    Args:
        generate: (m, k) noise to (m, 3, h, w) images in [0, 1].
        classify: images to (m, d) probabilities of `attributes`.
        worlds: n actual worlds.
        observe: the antecedent.
        stickiness, draws, generator, method, budget: as in `counterfactual_noise`, for each unit.
        on_unit: called with 1 after each unit.

    Raises:
        as `counterfactual_noise`.
    """
    drawn = []
    for z in worlds.noise:
        drawn.append(
            counterfactual_noise(
                z,
                generate,
                classify,
                observe,
                draws,
                stickiness,
                method,
                attributes=attributes,
                budget=budget,
                generator=generator,
            )
        )
        on_unit(1)
    noise = torch.stack([found.noise for found in drawn])
    same = (noise == worlds.noise[:, None]).all(2)
    images = keep_or_generate(worlds.images, same, lambda: generate(noise[~same]))
    labels = (classify(images.flatten(0, 1)) > 0.5).to(torch.int8).view(*same.shape, -1)
    return CounterfactualWorlds(noise, labels, images, tuple(found.diagnostics for found in drawn))

"""Counterfactual worlds of a generator: what is kept, what is redrawn, and the images that come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..labels import LabelSCM
from .diagnostics import Diagnostics
from .samplers import esm_cf_sampler

IMAGE = 3 * 64 * 64  # numbers in an image
Generate = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Worlds:
    """n actual worlds: noise (n, k), labels (n, d) int8, images (n, 3, 64, 64) in [0, 1].

    Of a run without labels, `labels` are what its classifier reads off the images, or (n, 0) where it has none.

    Example:
        >>> worlds = load_run("runs/latest").sample(4, given={"Male": 0})          # doctest: +SKIP
        >>> len(worlds), tuple(worlds.images.shape)                                # doctest: +SKIP
        (4, (4, 3, 64, 64))
    """

    noise: Tensor
    labels: Tensor
    images: Tensor

    def __len__(self) -> int:
        return len(self.noise)


@dataclass(frozen=True)
class CounterfactualWorlds:
    """m draws for each of n units: noise (n, m, k), labels (n, m, d) int8, images (n, m, 3, 64, 64) in [0, 1].

    `diagnostics` has one entry a unit where noise was drawn given an antecedent seen in its image, else none.

    Example:
        >>> run = load_run("runs/latest")                                          # doctest: +SKIP
        >>> drawn = run.counterfactual(run.sample(4), do={"Young": 0}, draws=2)    # doctest: +SKIP
        >>> len(drawn), tuple(drawn.images.shape)                                  # doctest: +SKIP
        (4, (4, 2, 3, 64, 64))
    """

    noise: Tensor
    labels: Tensor
    images: Tensor
    diagnostics: tuple[Diagnostics, ...] = ()

    def __len__(self) -> int:
        return len(self.noise)


def labelled_counterfactual(
    scm: LabelSCM,
    generate: Generate,
    worlds: Worlds,
    do: Mapping[str, Any] | None,
    observe: Mapping[str, Any] | None,
    stickiness: float,
    noise_stickiness: float,
    draws: int,
    generator: torch.Generator | None,
) -> CounterfactualWorlds:
    """Labels by the exact label ESM, image noise by the same kernel.

    The antecedent is about labels, and image noise is independent of them: so it needs no weighting.
    """
    labels = scm.counterfactual(worlds.labels, do, observe, stickiness, draws, generator)
    noise = esm_cf_sampler(worlds.noise, draws, noise_stickiness, generator=generator)
    same = (noise == worlds.noise[:, None]).all(2) & (labels == worlds.labels[:, None]).all(2)
    images = keep_or_generate(worlds.images, same, lambda: generate(noise[~same], labels[~same]))
    return CounterfactualWorlds(noise, labels, images)


def keep_or_generate(actual: Tensor, same: Tensor, generate: Callable[[], Tensor]) -> Tensor:
    """(n, m, 3, h, w) images: the actual one where nothing changed, generated ones elsewhere.

    The same noise gives the same image, but a network run on another batch size may differ in the last bits; taking
    the image itself makes the null counterfactual exact.

    Args:
        actual: (n, 3, h, w) actual images.
        same: (n, m) whether a draw's noise and labels are the unit's own.
        generate: gives the images of the other draws, in order.
    """
    images = actual[:, None].repeat(1, same.shape[1], 1, 1, 1)
    if not bool(same.all()):
        images[~same] = generate().to(images.dtype)
    return images

"""Actual and counterfactual worlds of a generator, with labels or with an observed antecedent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..labels import LabelSCM
from ..worlds.posterior import Diagnostics
from ..worlds.samplers import esm_cf_sampler

IMAGE = 3 * 64 * 64  # numbers in an image


@dataclass(frozen=True)
class Worlds:
    """Set of n actual worlds: noise (n, k), labels (n, d) int8, images (n, 3, 64, 64) in [0, 1].

    In a run without labels, the antecedent classifier reads `labels` from the images. Without a classifier, `labels`
    has shape (n, 0).

    Examples:
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
    """Set of m draws for each of n units: noise (n, m, k), labels (n, m, d) int8, images (n, m, 3, 64, 64) in [0, 1].

    If the noise was drawn given an antecedent observed in the image, `diagnostics` has one entry per unit. Otherwise it
    is empty.

    Examples:
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
    generate: Callable[[Tensor, Tensor], Tensor],
    worlds: Worlds,
    do: Mapping[str, Any] | None,
    observe: Mapping[str, Any] | None,
    stickiness: float,
    noise_stickiness: float,
    draws: int,
    generator: torch.Generator | None,
) -> CounterfactualWorlds:
    """Draw labels by the exact label ESM; draw image noise, independent of labels, by the same kernel."""
    labels = scm.counterfactual(worlds.labels, do, observe, stickiness, draws, generator)
    noise = esm_cf_sampler(worlds.noise, draws, noise_stickiness, generator=generator)
    same = (noise == worlds.noise[:, None]).all(2) & (labels == worlds.labels[:, None]).all(2)
    images = keep_or_generate(worlds.images, same, lambda: generate(noise[~same], labels[~same]))
    return CounterfactualWorlds(noise, labels, images)


def keep_or_generate(actual: Tensor, same: Tensor, generate: Callable[[], Tensor]) -> Tensor:
    """Return (n, m, 3, h, w) images: the actual image where `same` (n, m), generated images elsewhere."""
    images = actual[:, None].repeat(1, same.shape[1], 1, 1, 1)
    if not bool(same.all()):
        images[~same] = generate().to(images.dtype)
    return images

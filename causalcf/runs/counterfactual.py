"""Actual and counterfactual worlds of a generator, with labels or with an observed antecedent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..checks import check
from ..labels import LabelSCM
from ..worlds.posterior import Diagnostics
from ..worlds.samplers import esm_cf_sampler
from .abduction import residual_mask

SampleNoise = Callable[[int, torch.Generator], Tensor]  # a run's (n, k) noise from its prior
Generate = Callable[[Tensor, Tensor, Tensor], Tensor]  # (u,) numbers of units, their noise and labels, to images
IMAGE = 3 * 64 * 64  # numbers in an image


@dataclass(frozen=True)
class Worlds:
    """Set of n actual worlds: noise (n, k), labels (n, d) int8, images (n, 3, 64, 64) in [0, 1].

    In a run without labels, the antecedent classifier reads `labels` from the images. Without a classifier, `labels`
    has shape (n, 0).

    Worlds of photographs (`Run.abduct`) have three parts more. `residual`, (n, 3, 64, 64), is what the generator leaves
    of each photograph: the photograph less the generated image. `certainty`, (n, d), is the probability by which each
    label was read; 1 if it was given. `tuned` has the generator's weights for each photograph, if they were tuned.

    Examples:
        >>> worlds = load_run("runs/latest").sample(4, given={"Male": 0})          # doctest: +SKIP
        >>> len(worlds), tuple(worlds.images.shape)                                # doctest: +SKIP
        (4, (4, 3, 64, 64))
    """

    noise: Tensor
    labels: Tensor
    images: Tensor
    residual: Tensor | None = None
    certainty: Tensor | None = None
    tuned: tuple[dict[str, Tensor], ...] = ()

    def __len__(self) -> int:
        return len(self.noise)

    @property
    def generated(self) -> Tensor:
        """(n, 3, 64, 64) images without the residual."""
        return self.images if self.residual is None else self.images - self.residual

    def select(self, rows: Tensor) -> Worlds:
        """Return the worlds of these (m,) rows, which may repeat.

        Raises:
            CausalCFError: rows that are no whole numbers, or of which there is none.
        """
        whole = isinstance(rows, Tensor) and rows.ndim == 1 and rows.dtype in (torch.int64, torch.int32)
        allowed = f"an (m,) tensor of whole numbers from 0 to {len(self) - 1}"
        check(whole and bool(((rows >= 0) & (rows < len(self))).all()), "rows", rows, allowed)
        parts = {name: part[rows] for name, part in vars(self).items() if isinstance(part, Tensor)}
        return replace(self, **parts, tuned=tuple(self.tuned[i] for i in rows.tolist()) if self.tuned else ())

    def without_residual(self) -> Worlds:
        """Return the worlds whose images are the generated ones: their residual is 0."""
        return replace(self, images=self.generated, residual=torch.zeros_like(self.images))


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
    generate: Generate,
    sample_noise: SampleNoise,
    worlds: Worlds,
    do: Mapping[str, Any] | None,
    observe: Mapping[str, Any] | None,
    stickiness: float,
    noise_stickiness: float,
    draws: int,
    generator: torch.Generator | None,
) -> CounterfactualWorlds:
    """Draw labels by the exact label ESM; draw image noise, independent of labels, by the same kernel.
    A residual is noise, too: it is kept or redrawn together with z, as a whole.
    """
    labels = scm.counterfactual(worlds.labels, do, observe, stickiness, draws, generator)
    per = "dimension" if worlds.residual is None else "vector"
    noise = esm_cf_sampler(
        worlds.noise, draws, noise_stickiness, lambda n, k, draw: sample_noise(n, draw), per, generator
    )
    same = (noise == worlds.noise[:, None]).all(2) & (labels == worlds.labels[:, None]).all(2)
    unit = (~same).nonzero()[:, 0]
    images = keep_or_generate(worlds.images, same, lambda: generate(unit, noise[~same], labels[~same]))
    return CounterfactualWorlds(noise, labels, images)


def with_residual(worlds: Worlds, unit: Tensor, noise: Tensor, images: Tensor) -> Tensor:
    """Add to (u, 3, h, w) generated images the residuals of their units where these still hold.
    A unit whose noise was redrawn has another residual, which nobody knows: none is added.
    """
    if worlds.residual is None:
        return images
    kept = (noise == worlds.noise[unit]).all(1)[:, None, None, None]
    added = residual_mask(worlds.generated[unit], images) * worlds.residual[unit]
    return torch.where(kept, images + added, images).clamp(0, 1)


def keep_or_generate(actual: Tensor, same: Tensor, generate: Callable[[], Tensor]) -> Tensor:
    """Return (n, m, 3, h, w) images: the actual image where `same` (n, m), generated images elsewhere."""
    images = actual[:, None].repeat(1, same.shape[1], 1, 1, 1)
    if not bool(same.all()):
        images[~same] = generate().to(images.dtype)
    return images

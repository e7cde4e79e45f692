"""Training batches: reweighted rows of the data, noise with labels to generate from, and augmented views.
A label combination of frequency f gives its rows weight f^-balance, and generated labels P_scm * f^-balance.
With the sampler "rarest", f is the frequency of the combination's rarest single label.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import check
from ..data.augment import DRAWS, draw_noise_strength, varied, with_noise
from ..data.images import ImageData, to_symmetric
from ..distributed.batch import own_share
from ..distributed.group import size
from ..labels import LabelSCM
from ..randomness import uniform_noise

POOL = 65_536  # draws in which the label model's combinations are looked for


def augmented(images: Tensor, generator: torch.Generator, probability: float = 1.0) -> Tensor:
    """Shift images by whole pixels and change light and contrast; no blur, so that D sees speckle.
    Each image is augmented with the given probability.
    """
    draws = own_share(torch.rand(size() * len(images), DRAWS, generator=generator))
    views = varied(images.float(), flip=False, draws=draws, soft=0.0)
    if probability < 1:
        chosen = own_share(torch.rand(size() * len(images), 1, 1, 1, generator=generator) < probability)
        views = torch.where(chosen.to(images.device), views, images.float())
    return _channels_last(views)


def with_label_noise(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Apply noise augmentation; the CPU generator seeds the draws, made on the images' device."""
    seed = int(torch.randint(2**62, (), generator=generator))
    own = torch.Generator(images.device).manual_seed(seed)
    whole = draw_noise_strength(torch.Size((size() * len(images), *images.shape[1:])), own)
    draws, fine, coarse = (own_share(part) for part in whole)
    return _channels_last(with_noise(images.float(), most, (draws, fine, coarse)))


def with_one_flipped(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Return (n, d) 0/1 labels with one of each row's flipped, drawn uniformly; d must not be 0."""
    n, d = labels.shape
    drawn = own_share(torch.randint(d, (size() * n, 1), generator=generator))
    one = torch.zeros(n, d, dtype=labels.dtype).scatter_(1, drawn, 1)
    return labels ^ one.to(labels.device)


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


class WeightedDraw:
    """Sampler of indices with given weights, with replacement, in O(log n) each."""

    def __init__(self, weights: Tensor) -> None:
        sound = bool(weights.isfinite().all()) and bool((weights >= 0).all()) and bool((weights > 0).any())
        check(sound, "weights", weights.tolist(), "finite, at least 0, and not all 0")
        self.cumulative = weights.double().cumsum(0)

    def views(self, n: int) -> tuple[float, float, float]:
        """Return how often n draws show an index, most and fewest, and how many equal weights would vary as little."""
        shares = self.cumulative.diff(prepend=torch.zeros(1, dtype=torch.float64)) / self.cumulative[-1]
        return n * float(shares.max()), n * float(shares.min()), 1 / float(shares.square().sum())

    def __call__(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n,) int64 indices."""
        u = torch.rand(n, generator=generator, dtype=torch.float64) * self.cumulative[-1]
        return torch.searchsorted(self.cumulative, u, right=True).clamp_(max=len(self.cumulative) - 1)


def rarest_label(combinations: Tensor, labels: Tensor) -> Tensor:
    """Return each combination's (m,) frequency of its rarest single value in (n, d) `labels`; never seen: once."""
    ones = labels.double().mean(0)
    values = torch.where(combinations > 0, ones, 1 - ones).clamp(min=1 / len(labels))
    return values.amin(1)


class LabelledDraw:
    """Sampler of training rows and generated labels; `labels` are (n, d) int8 in the graph's order."""

    def __init__(self, labels: Tensor, scm: LabelSCM | None, balance: float, sampler: str = "combination") -> None:
        cells, cell_of_row, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
        if sampler == "rarest":
            self.rows = WeightedDraw(rarest_label(labels, labels) ** -balance)
            if scm is not None and balance > 0:  # the tilt is defined for combinations that the data lacks, too
                pool = scm.sample(POOL, generator=torch.Generator().manual_seed(0)).to(cells.dtype)
                cells = torch.cat([cells, pool]).unique(dim=0)
            tilt = rarest_label(cells, labels) ** -balance
        else:
            tilt = (counts.double() / len(labels)) ** -balance
            self.rows = WeightedDraw(tilt[cell_of_row])
        self.scm, self.cells = scm, cells
        self.draw_cell: WeightedDraw | None = None
        if scm is not None and balance > 0:
            self.draw_cell = WeightedDraw(scm.log_probability(cells).exp() * tilt)

    def generated(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw (n, d) int8 labels to generate images from; d is 0 without a label generator."""
        if self.scm is None:
            return torch.zeros(n, 0, dtype=torch.int8)
        if self.draw_cell is None:
            return self.scm.sample(n, generator=generator)
        return self.cells[self.draw_cell(n, generator)]


@dataclass(frozen=True)
class Batch:
    """Data of one step: images in [-1, 1] with labels, and noise with labels to generate from."""

    images: Tensor
    labels: Tensor
    noise: Tensor
    fake_labels: Tensor


@dataclass
class Batches:
    """Source of training batches; each process draws the whole batch on the CPU and takes its share."""

    data: ImageData
    labels: Tensor
    draw: LabelledDraw
    noise_dim: int
    device: torch.device

    def __post_init__(self) -> None:
        with warnings.catch_warnings():  # a read-only memory map is only ever read
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self.pixels = torch.from_numpy(self.data.pixels)
        self.held = self.device.type == "cuda" and self.pixels.nbytes < torch.cuda.mem_get_info(self.device)[0] / 2
        if self.held:
            self.pixels = self.pixels.to(self.device)

    def __call__(self, n: int, generator: torch.Generator) -> Batch:
        rows = self.draw.rows(n, generator)
        flipped = torch.rand(n, generator=generator) < (0.5 if self.data.flip else 0.0)
        fake_labels = self.draw.generated(n, generator)
        noise = uniform_noise(n, self.noise_dim, generator)
        rows, flipped, fake_labels, noise = (own_share(drawn) for drawn in (rows, flipped, fake_labels, noise))
        images = to_symmetric(self.pixels[self._sent(rows)] if self.held else self._sent(self.pixels[rows]))
        bits = self._sent(torch.cat([self.labels[rows], fake_labels, flipped[:, None].to(fake_labels.dtype)], 1))
        labels, fake_labels, flipped = bits.split([self.labels.shape[1], fake_labels.shape[1], 1], 1)
        images = torch.where(flipped.bool()[:, :, None, None], images.flip(3), images)
        return Batch(images.contiguous(memory_format=torch.channels_last), labels, self._sent(noise), fake_labels)

    def _sent(self, part: Tensor) -> Tensor:
        """Return the tensor on the device; a copy to CUDA uses pinned memory and does not block."""
        return (
            part.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else part.to(self.device)
        )

"""Training batches: rows drawn, flipped and scaled on the device, with noise and labels to generate from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from .data.images import ImageData, to_symmetric
from .distributed.batch import own_share
from .noise import uniform_noise
from .sampling import LabelledDraw


@dataclass(frozen=True)
class Batch:
    """What one step sees: images in [-1, 1] with labels, and noise with labels to generate from."""

    images: Tensor
    labels: Tensor
    noise: Tensor
    asked: Tensor


@dataclass
class Batches:
    """Draws batches for one training.

    On CUDA the pixels are held in device memory where they fit in half of what is free; else each batch is gathered
    from the memory map. What goes to a CUDA device goes in three copies from pinned memory, which nobody waits for. All
    random draws come from one CPU generator, so that a device changes no draw. Of several processes each draws the
    whole batch, as the others do, and takes its own share.
    """

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
        asked = self.draw.generated(n, generator)
        noise = uniform_noise(n, self.noise_dim, generator)
        rows, flipped, asked, noise = (own_share(drawn) for drawn in (rows, flipped, asked, noise))
        images = to_symmetric(self.pixels[self._sent(rows)] if self.held else self._sent(self.pixels[rows]))
        bits = self._sent(torch.cat([self.labels[rows], asked, flipped[:, None].to(asked.dtype)], 1))
        labels, asked, flipped = bits.split([self.labels.shape[1], asked.shape[1], 1], 1)
        images = torch.where(flipped.bool()[:, :, None, None], images.flip(3), images)
        return Batch(images.contiguous(memory_format=torch.channels_last), labels, self._sent(noise), asked)

    def _sent(self, part: Tensor) -> Tensor:
        """On the device; to CUDA through pinned memory, whose blocks torch keeps until their copies are done."""
        return (
            part.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else part.to(self.device)
        )

"""Training batches: rows drawn, flipped and scaled on the device, with noise and labels to generate from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from .data.images import ImageData
from .distributed.batch import own_share
from .noise import uniform_noise
from .sampling import LabelledDraw
from .step import Batch


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 pixels to float in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


@dataclass
class Batches:
    """Draws batches for one training.

    On CUDA the pixels are held in device memory where they fit in half of what is free; else each batch is gathered
    from the memory map. All random draws come from one CPU generator, so that a device changes no draw. Of several
    processes each draws the whole batch, as the others do, and takes its own share.
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
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if self.pixels.nbytes < free / 2:
                self.pixels = self.pixels.to(self.device)

    def __call__(self, n: int, generator: torch.Generator) -> Batch:
        rows = self.draw.rows(n, generator)
        flipped = torch.rand(n, generator=generator) < (0.5 if self.data.flip else 0.0)
        asked = self.draw.generated(n, generator)
        noise = uniform_noise(n, self.noise_dim, generator)
        rows, flipped, asked, noise = (own_share(drawn) for drawn in (rows, flipped, asked, noise))
        images = to_unit(self.pixels[rows.to(self.pixels.device)].to(self.device))
        images = torch.where(flipped.to(self.device)[:, None, None, None], images.flip(3), images)
        return Batch(
            images.contiguous(memory_format=torch.channels_last),
            self.labels[rows].to(self.device),
            noise.to(self.device),
            asked.to(self.device),
        )

"""A reader of labels, trained apart from any GAN, to say what generated images show.

It shares nothing with a run's Labeler: another architecture, another seed, other batches.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from ..batches import Batches
from ..data.images import ImageData
from ..networks.residual import ResidualReader
from ..precision import autocast, choose_precision
from ..sampling import LabelledDraw

SHIFT = 3  # pixels by which training images are moved about


def train_reader(
    data: ImageData,
    attributes: tuple[str, ...],
    images: int,
    *,
    balance: float = 0.3,
    width: int = 24,
    batch: int = 128,
    rate: float = 4e-3,
    seed: int = 1,
    device: torch.device | str = "cpu",
    on_step: Callable[[int], None] = lambda n: None,
) -> ResidualReader:
    """Trains a `ResidualReader` with flips, shifts and a one-cycle schedule.

    Args:
        data: labelled images.
        attributes: what it reads, in this order.
        images: length of training.
        balance: rows are drawn by (frequency of their label combination)^-balance.
        width, batch, rate: of the network, of a step, of AdamW at its peak.
        seed: of its weights and draws.
        device: where to train.
        on_step: called with the number of images of each step.

    Returns:
        The reader, in evaluation mode.
    """
    device = torch.device(device)
    draw = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = ResidualReader(len(attributes), width).to(device).to(memory_format=torch.channels_last)
    labels = data.select(attributes)
    batches = Batches(data, labels, LabelledDraw(labels, None, balance), 0, device)
    steps = max(images // batch, 2)
    optimiser = torch.optim.AdamW(reader.parameters(), rate, weight_decay=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.2)
    precision = choose_precision("auto", device)
    for _ in range(steps):
        rows = batches(batch, draw)
        with autocast(device, precision):
            logits = reader(shifted(rows.images, SHIFT, draw))
        loss = binary_cross_entropy_with_logits(logits.float(), rows.labels.float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        on_step(batch)
    return reader.eval().requires_grad_(False)


def shifted(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """The batch moved by up to `most` pixels in each direction, edges repeated."""
    right, down = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
    height, width = images.shape[2:]
    return pad(images, (most,) * 4, mode="replicate")[..., down : down + height, right : right + width]


@torch.no_grad()
def read(reader: ResidualReader, images: Tensor, chunk: int = 256) -> Tensor:
    """(n, 3, h, w) images in [0, 1] to (n, d) int8 labels, read in float32."""
    device = next(reader.parameters()).device
    seen = [reader(part.to(device) * 2 - 1) > 0 for part in images.split(chunk)]
    return torch.cat(seen).to(torch.int8).cpu()

"""What the networks of a training see in place of the images themselves, real and generated alike.

Differentiable augmentation (Zhao et al. 2020, arXiv:2006.10738): a discriminator that sees ten thousand photographs
twenty times knows them by heart, and then says nothing about faces; one that sees each of them moved and lit anew must
look at faces. A Labeler likewise; and one that must look through grain asks the generator for what a person would see.

Gradients pass through. All processes draw for the whole batch and take their share (distributed/batch.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .augment import DRAWS, varied
from .distributed.batch import own_share
from .distributed.group import size
from .grain import draw_grain, grained


def moved_and_lit(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images moved by whole pixels, with another light and contrast; never softened, or D could not see speckle.

    Args:
        images: (n, 3, h, w) in [-1, 1], on any device.
        generator: source of randomness, on the CPU.
    """
    draws = own_share(torch.rand(size() * len(images), DRAWS, generator=generator))
    return _channels_last(varied(images.float(), flip=False, draws=draws, soft=0.0))


def under_grain(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Images half of which are under grain of a standard deviation of up to `most`, and a quarter blurred.

    Args:
        images: (n, 3, h, w) in [-1, 1], h and w even, on any device.
        most: at least 0.
        generator: source of randomness, on the CPU; it seeds the draws, which are made on the images' device.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    own = torch.Generator(images.device).manual_seed(seed)
    whole = draw_grain(torch.Size((size() * len(images), *images.shape[1:])), own)
    draws, fine, coarse = (own_share(part) for part in whole)
    return _channels_last(grained(images.float(), most, (draws, fine, coarse)))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)

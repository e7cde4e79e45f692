"""Augmented views: differentiable augmentation of real and generated images (Zhao et al. 2020).
Gradients pass through. Every process draws for the whole batch and takes its share.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..data.augment import DRAWS, draw_noise_strength, varied, with_noise
from ..distributed.batch import own_share
from ..distributed.group import size


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift images by whole pixels and change light and contrast; no blur, so that D sees speckle."""
    draws = own_share(torch.rand(size() * len(images), DRAWS, generator=generator))
    return _channels_last(varied(images.float(), flip=False, draws=draws, soft=0.0))


def with_label_noise(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Apply noise augmentation; the CPU generator seeds the draws, made on the images' device."""
    seed = int(torch.randint(2**62, (), generator=generator))
    own = torch.Generator(images.device).manual_seed(seed)
    whole = draw_noise_strength(torch.Size((size() * len(images), *images.shape[1:])), own)
    draws, fine, coarse = (own_share(part) for part in whole)
    return _channels_last(with_noise(images.float(), most, (draws, fine, coarse)))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)

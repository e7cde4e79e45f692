"""Reads noise back off a generated image: the variational partner of InfoGAN's mutual information (Chen et al. 2016).

A generator that maps much of its noise to the same few faces leaves this network nothing to read.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

CODES = 10  # coordinates of z that are read: as many as InfoGAN's codes, and enough for what a face varies in
POOL = 4  # images are averaged over 4x4 pixels first: noise hidden in fine speckle shall not count


class NoiseReader(nn.Module):
    """Images to an estimate of the first c = min(k, 10) coordinates of the noise they came from.

    Args:
        noise_dim: k.
        width: channels of the first layer.
    """

    def __init__(self, noise_dim: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.read = nn.Linear(4 * width * 16, min(noise_dim, CODES))

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, 64, 64) images in [-1, 1] to (n, c) estimates."""
        return self.read(self.layers(avg_pool2d(images, POOL)).flatten(1))

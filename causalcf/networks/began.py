"""CausalBEGAN's networks: a generator and an autoencoder, with 3x3 kernels, ELU and no norm (Berthelot et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .dcgan import code

FIRST = 8  # pixels a side, from which the decoder doubles three times


def initialise_xavier(net: nn.Module) -> None:
    """Set Glorot's initial weights, and biases of 0."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)


class Decoder(nn.Module):
    """Code of any length to images: a linear layer, then two convolutions at 8x8, 16x16, 32x32 and 64x64."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.project = nn.Linear(inputs, FIRST * FIRST * width)
        layers: list[nn.Module] = []
        for stage in range(4):
            if stage:
                layers.append(nn.Upsample(scale_factor=2.0, mode="nearest"))
            for _ in range(2):
                layers += [nn.Conv2d(width, width, 3, padding=1), nn.ELU(inplace=True)]
        layers.append(nn.Conv2d(width, 3, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (n, inputs) to (n, 3, 64, 64); nothing bounds the values."""
        seed = self.project(inputs).unflatten(1, (self.width, FIRST, FIRST))
        return self.layers(seed.contiguous(memory_format=torch.channels_last))


class BeganGenerator(nn.Module):
    """Generator from noise (k coordinates) and d labels to images."""

    last_layers = ("decoder.layers.15.", "decoder.layers.17.", "decoder.layers.19.")

    def __init__(self, noise_dim: int, n_labels: int, width: int) -> None:
        super().__init__()
        self.noise_dim, self.width = noise_dim, width
        self.decoder = Decoder(noise_dim + n_labels, width)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Map (n, k) noise and (n, d) 0/1 labels to (n, 3, 64, 64) images around [-1, 1]."""
        return self.decoder(torch.cat([noise, code(labels)], dim=1))


class AutoEncoder(nn.Module):
    """CausalBEGAN's discriminator: an image that it reconstructs worse counts as less real."""

    def __init__(self, code_dim: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.ELU(inplace=True)]
        channels = width
        for stage in range(1, 5):
            for stride in (1, 1, 2) if stage < 4 else (1, 1):
                layers += [nn.Conv2d(channels, stage * width, 3, stride, padding=1), nn.ELU(inplace=True)]
                channels = stage * width
        self.layers = nn.Sequential(*layers)
        self.read = nn.Linear(4 * width * FIRST * FIRST, code_dim)
        self.decoder = Decoder(code_dim, width)

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, 64, 64) images in [-1, 1] to their reconstructions."""
        return self.decoder(self.read(self.layers(images).flatten(1)))

"""All networks of one run, built from numbers."""

from __future__ import annotations

import copy

from torch import nn

from .average import ema_copy
from .dcgan import Discriminator, Generator, Labeler, QNetwork, initialise


class Networks(nn.Module):
    """The networks of one run; without labels there is no Labeler.

    Args:
        noise_dim: k, coordinates of z.
        n_labels: d.
        width: channels at 32x32 in generator and discriminator.
        labeler_width: the same for Labeler, Anti-Labeler and Q-network.
        even_kernels: as `Generator` takes it.
        noise_reader: whether there is a Q-network.
    """

    def __init__(
        self,
        noise_dim: int,
        n_labels: int,
        width: int,
        labeler_width: int,
        even_kernels: bool = False,
        noise_reader: bool = False,
    ) -> None:
        super().__init__()
        self.generator = Generator(noise_dim, n_labels, width, even_kernels)
        self.discriminator = Discriminator(n_labels, width)
        self.labeler = Labeler(n_labels, labeler_width) if n_labels else None
        self.noise_reader = QNetwork(noise_dim, labeler_width) if noise_reader else None
        initialise(self)
        # The Anti-Labeler starts as the Labeler's twin, so that their terms cancel until one of them has learned.
        self.anti_labeler = copy.deepcopy(self.labeler)
        self.average = ema_copy(self.generator)

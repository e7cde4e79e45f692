"""All networks of one run, built from numbers: fresh ones, their EMA weights, and stored weights that fit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import CausalCFError
from .began import AutoEncoder, BeganGenerator, initialise_xavier
from .dcgan import Discriminator, Encoder, Generator, Labeler, QNetwork, initialise
from .skip import ProjectionDiscriminator, SkipGenerator, initialise_he

Net = TypeVar("Net", bound=nn.Module)
AnyGenerator = Generator | SkipGenerator | BeganGenerator


def build_generator(kind: str, noise_dim: int, n_labels: int, width: int, even_kernels: bool = False) -> AnyGenerator:
    """Return an uninitialised generator: "dcgan", "skip", whose kernels are always even, or "began"."""
    if kind == "began":
        return BeganGenerator(noise_dim, n_labels, width)
    if kind == "skip":
        return SkipGenerator(noise_dim, n_labels, width)
    return Generator(noise_dim, n_labels, width, even_kernels)


def ema_copy(net: Net) -> Net:
    """Return a frozen copy of `net` in evaluation mode, to hold the EMA weights."""
    return copy.deepcopy(net).eval().requires_grad_(False)


@torch.no_grad()
def update_ema(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Update the EMA weights: move each a share 1 - decay towards the current weight."""
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)


@torch.no_grad()
def calibrate_batch_norm(average: nn.Module, noise: Tensor, labels: Tensor, batch: int = 64) -> None:
    """Recompute the batch norm statistics for the EMA weights, averaged over batches of inputs."""
    norms = [m for m in average.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
        norm.train()
    for z, row in zip(noise.split(batch), labels.split(batch), strict=True):
        average(z, row)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def with_weights(make: Callable[[], Net], weights: Mapping[str, Any]) -> Net:
    """Build a frozen network with these weights, checked before; the global random state is kept."""
    check_weights(make, weights)
    with torch.random.fork_rng(devices=[]):  # the fresh weights that the stored ones replace draw on global state
        network = make()
    network.load_state_dict(dict(weights))
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def check_weights(make: Callable[[], nn.Module], weights: Mapping[str, Any]) -> None:
    """Check that the weights fit the network that `make` builds; a CausalCFError names the weight."""
    with torch.device("meta"):  # shapes alone: whatever sizes a file asks for take no memory
        wanted = {name: _describe(part) for name, part in make().state_dict().items()}
    for name in wanted.keys() ^ weights.keys():
        raise CausalCFError(f"the weight {name!r} is {'missing' if name in wanted else 'of no such network'}")
    for name, expected in wanted.items():
        found = weights[name]
        kind = _describe(found) if isinstance(found, torch.Tensor) else type(found).__name__
        if kind != expected:
            raise CausalCFError(f"the weight {name!r} is {kind}; expected {expected}")


def _describe(tensor: torch.Tensor) -> str:
    """Describe a tensor's shape and type; all float precisions count as the same."""
    return f"{tuple(tensor.shape)} of {'floats' if tensor.is_floating_point() else tensor.dtype}"


class Networks(nn.Module):
    """The networks of one run; without labels there is no Labeler. Q-network and encoder are there if asked for.
    An autoencoder as discriminator comes with the weights k, l and c of CausalBEGAN's margins, and no Anti-Labeler.
    """

    margin_weights: Tensor

    def __init__(
        self,
        noise_dim: int,
        n_labels: int,
        width: int,
        labeler_width: int,
        even_kernels: bool = False,
        noise_reader: bool = False,
        generator: str = "dcgan",
        discriminator: str = "dcgan",
        encoder: bool = False,
    ) -> None:
        super().__init__()
        self.generator = build_generator(generator, noise_dim, n_labels, width, even_kernels)
        if discriminator == "autoencoder":
            self.discriminator: nn.Module = AutoEncoder(noise_dim, width)
            self.register_buffer("margin_weights", torch.zeros(3))
        else:
            projects = discriminator == "projection"
            self.discriminator = (ProjectionDiscriminator if projects else Discriminator)(n_labels, width)
        self.labeler = Labeler(n_labels, labeler_width) if n_labels else None
        self.noise_reader = QNetwork(noise_dim, labeler_width) if noise_reader else None
        self.encoder = Encoder(noise_dim, n_labels, labeler_width) if encoder else None
        for net in self.children():
            if isinstance(net, BeganGenerator | AutoEncoder):
                initialise_xavier(net)
            else:
                (initialise_he if isinstance(net, SkipGenerator | ProjectionDiscriminator) else initialise)(net)
        # The Anti-Labeler starts as the Labeler's twin, so that their terms cancel until one of them has learned.
        # CausalBEGAN's Labeler is its own.
        self.anti_labeler = None if discriminator == "autoencoder" else copy.deepcopy(self.labeler)
        self.average = ema_copy(self.generator)

"""The networks that can read attributes, by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ..arguments import check_choice
from ..errors import RecipeError
from ..networks.alexnet import AlexNet
from ..networks.residual import ResidualReader

_NETWORKS: dict[str, Callable[[int, int, float], nn.Module]] = {"residual": ResidualReader, "alexnet": AlexNet}


def build_network(name: str, n_labels: int, width: int, dropout: float = 0.0) -> nn.Module:
    """A network of fresh weights: (n, 3, 64, 64) images in [-1, 1] to (n, n_labels) logits.

    The weights come from PyTorch's global random state, which the caller lends (`torch.random.fork_rng`).

    Raises:
        RecipeError: no such network.
    """
    return _NETWORKS[check_choice("network", name, _NETWORKS, RecipeError)](n_labels, width, dropout)

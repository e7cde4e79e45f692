"""Networks from stored weights, of which nothing is allocated before the weights are known to fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

from ..errors import CausalCFError

Network = TypeVar("Network", bound=nn.Module)


def with_weights(make: Callable[[], Network], weights: Mapping[str, Any]) -> Network:
    """The network that `make` builds, with these weights; no global random state is moved.

    Raises:
        CausalCFError: as `check_weights`.
    """
    check_weights(make, weights)
    with torch.random.fork_rng(devices=[]):  # the fresh weights that the stored ones replace draw on global state
        network = make()
    network.load_state_dict(dict(weights))
    return network


def check_weights(make: Callable[[], nn.Module], weights: Mapping[str, Any]) -> None:
    """Refuse weights that are not those of the network that `make` builds.

    Raises:
        CausalCFError: a weight that is missing, of another shape, or of no such network; names it.
    """
    with torch.device("meta"):  # shapes alone: whatever sizes a file asks for take no memory
        wanted = {name: _told(part) for name, part in make().state_dict().items()}
    for name in wanted.keys() ^ weights.keys():
        raise CausalCFError(f"the weight {name!r} is {'missing' if name in wanted else 'of no such network'}")
    for name, expected in wanted.items():
        found = weights[name]
        told = _told(found) if isinstance(found, torch.Tensor) else type(found).__name__
        if told != expected:
            raise CausalCFError(f"the weight {name!r} is {told}; expected {expected}")


def _told(tensor: torch.Tensor) -> str:
    """Its shape and kind; floats of any precision become those of the network."""
    return f"{tuple(tensor.shape)} of {'floats' if tensor.is_floating_point() else tensor.dtype}"

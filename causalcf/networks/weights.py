"""Networks from stored weights; no memory is allocated before the weights are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

from ..errors import CausalCFError

Network = TypeVar("Network", bound=nn.Module)


def with_weights(make: Callable[[], Network], weights: Mapping[str, Any]) -> Network:
    """Build a network with these weights, after `check_weights`; the global random state is kept."""
    check_weights(make, weights)
    with torch.random.fork_rng(devices=[]):  # the fresh weights that the stored ones replace draw on global state
        network = make()
    network.load_state_dict(dict(weights))
    return network


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

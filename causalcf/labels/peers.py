"""The label model inside dowhy and Pyro. Both are imported on use, as few users have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..graph.graph import CausalGraph
from .mechanisms import Mechanism, response_types

NOISE = "U_"  # before a label's name: the site of its noise


def dowhy_model(graph: CausalGraph, mechanisms: Mapping[str, Mechanism]) -> Any:
    """Return the invertible structural causal model of dowhy; noise is found given a label and its parents."""
    from dowhy import gcm
    from dowhy.gcm.causal_mechanisms import InvertibleFunctionalCausalModel, StochasticModel
    from dowhy.gcm.causal_models import PARENTS_DURING_FIT
    from dowhy.graph import get_ordered_predecessors

    def random() -> torch.Generator:
        """Return a source that follows numpy's global one, as dowhy's own mechanisms do."""
        return torch.Generator().manual_seed(int(np.random.randint(2**31)))

    def as_column(values: Tensor) -> np.ndarray:
        return values.numpy()[:, None]

    class Root(StochasticModel):
        """A label without parents; its value is its noise."""

        def __init__(self, mechanism: Mechanism) -> None:
            self.mechanism = mechanism

        def fit(self, X: np.ndarray) -> None:
            """Fit nothing: the probabilities are those of the label model."""

        def draw_samples(self, num_samples: int) -> np.ndarray:
            noise = self.mechanism.sample_noise(num_samples, random())
            return as_column(self.mechanism.respond(torch.zeros(num_samples, 0), noise))

        def clone(self) -> Root:
            return Root(self.mechanism)

    class Label(InvertibleFunctionalCausalModel):
        """A label with parents, which dowhy gives in its own order; `places` leads to ours."""

        def __init__(self, mechanism: Mechanism, places: list[int]) -> None:
            self.mechanism, self.places = mechanism, places

        def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
            """Fit nothing: the probabilities are those of the label model."""

        def _parents(self, samples: np.ndarray) -> Tensor:
            return torch.from_numpy(np.asarray(samples, dtype=np.float64)[:, self.places].round()).to(torch.int8)

        def draw_noise_samples(self, num_samples: int) -> np.ndarray:
            return as_column(self.mechanism.sample_noise(num_samples, random()))

        def evaluate(self, parent_samples: np.ndarray, noise_samples: np.ndarray) -> np.ndarray:
            noise = torch.from_numpy(np.asarray(noise_samples, dtype=np.float64)).reshape(-1)
            return as_column(self.mechanism.respond(self._parents(parent_samples), noise))

        def estimate_noise(self, target_samples: np.ndarray, parent_samples: np.ndarray) -> np.ndarray:
            labels = torch.from_numpy(np.asarray(target_samples, dtype=np.float64).round()).reshape(-1).to(torch.int8)
            return as_column(self.mechanism.abduct(labels, self._parents(parent_samples), random()))

        def clone(self) -> Label:
            return Label(self.mechanism, self.places)

    found = gcm.InvertibleStructuralCausalModel(graph.to_networkx())
    for node in graph.nodes:
        ordered = get_ordered_predecessors(found.graph, node)  # by name, which is how dowhy hands parents over
        places = [ordered.index(parent) for parent in graph.parents(node)]
        found.set_causal_mechanism(node, Label(mechanisms[node], places) if places else Root(mechanisms[node]))
        found.graph.nodes[node][PARENTS_DURING_FIT] = ordered
    return found


def pyro_model(
    graph: CausalGraph, mechanisms: Mapping[str, Mechanism], enumerable: bool
) -> Callable[[], dict[str, Tensor]]:
    """Return a Pyro model that gives the labels by name, as floats 0 or 1."""
    import pyro
    from pyro.distributions import Bernoulli, Categorical, Uniform

    types = {node: response_types(mechanisms[node]) for node in graph.nodes}
    # The kinds of noise as intervals of [0, 1), so that a uniform number draws one.
    ends = {node: weights.cumsum(0)[:-1].float() for node, (weights, _) in types.items()}

    def model() -> dict[str, Tensor]:
        labels: dict[str, Tensor] = {}
        for node in graph.nodes:
            weights, answers = types[node]
            cell = torch.zeros(())
            for parent in graph.parents(node):
                cell = 2 * cell + labels[parent]
            site = f"{NOISE}{node}"
            if enumerable:
                kind = pyro.sample(site, Categorical(weights.float()), infer={"enumerate": "parallel"})
            else:
                kind = torch.bucketize(pyro.sample(site, Uniform(0.0, 1.0)), ends[node], right=True)
            value = answers.float()[kind.long(), cell.long()]
            labels[node] = pyro.sample(node, Bernoulli(value)) if enumerable else pyro.deterministic(node, value)
        return labels

    return model

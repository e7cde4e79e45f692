"""What a run's checkpoint holds, checked before anything is made of it."""

from __future__ import annotations

import math
from typing import Any

import torch

from .errors import RunError
from .graph import CausalGraph
from .labels import LabelSCM
from .networks.stored import check_weights
from .recipe import Recipe, stored_recipe
from .bundle import Networks

PRECISIONS = ("bf16", "float32")


def check_state(state: dict[str, Any], graph: CausalGraph) -> tuple[Recipe, LabelSCM | None]:
    """The recipe and the label generator of a checkpoint; None of a run without labels.

    Args:
        state: as `Training.state` gives it.
        graph: of the run's directory.

    Raises:
        CausalCFError: a part of another kind or out of range, or a label generator of another graph than the run's.
        KeyError: a part that is missing.
    """
    recipe = stored_recipe(state["recipe"])
    for key, kind in (("step", int), ("device", str), ("precision", str), ("data_fingerprint", str)):
        if type(state[key]) is not kind:
            raise RunError(f"its {key} is a value of type {type(state[key]).__name__}; expected {kind.__name__}")
    if not 0 <= state["step"] < 2**40 or not math.isfinite(state["seconds"]):
        raise RunError(f"its step is {state['step']}, after {state['seconds']} s; expected finite numbers, at least 0")
    if state["precision"] not in PRECISIONS:
        raise RunError(f"its precision is {state['precision']!r}; allowed: {', '.join(PRECISIONS)}")
    labels = state["labels"]
    if (labels is None) != (recipe.approach == "dcgan"):
        raise RunError(f"a {recipe.approach} run {'without' if labels is None else 'with'} a label generator")
    scm = None if labels is None else LabelSCM.from_state(labels)
    if scm is not None and scm.graph != graph:
        raise RunError("its label generator is not of the graph in graph.yaml")
    return recipe, scm


def networks_of(recipe: Recipe, n_labels: int) -> Networks:
    """Fresh networks as a recipe has them; their weights come from PyTorch's global random state."""
    return Networks(
        recipe.noise_dim,
        n_labels,
        recipe.width,
        recipe.labeler_width,
        recipe.even_kernels,
        recipe.noise_weight > 0,
    )


def check_networks(state: dict[str, Any], recipe: Recipe, graph: CausalGraph) -> None:
    """Refuse a checkpoint whose networks are not those that the recipe trains; nothing of them is allocated.

    Raises:
        CausalCFError: names the weight.
    """
    labels = 0 if state["labels"] is None else len(graph.nodes)
    check_weights(lambda: networks_of(recipe, labels), state["networks"])


def check_moments(optimiser: torch.optim.Optimizer) -> None:
    """Refuse an optimiser whose restored state does not fit its weights, which only its next step would show.

    Raises:
        RunError: a moment of another shape than its weight.
    """
    for weight, state in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            if name not in state or state[name].shape != weight.shape:
                raise RunError(f"an optimiser's {name} does not fit its weight of shape {tuple(weight.shape)}")

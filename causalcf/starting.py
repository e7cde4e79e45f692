"""A new run that begins where another one stands: with its weights, optimisers, random state and step.

Without any other change it ends bit for bit where the other one would have ended (CPU, same number of threads), so
that runs which share a beginning differ by nothing but what was changed after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .bounded import rebuilding
from .checkpoint import NAME as CHECKPOINT
from .checkpoint import load_checkpoint
from .errors import RecipeError, RunError
from .graph import CausalGraph
from .graph_io import load_graph
from .labels import LabelSCM
from .recipe import Recipe
from .option_types import require
from .run_state import check_networks, check_state
from .runs import find_run
from .training import Training

# What decides the networks' form, the meaning of a step, the label generator or the random state that goes on.
KEPT = ("approach", "labels", "objective", "width", "labeler_width", "noise_dim", "even_kernels", "batch", "seed")


@dataclass(frozen=True)
class Beginning:
    """The run that a new one begins with.

    Args:
        folder: its directory.
        name: what the new run's recipe calls it, which is found again wherever the folder of all runs lies.
        state: its checkpoint.
    """

    folder: Path
    name: str
    state: dict[str, Any]

    @property
    def images(self) -> int:
        """Real images that it has seen."""
        return self.state["step"] * self.state["recipe"]["batch"]

    @property
    def scm(self) -> LabelSCM | None:
        """Its label generator: the new run has the same one, not one fitted anew."""
        labels = self.state["labels"]
        return None if labels is None else LabelSCM.from_state(labels)

    @property
    def told(self) -> dict[str, Any]:
        """What the new run's metadata say of it."""
        return {"run": self.folder.name, "images": self.images}

    def precision(self, asked: str) -> str:
        """Of the new run: its own where none is asked for, as a new measurement may come out otherwise."""
        return self.state["precision"] if asked == "auto" else asked

    def hand_over(self, training: Training) -> None:
        """Brings a training to where the run stands; the rates of learning are those of the training's own recipe.

        Raises:
            RunError: they have other data, as for `Training.restore`.
        """
        optimisers = training.update.optimisers
        rates = {name: [group["lr"] for group in o.param_groups] for name, o in optimisers.items()}
        with rebuilding(self.folder / CHECKPOINT):
            training.restore(self.state, self.folder)
        training.tick = None  # which was told of the other run
        for name, optimiser in optimisers.items():  # whose stored state holds the other recipe's rates
            for group, rate in zip(optimiser.param_groups, rates[name], strict=True):
                group["lr"] = rate


def find_beginning(recipe: Recipe, graph: CausalGraph, device: torch.device) -> Beginning | None:
    """The run that a recipe begins with; None where it begins anew.

    Args:
        recipe: its `start` is a run directory, or the name of one in the folder of its runs.
        graph: the new run's graph.
        device: where the new run trains.

    Raises:
        RunError: no such run, nothing trained in it, or trained on another kind of device.
        RecipeError: an option or the graph differs that must be the same, or no images are left to train with.
    """
    if recipe.start is None:
        return None
    folder = _folder(recipe.start, recipe.runs)
    name = folder.name if folder.parent == Path(recipe.runs).resolve() else str(folder)
    beginning, its_graph = Beginning(folder, name, load_checkpoint(folder)), load_graph(folder / "graph.yaml")
    with rebuilding(folder / CHECKPOINT):
        its_recipe, _ = check_state(beginning.state, its_graph)
        check_networks(beginning.state, its_recipe, its_graph)
    _check_recipe(recipe, its_recipe, folder.name)
    if its_graph != graph:
        raise RecipeError(f"graph {recipe.graph} is not that of {folder.name}, which the run is to start from")
    kind = beginning.state["device"]
    if device.type != kind:
        raise RunError(f"start: {folder.name} was trained on {kind}; start from it there, not on {device.type}")
    seen = beginning.images
    require(recipe.images > seen, "images", recipe.images, f"above {seen}, which {folder.name} has seen already")
    return beginning


def _folder(start: str, runs: str) -> Path:
    """A name is looked for among the runs first, where the nearest to a mistyped one lies, too."""
    inside = Path(runs) / start
    is_path = Path(start).is_dir() or Path(start).parent != Path()
    return find_run(start if is_path and not inside.is_dir() else inside)


def _check_recipe(recipe: Recipe, other: Recipe, name: str) -> None:
    for key in KEPT:
        required = getattr(other, key)
        require(getattr(recipe, key) == required, key, getattr(recipe, key), f"{required}, as in {name}: see start")
    allowed = f"{'above 0' if other.noise_weight else '0'}, as in {name}: see start"
    require(bool(recipe.noise_weight) == bool(other.noise_weight), "noise_weight", recipe.noise_weight, allowed)

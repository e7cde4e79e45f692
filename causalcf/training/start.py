"""Resuming a run with its own recipe, and starting a new run from the state of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..checks import require
from ..errors import RecipeError, RunError
from ..graph.files import load_graph
from ..graph.graph import CausalGraph
from ..io.untrusted import rebuilding
from ..labels import LabelSCM
from ..runs.checkpoint import NAME as CHECKPOINT
from ..runs.checkpoint import check_networks, check_state, load_checkpoint
from ..runs.directory import find_checkpoint, find_run
from ..runs.recipe import Recipe
from .loop import Training

CHANGEABLE = ("images", "keep")


@dataclass(frozen=True)
class Stored:
    """A run at one checkpoint; `before` is the recipe stored there, `recipe` the one that resuming uses."""

    state: dict[str, Any]
    graph: CausalGraph
    scm: LabelSCM | None
    before: Recipe
    recipe: Recipe


def read_stored(folder: Path, checkpoint: Path, overrides: Mapping[str, Any]) -> Stored:
    """Read a run at a checkpoint, and check it as far as possible without its data."""
    state, graph = load_checkpoint(checkpoint), load_graph(folder / "graph.yaml")
    with rebuilding(checkpoint):
        before, scm = check_state(state, graph)
        check_networks(state, before, graph)
    for name, value in overrides.items():
        if name not in CHANGEABLE and value != getattr(before, name):
            raise RecipeError(
                f"{name} is {getattr(before, name)} in {folder.name} and cannot be changed to {value} by resuming; "
                "only images (to more) and keep can be changed"
            )
    changes = {name: value for name, value in overrides.items() if name in CHANGEABLE}
    return Stored(state, graph, scm, before, replace(before, **changes).validate())


def resumed_recipe(path: str, overrides: Mapping[str, Any]) -> Recipe:
    """Return the recipe that resuming a run or checkpoint would use; nothing is written."""
    return read_stored(*find_checkpoint(path), overrides).recipe


# What decides the networks' form, the meaning of a step, the label generator or the random state that goes on.
KEPT = ("approach", "labels", "objective", "width", "labeler_width", "noise_dim", "even_kernels", "batch", "seed")


@dataclass(frozen=True)
class InitialRun:
    """The run that a new run starts from; `name` is how the new recipe refers to it."""

    folder: Path
    name: str
    state: dict[str, Any]

    @property
    def images(self) -> int:
        """Return how many real images it has seen."""
        return self.state["step"] * self.state["recipe"]["batch"]

    @property
    def scm(self) -> LabelSCM | None:
        """Return its label generator, which the new run keeps instead of fitting a new one."""
        labels = self.state["labels"]
        return None if labels is None else LabelSCM.from_state(labels)

    @property
    def record(self) -> dict[str, Any]:
        """Return its record in the new run's metadata."""
        return {"run": self.folder.name, "images": self.images}

    def precision(self, asked: str) -> str:
        """Return the precision of the new run; "auto" takes the stored one and does not measure again."""
        return self.state["precision"] if asked == "auto" else asked

    def hand_over(self, training: Training) -> None:
        """Restore a training to this state; the learning rates stay those of its own recipe."""
        optimisers = training.update.optimisers
        rates = {name: [group["lr"] for group in o.param_groups] for name, o in optimisers.items()}
        with rebuilding(self.folder / CHECKPOINT):
            training.restore(self.state, self.folder)
        training.tick = None  # which was told of the other run
        for name, optimiser in optimisers.items():  # whose stored state holds the other recipe's rates
            for group, rate in zip(optimiser.param_groups, rates[name], strict=True):
                group["lr"] = rate


def find_initial_run(recipe: Recipe, graph: CausalGraph, device: torch.device) -> InitialRun | None:
    """Return the run that a recipe starts from, checked against it; None without a warm start."""
    if recipe.init_from is None:
        return None
    folder = _folder(recipe.init_from, recipe.runs_dir)
    name = folder.name if folder.parent == Path(recipe.runs_dir).resolve() else str(folder)
    initial, its_graph = InitialRun(folder, name, load_checkpoint(folder)), load_graph(folder / "graph.yaml")
    with rebuilding(folder / CHECKPOINT):
        its_recipe, _ = check_state(initial.state, its_graph)
        check_networks(initial.state, its_recipe, its_graph)
    _check_recipe(recipe, its_recipe, folder.name)
    if its_graph != graph:
        raise RecipeError(f"graph {recipe.graph} is not that of {folder.name}, which the run is to start from")
    kind = initial.state["device"]
    if device.type != kind:
        raise RunError(f"start: {folder.name} was trained on {kind}; start from it there, not on {device.type}")
    seen = initial.images
    require(recipe.images > seen, "images", recipe.images, f"above {seen}, which {folder.name} has seen already")
    return initial


def _folder(start: str, runs: str) -> Path:
    """Return the run directory of a name or path; a name among the runs comes first."""
    inside = Path(runs) / start
    is_path = Path(start).is_dir() or Path(start).parent != Path()
    return find_run(start if is_path and not inside.is_dir() else inside)


def _check_recipe(recipe: Recipe, other: Recipe, name: str) -> None:
    for key in KEPT:
        required = getattr(other, key)
        require(getattr(recipe, key) == required, key, getattr(recipe, key), f"{required}, as in {name}: see start")
    allowed = f"{'above 0' if other.noise_weight else '0'}, as in {name}: see start"
    require(bool(recipe.noise_weight) == bool(other.noise_weight), "noise_weight", recipe.noise_weight, allowed)

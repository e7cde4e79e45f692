"""What a run goes on with when it is resumed: its own recipe, in which little may be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .bounded import rebuilding
from .checkpoint import load_checkpoint
from .errors import RecipeError
from .graph import CausalGraph
from .graph_io import load_graph
from .labels import LabelSCM
from .recipe import Recipe
from .run_state import check_networks, check_state
from .runs import find_checkpoint

CHANGEABLE = ("images", "keep")


@dataclass(frozen=True)
class Stored:
    """A run as one of its checkpoints has it.

    Args:
        state: the checkpoint.
        graph: the run's graph.
        scm: its label generator, None for an approach without labels.
        before: the recipe that it was trained by.
        recipe: the one that it goes on with.
    """

    state: dict[str, Any]
    graph: CausalGraph
    scm: LabelSCM | None
    before: Recipe
    recipe: Recipe


def read_stored(folder: Path, checkpoint: Path, overrides: Mapping[str, Any]) -> Stored:
    """A run at a checkpoint, checked as far as it can be without its data.

    Args:
        folder: the run directory.
        checkpoint: one of the checkpoints in it.
        overrides: options of the recipe; `images` and `keep` may be changed.

    Raises:
        RunError: a checkpoint that is damaged, or is not of this run.
        RecipeError: an option that the run's recipe has otherwise.
    """
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
    """The recipe that a run would go on with; nothing is written.

    Args:
        path: a run directory, or one of the checkpoints in it.
        overrides: as in `read_stored`.

    Raises:
        RunError: no such run.
        RecipeError: as in `read_stored`, which raises the rest.

    Example:
        >>> resumed_recipe("runs/latest", {"images": 200_000}).images    # doctest: +SKIP
        200000
    """
    return read_stored(*find_checkpoint(path), overrides).recipe

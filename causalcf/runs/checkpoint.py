"""Checkpoints: checkpoint.pt is the newest, checkpoint.1.pt the one before it, and so on.
A crash leaves a whole file. Loading checks the CRC-32 of each tensor, then types, shapes and ranges.
"""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import Any

import torch

from ..errors import RunError
from ..graph.graph import CausalGraph
from ..io.files import link_atomically, replacing, temporary_beside
from ..io.untrusted import check_archive, first_line, read_tensors
from ..labels import LabelSCM
from ..networks.bundle import Networks, check_weights
from .recipe import Recipe, stored_recipe

NAME = "checkpoint.pt"
SET_ASIDE = "checkpoint.set-aside.pt"  # the newest, after an earlier one was gone back to


def save_checkpoint(folder: Path, state: dict[str, Any], keep: int = 2) -> None:
    """Write the newest checkpoint atomically, and keep `keep` checkpoints in all."""
    with replacing(folder / NAME) as file:
        torch.save(state, file)
        _grow_older(folder, keep)


def load_checkpoint(place: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Load the newest checkpoint of a run, or the given file; an error names an earlier whole one."""
    path = place if place.is_file() else place / NAME
    if not path.is_file():
        raise RunError(f"{place} holds no {NAME}: not a run directory, or its training never started")
    damage = _damage(path)
    if damage is None:
        try:
            return read_tensors(path, device)
        except Exception as error:
            damage = first_line(error)
    raise RunError(f"{path} is damaged: {damage}. {_offer(path)}")


def earlier(folder: Path) -> list[Path]:
    """Return the checkpoints before the newest, the youngest first."""
    numbered = [path for path in folder.glob("checkpoint.*.pt") if path.name.split(".")[1].isdigit()]
    return sorted(numbered, key=_age)


def go_back(path: Path) -> None:
    """Make an earlier checkpoint the newest; the old newest becomes checkpoint.set-aside.pt."""
    newest = path.with_name(NAME)
    chosen = temporary_beside(newest)
    link_atomically(chosen, path)  # it may be the one set aside, whose name is taken next
    if newest.is_file():
        link_atomically(path.with_name(SET_ASIDE), newest)
    os.replace(chosen, newest)


def _grow_older(folder: Path, keep: int) -> None:
    """Shift each checkpoint to the next number, oldest first, and delete those beyond `keep`."""
    for path in earlier(folder):
        if _age(path) >= keep:
            path.unlink()
    for age in range(keep - 1, 0, -1):
        younger = folder / (_name(age - 1) if age > 1 else NAME)
        if younger.is_file():
            link_atomically(folder / _name(age), younger)


def _name(age: int) -> str:
    return f"checkpoint.{age}.pt"


def _age(path: Path) -> int:
    return int(path.name.split(".")[1])


def _damage(path: Path) -> str | None:
    """Return what is wrong with a checkpoint's file, or None."""
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            member = archive.testzip()
    except Exception as error:  # whatever a damaged directory of the archive leads to
        return str(error) or type(error).__name__
    return None if member is None else f"the checksum of its part {member} is wrong"


def _offer(path: Path) -> str:
    """Return advice that names an earlier checkpoint that is whole."""
    older = earlier(path.parent)
    older = older[older.index(path) + 1 :] if path in older else older
    whole = next((other for other in older if _damage(other) is None), None)
    if whole is None:
        return "There is no earlier one that is whole; start a new run"
    return f"The one before it is whole; go on from that with: python -m causalcf.train --resume {whole}"


PRECISIONS = ("bf16", "float32")


def check_state(state: dict[str, Any], graph: CausalGraph) -> tuple[Recipe, LabelSCM | None]:
    """Check a checkpoint; return its recipe and label generator (None for a run without labels)."""
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
    """Check that the stored weights fit the recipe's networks, without allocating them."""
    labels = 0 if state["labels"] is None else len(graph.nodes)
    check_weights(lambda: networks_of(recipe, labels), state["networks"])


def check_moments(optimiser: torch.optim.Optimizer) -> None:
    """Check that an optimiser's restored moments have the shapes of its weights."""
    for weight, state in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            if name not in state or state[name].shape != weight.shape:
                raise RunError(f"an optimiser's {name} does not fit its weight of shape {tuple(weight.shape)}")

"""Procedural faces with a known causal model: the built-in default data set."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["LABELS", "NOISE", "Units", "counterfactual", "load_faces", "render", "sample_units", "true_scm"]

if TYPE_CHECKING:
    from .dataset import load_faces
    from .person import LABELS, NOISE
    from .renderer import render
    from .units import Units, counterfactual, sample_units, true_scm

# Imported on first use, so that `python -m causalcf.data.faces --help` needs no torch; all others are in `units`.
_HOME = {"LABELS": "person", "NOISE": "person", "load_faces": "dataset", "render": "renderer"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME.get(name, 'units')}", __name__), name)

"""Procedural faces with a known causal model: the built-in default data set."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Where each name lives; imported on first use, so that `python -m causalcf.data.faces --help` needs no torch.
_HOME = {
    "LABELS": "person",
    "NOISE": "person",
    "RENDERER_VERSION": "renderer",
    "Units": "units",
    "contact_sheet": "__main__",
    "counterfactual": "units",
    "true_scm": "units",
    "load_faces": "dataset",
    "render": "renderer",
    "sample_units": "units",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from .__main__ import contact_sheet as contact_sheet
    from .dataset import load_faces as load_faces
    from .person import LABELS as LABELS
    from .person import NOISE as NOISE
    from .renderer import RENDERER_VERSION as RENDERER_VERSION
    from .renderer import render as render
    from .units import Units as Units
    from .units import counterfactual as counterfactual
    from .units import sample_units as sample_units
    from .units import true_scm as true_scm


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)

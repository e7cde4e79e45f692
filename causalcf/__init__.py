"""causalcf asks a face GAN "what if?" and measures whether the answers respect cause and effect."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives; imported on first use, so that `import causalcf` and `--help` need no torch.
_PUBLIC = {
    "CausalCFError": "errors",
    "CausalGraph": "graph",
    "DataError": "errors",
    "GraphError": "errors",
    "ImpossibleWorldError": "errors",
    "IntractableError": "errors",
    "LabelSCM": "labels",
    "Recipe": "recipe",
    "RecipeError": "errors",
    "Run": "worlds.run",
    "RunError": "errors",
    "Worlds": "worlds.run",
    "fit_label_scm": "labels",
    "load_data": "data",
    "load_graph": "graph_io",
    "load_run": "worlds.run",
    "save_graph": "graph_io",
}

__all__ = ["__version__", *_PUBLIC]

if TYPE_CHECKING:
    from .data import load_data as load_data
    from .errors import CausalCFError as CausalCFError
    from .errors import DataError as DataError
    from .errors import GraphError as GraphError
    from .errors import ImpossibleWorldError as ImpossibleWorldError
    from .errors import IntractableError as IntractableError
    from .errors import RecipeError as RecipeError
    from .errors import RunError as RunError
    from .graph import CausalGraph as CausalGraph
    from .graph_io import load_graph as load_graph
    from .graph_io import save_graph as save_graph
    from .labels import LabelSCM as LabelSCM
    from .labels import fit_label_scm as fit_label_scm
    from .recipe import Recipe as Recipe
    from .worlds.run import Run as Run
    from .worlds.run import Worlds as Worlds
    from .worlds.run import load_run as load_run


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'causalcf' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])

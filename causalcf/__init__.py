"""causalcf asks a face GAN "what if?" and measures whether the answers respect cause and effect."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives; imported on first use, so that `import causalcf` and `--help` need no torch.
_PUBLIC = {
    "AttributeClassifier": "classifiers",
    "CausalCFError": "errors",
    "CausalGraph": "graph",
    "CounterfactualNoise": "worlds.drawn",
    "CounterfactualWorlds": "worlds.counterfactual",
    "DataError": "errors",
    "GraphError": "errors",
    "ImpossibleWorldError": "errors",
    "IntractableError": "errors",
    "LabelSCM": "labels",
    "Query": "worlds.query",
    "QueryError": "errors",
    "Recipe": "recipe",
    "RecipeError": "errors",
    "Run": "worlds.run",
    "RunError": "errors",
    "Statement": "statement",
    "StatementError": "errors",
    "UnreachedError": "errors",
    "Worlds": "worlds.counterfactual",
    "answer": "answers",
    "counterfactual_noise": "worlds.observed",
    "esm_cf_sampler": "worlds.samplers",
    "fit_label_scm": "labels",
    "gaussian_cf_sampler": "worlds.samplers",
    "load_classifier": "classifiers",
    "load_data": "data",
    "load_graph": "graph_io",
    "load_queries": "worlds.query_file",
    "load_run": "worlds.run",
    "load_statements": "statement_file",
    "sample_where": "worlds.conditional",
    "save_graph": "graph_io",
}
_MODULES = ("esm",)  # reached as `causalcf.esm.DiscreteSCM`

__all__ = ["__version__", *_MODULES, *_PUBLIC]

if TYPE_CHECKING:
    from . import esm as esm
    from .answers import answer as answer
    from .classifiers import AttributeClassifier as AttributeClassifier
    from .classifiers import load_classifier as load_classifier
    from .data import load_data as load_data
    from .errors import CausalCFError as CausalCFError
    from .errors import DataError as DataError
    from .errors import GraphError as GraphError
    from .errors import ImpossibleWorldError as ImpossibleWorldError
    from .errors import IntractableError as IntractableError
    from .errors import QueryError as QueryError
    from .errors import RecipeError as RecipeError
    from .errors import RunError as RunError
    from .errors import StatementError as StatementError
    from .errors import UnreachedError as UnreachedError
    from .graph import CausalGraph as CausalGraph
    from .graph_io import load_graph as load_graph
    from .graph_io import save_graph as save_graph
    from .labels import LabelSCM as LabelSCM
    from .labels import fit_label_scm as fit_label_scm
    from .recipe import Recipe as Recipe
    from .statement import Statement as Statement
    from .statement_file import load_statements as load_statements
    from .worlds.conditional import sample_where as sample_where
    from .worlds.counterfactual import CounterfactualWorlds as CounterfactualWorlds
    from .worlds.counterfactual import Worlds as Worlds
    from .worlds.drawn import CounterfactualNoise as CounterfactualNoise
    from .worlds.observed import counterfactual_noise as counterfactual_noise
    from .worlds.query import Query as Query
    from .worlds.query_file import load_queries as load_queries
    from .worlds.run import Run as Run
    from .worlds.run import load_run as load_run
    from .worlds.samplers import esm_cf_sampler as esm_cf_sampler
    from .worlds.samplers import gaussian_cf_sampler as gaussian_cf_sampler


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _PUBLIC:
        raise AttributeError(f"module 'causalcf' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC, *_MODULES])

"""Ask a face GAN counterfactual questions, and measure whether the answers respect a causal graph."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Where each public name lives; imported on first use, so that `import causalcf` and `--help` need no torch.
_PUBLIC = {
    "AttributeClassifier": "classifiers.classifier",
    "CausalCFError": "errors",
    "CausalGraph": "graph",
    "CounterfactualNoise": "worlds.posterior",
    "CounterfactualWorlds": "runs.counterfactual",
    "Conditional": "labels",
    "DataError": "errors",
    "GraphError": "errors",
    "ImpossibleWorldError": "errors",
    "IntractableError": "errors",
    "LabelSCM": "labels",
    "Query": "language.query",
    "QueryError": "errors",
    "Recipe": "runs.recipe",
    "RecipeError": "errors",
    "Run": "runs.run",
    "RunError": "errors",
    "Soft": "labels",
    "Statement": "language.statement",
    "StatementError": "errors",
    "Stochastic": "labels",
    "UnreachedError": "errors",
    "Worlds": "runs.counterfactual",
    "answer": "answers.answer",
    "counterfactual_noise": "worlds.observed",
    "esm_cf_sampler": "worlds.samplers",
    "fit_label_scm": "labels",
    "gaussian_cf_sampler": "worlds.samplers",
    "load_classifier": "classifiers.storage",
    "load_data": "data",
    "load_graph": "graph",
    "load_queries": "language.lists",
    "load_run": "runs.loading",
    "load_statements": "language.lists",
    "optimise_noise": "runs.abduction",
    "sample_where": "worlds.conditional",
    "save_graph": "graph",
    "write_page": "page",
}
_MODULES = ("esm",)  # reached as `causalcf.esm.DiscreteSCM`

__all__ = ["__version__", *_MODULES, *_PUBLIC]

if TYPE_CHECKING:
    from . import esm as esm
    from .answers.answer import answer as answer
    from .classifiers.classifier import AttributeClassifier as AttributeClassifier
    from .classifiers.storage import load_classifier as load_classifier
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
    from .graph.files import load_graph as load_graph
    from .graph.files import save_graph as save_graph
    from .graph.graph import CausalGraph as CausalGraph
    from .labels import Conditional as Conditional
    from .labels import LabelSCM as LabelSCM
    from .labels import Soft as Soft
    from .labels import Stochastic as Stochastic
    from .labels import fit_label_scm as fit_label_scm
    from .language.lists import load_queries as load_queries
    from .language.lists import load_statements as load_statements
    from .language.query import Query as Query
    from .language.statement import Statement as Statement
    from .page import write_page as write_page
    from .runs.abduction import optimise_noise as optimise_noise
    from .runs.counterfactual import CounterfactualWorlds as CounterfactualWorlds
    from .runs.counterfactual import Worlds as Worlds
    from .runs.loading import load_run as load_run
    from .runs.recipe import Recipe as Recipe
    from .runs.run import Run as Run
    from .worlds.conditional import sample_where as sample_where
    from .worlds.observed import counterfactual_noise as counterfactual_noise
    from .worlds.posterior import CounterfactualNoise as CounterfactualNoise
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

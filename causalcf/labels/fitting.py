"""`fit_label_scm`: a `LabelSCM` from a table of observed labels."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import torch

from ..arguments import check
from ..errors import CausalCFError, unknown
from ..graph import CausalGraph
from .counting import count_table
from .mechanisms import Mechanism
from .regression import fit_neural
from .scm import LabelSCM
from .tables import label_rows
from .worlds import parent_indices

METHODS = ("likelihood", "adversarial")
MAX_TABLE_PARENTS = 10  # 1024 numbers a node: on celeba-all, larger tables fit unseen faces worse than a network


def fit_label_scm(
    graph: CausalGraph,
    table: Any,
    method: str = "likelihood",
    *,
    smoothing: float = 0.0,
    generator: torch.Generator | None = None,
    **adversarial: Any,
) -> LabelSCM:
    """Fit a label model to a table.

    Args:
        graph: the causal graph.
        table: {name: 0/1 array of n values}, a DataFrame, or an (n, d) array in the order `graph.nodes`; extra
            columns are ignored.
        method: "likelihood" counts where a node has at most 10 parents and fits a small network where it has more
            (deterministic, exact where it counts); "adversarial" trains CausalGAN's Causal Controller
            (`adversarial.fit_controller`, whose options may follow).
        smoothing: "likelihood" only: pseudo-rows of each parent configuration that follow the node's marginal.
            A configuration that never occurs gets the marginal in any case.
        generator: "adversarial" only: the source of randomness.

    Raises:
        DataError: an empty table, a missing column, unequal lengths, or values other than 0 and 1; names the column.
        CausalCFError: an unknown method, or an option of the other method.

    Source: threshold noise is defined here; the adversarial method follows Kocaoglu et al. (2018, section 4).

    Example:
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = fit_label_scm(graph, {"Young": [1, 1, 0, 0], "Bald": [0, 0, 0, 1]})
        >>> scm.probability({"Bald": 1}, do={"Young": 0})
        0.5
    """
    check(isinstance(graph, CausalGraph), "graph", graph, "a CausalGraph, as load_graph gives it")
    if method not in METHODS:
        raise CausalCFError(unknown("method", str(method), METHODS))
    labels = label_rows(graph, table)
    if method == "likelihood":
        if adversarial:
            raise CausalCFError(unknown("option of method 'likelihood'", next(iter(adversarial)), ["smoothing"]))
        if not (isinstance(smoothing, Real) and math.isfinite(smoothing) and smoothing >= 0):
            raise CausalCFError(f"smoothing={smoothing!r}: expected a finite number of pseudo-rows, at least 0")
        return _fit_likelihood(graph, labels, smoothing)
    from .adversarial import fit_controller

    if smoothing != 0:
        raise CausalCFError("smoothing belongs to method 'likelihood'")
    return fit_controller(graph, labels, generator=generator, **adversarial)


def _fit_likelihood(graph: CausalGraph, labels: torch.Tensor, smoothing: float) -> LabelSCM:
    mechanisms: dict[str, Mechanism] = {}
    for i, (node, parents) in enumerate(zip(graph.nodes, parent_indices(graph), strict=True)):
        inputs = labels[:, parents]
        if len(parents) <= MAX_TABLE_PARENTS:
            mechanisms[node] = count_table(labels[:, i], inputs, smoothing)
        else:
            mechanisms[node] = fit_neural(labels[:, i], inputs)
    return LabelSCM(graph, mechanisms)

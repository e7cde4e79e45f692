"""`fit_label_scm`: a `LabelSCM` from a table of observed labels, by counting, regression or adversarially."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from numbers import Real
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ..checks import check, check_choice
from ..errors import CausalCFError, DataError, unknown
from ..graph.graph import CausalGraph
from ..io.threads import one_thread
from .adversarial import fit_controller
from .counterfactuals import parent_indices
from .evidence import as_labels, cell_index
from .mechanisms import Mechanism, NeuralMechanism, TableMechanism
from .scm import LabelSCM

HIDDEN = 24
BATCH = 1024
STEPS = 1200
RATE = 4e-3
RIDGE = 1.0  # a standard normal prior on every weight: keeps them finite where a parent decides the label
NEWTON_STEPS = 12
METHODS = ("likelihood", "adversarial")
MAX_TABLE_PARENTS = 10  # 1024 numbers a node: on celeba-all, larger tables fit unseen faces worse than a network


def fit_neural(label: torch.Tensor, parents: torch.Tensor, hidden: int = HIDDEN) -> NeuralMechanism:
    """Fit P(label=1 | parents) as sigmoid(bias + w.x + v.tanh(W x + c)), deterministically."""
    x = 2.0 * parents.double() - 1.0
    weights = _logistic(x, label.double())
    generator = torch.Generator().manual_seed(0)
    p = x.shape[1]
    first = torch.randn(hidden, p, generator=generator, dtype=torch.float64) / math.sqrt(p)
    shift = torch.randn(hidden, generator=generator, dtype=torch.float64)
    parts = [weights[-1], weights[:-1], first, shift, torch.zeros(hidden, dtype=torch.float64)]
    if hidden:
        with one_thread():
            parts = _train(parts, x.float(), label.float(), generator)
    return NeuralMechanism(*parts)


def _logistic(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Fit a ridge logistic regression by damped Newton steps; (p + 1,) weights, the intercept last."""
    design = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    ridge = torch.full((design.shape[1],), RIDGE, dtype=x.dtype)
    ridge[-1] = 1e-6  # the intercept is free
    weights = torch.zeros_like(ridge)
    weights[-1] = torch.logit(y.mean().clamp(1 / (len(y) + 1), 1 - 1 / (len(y) + 1)))

    def objective(w: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(design @ w, y, reduction="sum") + (ridge * w * w).sum() / 2

    value = objective(weights)
    for _ in range(NEWTON_STEPS):
        p = torch.sigmoid(design @ weights)
        gradient = design.T @ (p - y) + ridge * weights
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + torch.diag(ridge)
        step = torch.linalg.solve(curvature, gradient)
        scale = 1.0
        while scale > 1e-3 and objective(weights - scale * step) > value:
            scale /= 2
        weights = weights - scale * step
        before, value = value, objective(weights)
        if before - value < 1e-6 * value:
            break
    return weights


def _train(
    parts: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor, generator: torch.Generator
) -> list[torch.Tensor]:
    weights = [part.float().requires_grad_() for part in parts]
    bias, linear, hidden, shift, output = weights
    optimiser = torch.optim.Adam(weights, lr=RATE)
    epochs = math.ceil(STEPS / math.ceil(len(x) / BATCH))
    steps = epochs * math.ceil(len(x) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            batch = x[rows]
            logit = bias + batch @ linear + torch.tanh(batch @ hidden.T + shift) @ output
            prior = sum(w.square().sum() for w in (linear, hidden, output)) * (RIDGE / 2 / len(x))
            loss = binary_cross_entropy_with_logits(logit, y[rows]) + prior
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return weights


def label_rows(graph: CausalGraph, table: Any) -> torch.Tensor:
    """Return the graph's columns of a table in any form that `as_labels` takes, (n, d) int8, checked."""
    if isinstance(table, (str, os.PathLike)):
        raise DataError(f"the table is {str(table)!r}, a text; read the file first, as by pandas.read_csv")
    labels = as_labels(table, graph.nodes, f"the table of graph {graph.name!r}", DataError)
    if not len(labels):
        raise DataError(f"the table has no rows; columns {', '.join(graph.nodes)}; give at least one row")
    return labels


def count_table(label: torch.Tensor, parents: torch.Tensor, smoothing: float = 0.0) -> TableMechanism:
    """Fit P(label=1 | parents) by counting; a configuration without rows gets the node's marginal."""
    p = parents.shape[1]
    cells = cell_index(parents)
    rows = torch.bincount(cells, minlength=2**p).double()
    ones = torch.bincount(cells, weights=label.double(), minlength=2**p)
    marginal = label.double().mean()
    table = torch.where(rows + smoothing > 0, (ones + smoothing * marginal) / (rows + smoothing), marginal)
    return TableMechanism(table.reshape((2,) * p))


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
        table: {name: 0/1 array of n values}, a DataFrame, the rows of csv.DictReader, or an (n, d) array in the order
            `graph.nodes`. Extra columns of the first three are ignored. The text "0" and "1" is taken too.
        method: "likelihood" counts for a node with at most 10 parents, and fits a small network for a node with more.
            It is deterministic, and exact where it counts. "adversarial" trains CausalGAN's Causal Controller.
        smoothing: "likelihood" only: pseudo-rows added to each parent configuration, distributed as the node's
            marginal. A configuration that never occurs gets the marginal in any case.
        generator: "adversarial" only: the source of randomness.
        adversarial: "adversarial" only: the fields of `ControllerOptions`.

    Raises:
        DataError: an empty table, a missing column, unequal lengths, or values other than 0 and 1; names the column.
        CausalCFError: an unknown method, or an option of the other method.

    Source: threshold noise is defined here; the adversarial method follows Kocaoglu et al. (2018, section 4).

    Examples:
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = fit_label_scm(graph, {"Young": [1, 1, 0, 0], "Bald": [0, 0, 0, 1]})
        >>> scm.probability({"Bald": 1}, do={"Young": 0})
        0.5
    """
    check(isinstance(graph, CausalGraph), "graph", graph, "a CausalGraph, as load_graph gives it")
    check_choice("method", method, METHODS)
    labels = label_rows(graph, table)
    if method == "likelihood":
        if adversarial:
            raise CausalCFError(unknown("option of method 'likelihood'", next(iter(adversarial)), ["smoothing"]))
        if not (isinstance(smoothing, Real) and math.isfinite(smoothing) and smoothing >= 0):
            raise CausalCFError(f"smoothing={smoothing!r}: expected a finite number of pseudo-rows, at least 0")
        mechanisms: dict[str, Mechanism] = {}
        for i, (node, parents) in enumerate(zip(graph.nodes, parent_indices(graph), strict=True)):
            label, inputs = labels[:, i], labels[:, parents]
            by_counting = len(parents) <= MAX_TABLE_PARENTS
            mechanisms[node] = count_table(label, inputs, smoothing) if by_counting else fit_neural(label, inputs)
        return LabelSCM(graph, mechanisms)
    if smoothing != 0:
        raise CausalCFError("smoothing belongs to method 'likelihood'; leave it out")
    return fit_controller(graph, labels, generator=generator, **adversarial)

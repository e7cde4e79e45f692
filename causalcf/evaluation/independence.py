"""Tests of the independences that a causal graph implies, by the local Markov property.
The pairs tested are also the edges that could be added to the graph without a cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import rel_entr
from scipy.stats import chi2

from ..graph.graph import CausalGraph
from ..labels.fitting import label_rows
from ..statistics.misclassification import holm

MIN_EXPECTED = 5.0  # rows expected in each of four cells for the chi-squared law to hold (Cochran, 1954)


@dataclass(frozen=True)
class Independence:
    """Test of x independent of y given x's parents: mutual information in nats, difference, p-values."""

    x: str
    y: str
    given: tuple[str, ...]
    mutual_information: float
    difference: float
    p_value: float
    p_holm: float
    degrees_of_freedom: int
    parameters: int

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "given": list(self.given)}


def local_independences(graph: CausalGraph, labels: Any) -> list[Independence]:
    """Test each node against each non-descendant given its parents (Pearl 2009, theorem 1.2.7)."""
    cells, counts = occurring_cells(label_rows(graph, labels))
    position = {node: i for i, node in enumerate(graph.nodes)}
    rows: list[tuple[str, str, tuple[str, ...]]] = []
    columns: list[np.ndarray] = []  # each (5, pairs): a node's figures, in the order of the fields
    for node in graph.nodes:
        given = graph.parents(node)
        below = graph.descendants(node)
        others = [y for y in graph.nodes if y != node and y not in below and y not in given]
        if others:
            tables = _tables(cells, counts, position[node], [position[g] for g in given], [position[y] for y in others])
            rows += [(node, y, given) for y in others]
            columns.append(_figures(tables))
    if not rows:
        return []
    information, difference, p, freedom, parameters = np.concatenate(columns, 1)
    adjusted = holm(p.tolist())
    return [
        Independence(
            *names,
            mutual_information=float(information[i]),
            difference=float(difference[i]),
            p_value=float(p[i]),
            p_holm=adjusted[i],
            degrees_of_freedom=int(freedom[i]),
            parameters=int(parameters[i]),
        )
        for i, names in enumerate(rows)
    ]


def occurring_cells(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (m, d) different rows of an (n, d) table and their counts, (m,) float64."""
    cells, counts = torch.unique(labels, dim=0, return_counts=True)
    return cells, counts.double()


def _tables(
    cells: torch.Tensor, counts: torch.Tensor, x: int, given: Sequence[int], others: Sequence[int]
) -> np.ndarray:
    """Count rows as (k, 2, 2, pairs): by occurring parent configuration, value of x, value of y, and y."""
    constant = torch.zeros(len(cells), 1, dtype=cells.dtype)  # torch.unique refuses rows without columns
    _, configuration = torch.unique(torch.cat([constant, cells[:, list(given)]], 1), dim=0, return_inverse=True)
    k = int(configuration.max()) + 1
    group = 2 * configuration + cells[:, x].long()
    weighted = counts[:, None] * cells[:, list(others)].double()
    ones = torch.zeros(2 * k, len(others), dtype=torch.float64).index_add_(0, group, weighted)
    zeros = torch.bincount(group, counts, minlength=2 * k)[:, None] - ones
    return torch.stack([zeros, ones], 1).reshape(k, 2, 2, len(others)).numpy()


def _figures(tables: np.ndarray) -> np.ndarray:
    """Compute (5, pairs): mutual information, difference, p-value, degrees of freedom, parameters."""
    by_x, by_y = tables.sum(2, keepdims=True), tables.sum(1, keepdims=True)
    size = by_x.sum(1, keepdims=True)
    expected = by_x * by_y / size
    statistics = 2 * rel_entr(tables, expected).sum((1, 2))
    n = size[:, 0, 0].sum(0)

    y_varies = by_y[:, 0].min(1) > 0  # (k, pairs)
    share = np.divide(tables[:, 1], by_y[:, 0], out=np.zeros_like(tables[:, 1]), where=y_varies[:, None])
    difference = (np.abs(share[:, 1] - share[:, 0]) * size[:, 0, 0]).sum(0) / n

    full = expected.min((1, 2)) >= MIN_EXPECTED
    thin = (expected.min((1, 2)) > 0) & ~full
    statistic = np.where(full, statistics, 0.0).sum(0) + _pooled(tables, expected, thin)
    freedom = full.sum(0) + thin.any(0)
    p = np.where(freedom > 0, chi2.sf(statistic, np.maximum(freedom, 1)), 1.0)
    information = np.maximum(statistics.sum(0) / (2 * n), 0.0)
    return np.stack([information, difference, p, freedom.astype(float), y_varies.sum(0).astype(float)])


def _pooled(tables: np.ndarray, expected: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """Return one G statistic per pair, pooled over thin configurations; Mantel-Haenszel (1959) variance."""
    summed = np.where(thin[:, None, None], tables, 0.0).sum(0)
    wanted = np.where(thin[:, None, None], expected, 0.0).sum(0)
    by_x, by_y = tables.sum(2), tables.sum(1)
    size = by_x.sum(1)
    variance = np.where(thin, by_x.prod(1) * by_y.prod(1) / (size**2 * np.maximum(size - 1, 1)), 0.0).sum(0)
    held = thin.any(0)
    inverse = (1.0 / np.where(held, wanted, 1.0)).sum((0, 1))
    return np.where(held, 2 * rel_entr(summed, wanted).sum((0, 1)) / np.where(held, variance * inverse, 1.0), 0.0)

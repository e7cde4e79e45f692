"""Fit of an assumed causal graph to a table of labels: distances, violated independences, missing edges.
The label model is the maximum-likelihood fit without smoothing; distances are exact. Independences are those of the
local Markov property: the pairs tested are also the edges that could be added to the graph without a cycle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.special import rel_entr
from scipy.stats import chi2

from ..graph.graph import CausalGraph
from ..labels.fitting import MAX_TABLE_PARENTS, fit_label_scm, label_rows
from ..labels.scm import LabelSCM
from ..statistics.misclassification import holm

TIE = 0.1  # two directions of an edge whose gains differ by less than a tenth are told as one, the better
LEVEL = 0.05  # of the tests of independence, all together
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


@dataclass(frozen=True)
class MissingEdge:
    """Edge that could be added: gain in nats per unit, BIC change (below 0 is better), TVD after."""

    cause: str
    effect: str
    gain: float
    bic: float
    tvd_after: float | None = None

    def to_dict(self) -> dict[str, Any]:
        edge = f"{self.cause}->{self.effect}"
        return {"edge": edge, "gain": self.gain, "tvd_after": self.tvd_after, "bic": self.bic}


@dataclass(frozen=True)
class GraphFit:
    """Fit of a graph to n rows: TVD, KL in nats, both by chance, violated claims, missing edges."""

    graph: str
    n: int
    tvd: float
    kl: float
    tvd_by_chance: float | None
    kl_by_chance: float | None
    draws: int
    level: float
    statements: int
    violated: tuple[Independence, ...]
    missing_edges: tuple[MissingEdge, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping; an infinite divergence becomes null."""
        plain = {name: None if value == math.inf else value for name, value in vars(self).items()}
        lists = {name: [part.to_dict() for part in getattr(self, name)] for name in ("violated", "missing_edges")}
        return {**plain, **lists}


def graph_fit(
    graph: CausalGraph, labels: Any, generator: torch.Generator, *, draws: int = 20, refits: int = 5
) -> GraphFit:
    """Fit a causal graph to a table of labels and test it; a parametric bootstrap gives chance levels."""
    rows = label_rows(graph, labels)
    scm = fit_label_scm(graph, rows)
    if any(len(graph.parents(node)) > MAX_TABLE_PARENTS for node in graph.nodes):
        draws = 0
    by_chance: list[tuple[float, float]] = []
    for _ in range(draws):
        drawn = scm.sample(len(rows), generator=generator)
        by_chance.append(distances(fit_label_scm(graph, drawn), drawn))
    tvds, kls = zip(*by_chance, strict=True) if draws else ((), ())
    statements = local_independences(graph, rows)
    return GraphFit(
        graph.name,
        len(rows),
        *distances(scm, rows),
        sum(tvds) / draws if draws else None,
        sum(kls) / draws if draws else None,
        draws,
        LEVEL,
        len(statements),
        _violated(statements),
        _missing_edges(scm, rows, statements, refits),
    )


def distances(scm: LabelSCM, labels: torch.Tensor) -> tuple[float, float]:
    """Return total variation distance and KL(table || model) in nats of a model from (n, d) labels."""
    cells, counts = occurring_cells(labels)
    p, log_q = counts / counts.sum(), scm.log_probability(cells)
    q = log_q.exp()
    tvd = float((p - q).abs().sum() + (1.0 - q.sum()).clamp(min=0.0)) / 2
    return tvd, max(0.0, float((p * (p.log() - log_q)).sum()))


def _violated(statements: list[Independence]) -> tuple[Independence, ...]:
    worst: dict[frozenset[str], Independence] = {}
    for statement in sorted(statements, key=lambda s: -s.mutual_information):
        if statement.p_holm <= LEVEL:
            worst.setdefault(frozenset((statement.x, statement.y)), statement)
    return tuple(worst.values())


def _missing_edges(
    scm: LabelSCM, rows: torch.Tensor, statements: list[Independence], refits: int
) -> tuple[MissingEdge, ...]:
    n, order = len(rows), scm.graph.nodes.index
    edges = []
    for s in statements:
        bic = s.parameters * math.log(n) - 2 * n * s.mutual_information
        edges.append(MissingEdge(s.y, s.x, s.mutual_information, bic))
    # Equal gains, as between two roots: the edge that follows the order of the nodes comes first.
    edges.sort(key=lambda e: (-round(e.gain, 12), order(e.cause) > order(e.effect)))
    kept: dict[tuple[str, str], MissingEdge] = {}
    for edge in edges:
        better = kept.get((edge.effect, edge.cause))
        if edge.bic < 0 and (better is None or edge.gain < (1 - TIE) * better.gain):
            kept[edge.cause, edge.effect] = edge
    return tuple(_refitted(scm, rows, edge) if i < refits else edge for i, edge in enumerate(kept.values()))


def _refitted(scm: LabelSCM, rows: torch.Tensor, edge: MissingEdge) -> MissingEdge:
    """Add the TVD of the model with this edge; only the effect's mechanism is fitted again."""
    before, effect = scm.graph, edge.effect
    parents = (*before.parents(effect), edge.cause)
    columns = dict(zip(before.nodes, rows.unbind(1), strict=True))
    family = CausalGraph({**dict.fromkeys(parents, ()), effect: parents})
    mechanism = fit_label_scm(family, columns).mechanisms[effect]
    graph = CausalGraph({**{node: before.parents(node) for node in before.nodes}, effect: parents}, before.name)
    model = LabelSCM(graph, {**scm.mechanisms, effect: mechanism})
    tvd, _ = distances(model, torch.stack([columns[node] for node in graph.nodes], 1))
    return replace(edge, tvd_after=tvd)


def local_independences(graph: CausalGraph, labels: Any) -> list[Independence]:
    """Test each node against each non-descendant given its parents (Pearl 2009, theorem 1.2.7)."""
    cells, counts = occurring_cells(label_rows(graph, labels))
    index = graph.nodes.index
    pairs: list[tuple[str, str, tuple[str, ...]]] = []
    columns: list[np.ndarray] = []  # each (5, pairs): a node's figures, in the order of the fields
    for node in graph.nodes:
        given = graph.parents(node)
        others = [y for y in graph.nodes if y not in (node, *given) and y not in graph.descendants(node)]
        if others:
            pairs += [(node, y, given) for y in others]
            columns.append(_figures(_tables(cells, counts, index(node), [*map(index, given)], [*map(index, others)])))
    if not pairs:
        return []
    information, difference, p, freedom, parameters = np.concatenate(columns, 1).tolist()
    figures = zip(information, difference, p, holm(p), map(int, freedom), map(int, parameters), strict=True)
    return [Independence(*names, *found) for names, found in zip(pairs, figures, strict=True)]


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

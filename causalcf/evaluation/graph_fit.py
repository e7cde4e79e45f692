"""Fit of an assumed causal graph to a table of labels, violated independences and missing edges.
The label model is the maximum-likelihood fit without smoothing; distances are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import CausalCFError
from ..graph.graph import CausalGraph
from ..labels.fitting import MAX_TABLE_PARENTS, fit_label_scm, label_rows
from ..labels.scm import LabelSCM
from .independence import Independence, local_independences, occurring_cells

TIE = 0.1  # two directions of an edge whose gains differ by less than a tenth are told as one, the better


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
    graph: CausalGraph,
    labels: Any,
    generator: torch.Generator,
    *,
    draws: int = 20,
    level: float = 0.05,
    refits: int = 5,
) -> GraphFit:
    """Fit a causal graph to a table of labels and test it; a parametric bootstrap gives chance levels."""
    _check(draws, level, refits)
    rows = label_rows(graph, labels)
    scm = fit_label_scm(graph, rows)
    tvd, kl = distances(scm, rows)
    if any(len(graph.parents(node)) > MAX_TABLE_PARENTS for node in graph.nodes):
        draws = 0
    tvd_by_chance, kl_by_chance = _by_chance(scm, len(rows), draws, generator)
    statements = local_independences(graph, rows)
    return GraphFit(
        graph.name,
        len(rows),
        tvd,
        kl,
        tvd_by_chance,
        kl_by_chance,
        draws,
        level,
        len(statements),
        _violated(statements, level),
        _missing_edges(scm, rows, statements, refits),
    )


def distances(scm: LabelSCM, labels: torch.Tensor) -> tuple[float, float]:
    """Return total variation distance and KL(table || model) in nats of a model from (n, d) labels."""
    cells, counts = occurring_cells(labels)
    p, log_q = counts / counts.sum(), scm.log_probability(cells)
    q = log_q.exp()
    tvd = float((p - q).abs().sum() + (1.0 - q.sum()).clamp(min=0.0)) / 2
    return tvd, max(0.0, float((p * (p.log() - log_q)).sum()))


def _by_chance(scm: LabelSCM, n: int, draws: int, generator: torch.Generator) -> tuple[float | None, float | None]:
    if not draws:
        return None, None
    found = []
    for _ in range(draws):
        rows = scm.sample(n, generator=generator)
        found.append(distances(fit_label_scm(scm.graph, rows), rows))
    return sum(tvd for tvd, _ in found) / draws, sum(kl for _, kl in found) / draws


def _violated(statements: list[Independence], level: float) -> tuple[Independence, ...]:
    rejected = sorted((s for s in statements if s.p_holm <= level), key=lambda s: -s.mutual_information)
    worst: dict[frozenset[str], Independence] = {}
    for statement in rejected:
        worst.setdefault(frozenset((statement.x, statement.y)), statement)
    return tuple(worst.values())


def _missing_edges(
    scm: LabelSCM, rows: torch.Tensor, statements: list[Independence], refits: int
) -> tuple[MissingEdge, ...]:
    n, order = len(rows), {node: i for i, node in enumerate(scm.graph.nodes)}
    edges = [_edge(statement, n) for statement in statements]
    # Equal gains, as between two roots: the edge that follows the order of the nodes comes first.
    edges.sort(key=lambda e: (-round(e.gain, 12), order[e.cause] > order[e.effect]))
    kept: dict[tuple[str, str], MissingEdge] = {}
    for edge in edges:
        better = kept.get((edge.effect, edge.cause))
        if edge.bic < 0 and (better is None or edge.gain < (1 - TIE) * better.gain):
            kept[edge.cause, edge.effect] = edge
    return tuple(_refitted(scm, rows, edge) if i < refits else edge for i, edge in enumerate(kept.values()))


def _edge(statement: Independence, n: int) -> MissingEdge:
    gain = statement.mutual_information
    return MissingEdge(statement.y, statement.x, gain, statement.parameters * math.log(n) - 2 * n * gain)


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
    return MissingEdge(edge.cause, effect, edge.gain, edge.bic, tvd)


def _check(draws: int, level: float, refits: int) -> None:
    for name, value in (("draws", draws), ("refits", refits)):
        if not (isinstance(value, int) and value >= 0):
            raise CausalCFError(f"{name}={value!r}: expected a whole number, at least 0")
    if not 0 < level < 1:
        raise CausalCFError(f"level={level!r}: expected a number between 0 and 1")

"""How well does an assumed causal graph fit a table of labels, what does it deny that the table shows, and which edge
would help most?

The label model is the one that `fit_label_scm` gives by maximum likelihood, without smoothing. Distances are sums over
the rows that occur: all others together have the rest of the model's mass, and the table has none of it there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import CausalCFError
from ..graph import CausalGraph
from ..labels.fitting import MAX_TABLE_PARENTS, fit_label_scm
from ..labels.scm import LabelSCM
from ..labels.tables import label_rows
from .independence import Independence, local_independences, occurring_cells

TIE = 0.1  # two directions of an edge whose gains differ by less than a tenth are told as one, the better


@dataclass(frozen=True)
class MissingEdge:
    """An edge that the graph lacks and could be given.

    Args:
        cause, effect: the edge.
        gain: what it adds to the mean log-likelihood, nats per unit: the table's I(cause; effect | effect's parents).
        bic: the change of the Bayesian information criterion; below 0 the edge is worth its parameters.
        tvd_after: total variation distance of the model refitted with the edge; None where it was not refitted.
    """

    cause: str
    effect: str
    gain: float
    bic: float
    tvd_after: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        edge = f"{self.cause}->{self.effect}"
        return {"edge": edge, "gain": self.gain, "tvd_after": self.tvd_after, "bic": self.bic}


@dataclass(frozen=True)
class GraphFit:
    """The fit of a graph to n rows of labels.

    Args:
        graph: its name.
        n: rows.
        tvd, kl: total variation distance in [0, 1], and divergence in nats, of the fitted model from the table.
        tvd_by_chance, kl_by_chance: what both are on average if the graph is right; None where not computed.
        draws: tables drawn for the latter.
        level: family-wise error rate of `violated`.
        statements: independences that the graph claims, all of which were tested.
        violated: those that Holm's test rejects, each pair once, most mutual information first.
        missing_edges: those that lower the Bayesian information criterion, most gain first.
    """

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
        """JSON-ready: null in place of an infinite divergence."""
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
    """Hold a causal graph against a table of labels.

    What chance alone would do is a parametric bootstrap: as many rows are drawn from the fitted model, the graph is
    fitted to them and measured again. It is left out (None) where a node has more than 10 parents, since each fit of
    its network takes seconds to minutes.

    Args:
        graph: the assumed causal graph.
        labels: any table that `fit_label_scm` takes, such as an (n, d) 0/1 array in the order `graph.nodes`.
        generator: source of randomness of the bootstrap.
        draws: tables of the bootstrap; 0 leaves it out.
        level: family-wise error rate at which an independence counts as violated, in (0, 1).
        refits: how many of the missing edges, the best, to refit the model with.

    Raises:
        DataError: as in `fit_label_scm`.
        CausalCFError: an option out of range.

    Source: defined here; see `local_independences` for the tests, Schwarz (1978) for the criterion.

    Example:
        >>> table = {"Young": [0, 0, 1, 1], "Male": [1, 1, 0, 0]}
        >>> graph = CausalGraph({"Young": [], "Male": []})
        >>> fit = graph_fit(graph, table, torch.Generator().manual_seed(0), draws=0)
        >>> fit.tvd, [(edge.cause, edge.effect, edge.tvd_after) for edge in fit.missing_edges]
        (0.5, [('Young', 'Male', 0.0)])
    """
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
    """Total variation distance of a model from a table, and KL(table || model) in nats; exact for any number of labels.

    Args:
        scm: the model.
        labels: (n, d) 0/1 in the order of its nodes.
    """
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
    """The edge with its distance: only the effect's own mechanism changes, so that only that is fitted."""
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

"""Exact inference over binary variables by variable elimination, batched over units."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import torch

from ..errors import IntractableError
from ..io.threads import in_parallel
from ..randomness import uniform
from .evidence import cell_index, configurations

MAX_CELLS = 2**22  # the largest table that an exact query may build
MAX_TOTAL = 2**24  # the most cells that all its tables may hold together


def plan(scopes: Sequence[frozenset[int]], name: Callable[[int], str]) -> tuple[list[int], int]:
    """Return a min-fill elimination order and the number of cells of its largest table."""
    largest = max(scopes, key=len, default=frozenset())
    _check_size(largest, 0, name)
    total, cells = sum(2 ** len(scope) for scope in scopes), 2 ** len(largest)
    neighbours: dict[int, set[int]] = {v: set() for v in sorted(frozenset().union(*scopes))}
    for scope in scopes:
        for v in scope:
            neighbours[v] |= scope - {v}
    fill = {v: _fill(v, neighbours) for v in neighbours}
    order: list[int] = []
    while neighbours:
        best = min(fill, key=lambda v: (fill[v], v))
        around, _ = neighbours.pop(best), fill.pop(best)
        clique = around | {best}
        total, cells = total + 2 ** len(clique), max(cells, 2 ** len(clique))
        _check_size(clique, total, name)
        for v in around:
            neighbours[v] = (neighbours[v] | around) - {v, best}
        for v in around.union(*(neighbours[v] for v in around)):
            fill[v] = _fill(v, neighbours)
        order.append(best)
    return order, cells


def _check_size(scope: Set[int], total: int, name: Callable[[int], str]) -> None:
    if 2 ** len(scope) <= MAX_CELLS and total <= MAX_TOTAL:
        return
    shown = sorted(scope)
    names = ", ".join(name(v) for v in shown[:3]) + (", ..." if len(shown) > 3 else "")
    what = f"a table over {len(scope)} variables ({names})"
    limit = f"2^{MAX_CELLS.bit_length() - 1} in one table and 2^{MAX_TOTAL.bit_length() - 1} in all"
    size = f"2^{len(scope)} cells" + (f", {total} in all" if total > MAX_TOTAL else "")
    advice = "give more labels, or draw by sample or counterfactual"
    raise IntractableError(f"the exact answer needs {what}: {size}; the limit is {limit}; {advice}")


def _fill(v: int, neighbours: Mapping[int, set[int]]) -> int:
    return sum(len(neighbours[v] - neighbours[u]) - 1 for u in neighbours[v])  # u itself is no neighbour of its own


MAX_UNITS = 4096  # units summed at a time, so that memory does not grow with the batch
_ROWS = 2**16  # drawn forwards at a time: what is under way stays in the processor's cache
MAX_TRIES = 2**22  # rows drawn forwards in search of evidence that cannot be summed over, and 16 for each wanted

Evidence = Mapping[int, torch.Tensor]  # variable -> (b,) or (1,) int8 values


@dataclass(frozen=True)
class Conditional:
    """P(variable=1 | parents) as a function of an (n, p) int8 tensor of parent values, (n,) float64."""

    variable: int
    parents: tuple[int, ...]
    probability: Callable[[torch.Tensor], torch.Tensor]
    respond: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None

    def draw(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the label that this noise gives, (n,) int8."""
        if self.respond is not None:
            return self.respond(parents, noise)
        return (noise < self.probability(parents)).to(torch.int8)


@dataclass(frozen=True)
class _Factor:
    scope: tuple[int, ...]  # sorted
    table: torch.Tensor  # (b or 1, 2, ..., 2), one axis for each variable of the scope


def ancestry(network: Sequence[Conditional], targets: set[int], fixed: set[int]) -> list[Conditional]:
    """Return the targets' conditionals and their ancestors'; fixed variables cut the path upwards."""
    needed, kept = set(targets), []
    for conditional in reversed(network):
        if conditional.variable in needed:
            kept.append(conditional)
            needed |= {p for p in conditional.parents if p not in fixed}
    return kept[::-1]


def log_probability(
    network: Sequence[Conditional], evidence: Evidence, b: int, name: Callable[[int], str]
) -> torch.Tensor:
    """Return log P(evidence) of b units, (b,) float64, -inf where it is impossible."""
    above, order, step = _order(network, evidence, name)
    parts = [_eliminate(above, rows, n, order)[0] for rows, n in _chunks(evidence, b, step)]
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)


def sample_network(
    network: Sequence[Conditional],
    evidence: Evidence,
    b: int,
    draws: int,
    generator: torch.Generator,
    name: Callable[[int], str],
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """Draw all variables given the evidence: (b,) log P(evidence), and (b, draws) int8 values of each."""
    try:
        above, order, step = _order(network, evidence, name)
    except IntractableError as error:
        return _sample_by_rejection(network, evidence, b, draws, generator, str(error))
    weights, chunks = [], []
    for rows, n in _chunks(evidence, b, step):
        log_weight, buckets = _eliminate(above, rows, n, order)
        values = {v: fixed[:, None].expand(n, draws) for v, fixed in rows.items()}
        values |= _sample_backwards(buckets, n, draws, generator)
        _sample_forwards(network, values, n, draws, generator)
        weights.append(log_weight)
        chunks.append(values)
    if not chunks:
        empty = torch.empty(0, draws, dtype=torch.int8)
        return torch.empty(0, dtype=torch.float64), dict.fromkeys([*evidence, *(c.variable for c in network)], empty)
    return torch.cat(weights), {v: torch.cat([values[v] for values in chunks]) for v in chunks[0]}


def _sample_backwards(
    buckets: list[tuple[int, _Factor]], b: int, draws: int, generator: torch.Generator
) -> dict[int, torch.Tensor]:
    """Draw the eliminated variables given the evidence, in reverse order, (b, draws) int8 each."""
    values: dict[int, torch.Tensor] = {}
    for variable, factor in reversed(buckets):
        others = [v for v in factor.scope if v != variable]
        axis = 1 + factor.scope.index(variable)
        pair = factor.table.movedim(axis, -1).reshape(factor.table.shape[0], -1, 2).expand(b, -1, -1)
        if others:
            cell = cell_index(torch.stack([values[v] for v in others], -1))
            pair = pair.gather(1, cell[..., None].expand(-1, -1, 2))
        p = pair[..., 1] / pair.sum(-1)
        values[variable] = (uniform((b, draws), generator) < p).to(torch.int8)
    return values


def _sample_forwards(
    network: Sequence[Conditional], values: dict[int, torch.Tensor], b: int, draws: int, generator: torch.Generator
) -> None:
    """Draw every variable without a value from its parents; the result ignores the number of threads."""
    todo = [conditional for conditional in network if conditional.variable not in values]
    flat = {v: value.reshape(-1) for v, value in values.items()}
    flat |= {conditional.variable: torch.empty(b * draws, dtype=torch.int8) for conditional in todo}

    def noise() -> Iterator[tuple[int, torch.Tensor]]:
        for start in range(0, b * draws, _ROWS):
            yield start, uniform((len(todo), min(_ROWS, b * draws - start)), generator)

    def draw(part: tuple[int, torch.Tensor]) -> None:
        start, noise = part
        rows = {v: value[start : start + _ROWS] for v, value in flat.items()}
        for conditional, u in zip(todo, noise, strict=True):
            parents = torch.empty(len(conditional.parents), len(u), dtype=torch.int8)
            for column, parent in zip(parents, conditional.parents, strict=True):
                column.copy_(rows[parent])
            rows[conditional.variable].copy_(conditional.draw(parents.T, u))

    in_parallel(draw, noise())
    values |= {conditional.variable: flat[conditional.variable].reshape(b, draws) for conditional in todo}


def _sample_by_rejection(
    network: Sequence[Conditional], evidence: Evidence, b: int, draws: int, generator: torch.Generator, why: str
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """Draw as `sample_network`: forwards until the evidence holds. log P is that of evidence without free causes."""
    held = {v: value for v, value in evidence.items() if v not in {c.variable for c in network}}
    for c in network:
        if c.variable in evidence and held.keys() >= set(c.parents):
            held[c.variable] = evidence[c.variable]
    weight = log_probability(network, held, b, str)
    wanted = {v: value[:, None].expand(b, draws).reshape(-1) for v, value in evidence.items()}
    found = {v: torch.empty(b * draws, dtype=torch.int8) for v in {*evidence, *(c.variable for c in network)}}
    pending, tried, times = torch.arange(b * draws if bool(weight.isfinite().all()) else 0), 0, 1
    while len(pending):
        if tried > MAX_TRIES + 16 * b * draws:
            drawn = f"{tried:,} draws gave {b * draws - len(pending)} of {b * draws} rows"
            raise IntractableError(f"{why}; {drawn} with what is given: ask for what is likelier")
        rows = pending.repeat(times)
        values = {v: wanted[v][rows][:, None] for v in held}
        _sample_forwards(network, values, len(rows), 1, generator)
        hits = torch.stack([values[v][:, 0] == value[rows] for v, value in wanted.items()]).all(0).view(times, -1)
        done = hits.any(0)
        first = (hits.int().argmax(0) * len(pending) + torch.arange(len(pending)))[done]
        for v, value in found.items():
            value[pending[done]] = values[v][first, 0]
        pending, tried = pending[~done], tried + len(rows)
        times = max(1, min(2 * times, _ROWS // max(1, len(pending))))
    return weight, {v: value.view(b, draws) for v, value in found.items()}


def _order(
    network: Sequence[Conditional], evidence: Evidence, name: Callable[[int], str]
) -> tuple[list[Conditional], list[int], int]:
    """Return the evidence's ancestry, its elimination order, and how many units at a time `MAX_CELLS` allows."""
    above = ancestry(network, {c.variable for c in network} & set(evidence), set(evidence))
    order, cells = plan([frozenset({c.variable, *c.parents} - set(evidence)) for c in above], name)
    return above, order, min(MAX_UNITS, max(1, MAX_CELLS // cells))


def _chunks(evidence: Evidence, b: int, step: int) -> Iterator[tuple[dict[int, torch.Tensor], int]]:
    for start in range(0, b, step):
        rows = {v: values[start : start + step] if len(values) > 1 else values for v, values in evidence.items()}
        yield rows, min(step, b - start)


def _eliminate(
    network: Sequence[Conditional], evidence: Evidence, b: int, order: Sequence[int]
) -> tuple[torch.Tensor, list[tuple[int, _Factor]]]:
    """Sum out the free variables: (b,) log P(evidence), and the summed product of each variable in order."""
    factors = [_factor(conditional, evidence) for conditional in network]
    log_weight, buckets = torch.zeros(b, dtype=torch.float64), []
    for variable in order:
        bucket = _product([f for f in factors if variable in f.scope])
        factors = [f for f in factors if variable not in f.scope]
        buckets.append((variable, bucket))
        rest = tuple(v for v in bucket.scope if v != variable)
        summed = bucket.table.sum(1 + bucket.scope.index(variable))
        scale = summed.reshape(len(summed), -1).amax(1)  # kept in logs: long products must not underflow
        scale = torch.where(scale > 0, scale, 1.0)
        log_weight = log_weight + scale.log()
        factors.append(_Factor(rest, summed / scale.reshape(-1, *[1] * len(rest))))
    for factor in factors:
        log_weight = log_weight + factor.table.log()
    return log_weight, buckets


def _factor(conditional: Conditional, evidence: Evidence) -> _Factor:
    """Return the conditional as a table over its free variables, for each unit if fixed parents differ."""
    # A counterfactual copy may share a parent with the actual world: then it is named twice, and is one variable.
    variable, free = conditional.variable, tuple(dict.fromkeys(p for p in conditional.parents if p not in evidence))
    fixed = [evidence[p] for p in conditional.parents if p in evidence]
    b = max((len(values) for values in fixed), default=1)
    grid = configurations(len(free))
    rows = torch.empty(b, len(grid), len(conditional.parents), dtype=torch.int8)
    for column, parent in enumerate(conditional.parents):
        rows[:, :, column] = evidence[parent][:, None] if parent in evidence else grid[:, free.index(parent)]
    one = conditional.probability(rows.reshape(b * len(grid), -1)).reshape(b, *[2] * len(free))
    if variable in evidence:
        label = evidence[variable].reshape(-1, *[1] * len(free)).bool()
        return _sorted(free, torch.where(label, one, 1.0 - one))
    return _sorted((*free, variable), torch.stack([1.0 - one, one], -1))


def _sorted(scope: tuple[int, ...], table: torch.Tensor) -> _Factor:
    order = sorted(range(len(scope)), key=scope.__getitem__)
    return _Factor(tuple(scope[i] for i in order), table.permute(0, *[1 + i for i in order]))


def _product(factors: Sequence[_Factor]) -> _Factor:
    scope = tuple(sorted(frozenset().union(*(f.scope for f in factors))))
    table = torch.ones((1,) + (2,) * len(scope), dtype=torch.float64)
    for factor in sorted(factors, key=lambda f: len(f.scope)):
        shape = [2 if v in factor.scope else 1 for v in scope]
        table = table * factor.table.reshape(factor.table.shape[0], *shape)
    return _Factor(scope, table)

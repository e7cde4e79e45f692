"""Exact inference over binary variables by variable elimination, batched over units."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ..errors import IntractableError
from ..io.threads import in_parallel
from ..randomness import uniform
from .evidence import cell_index, configurations

MAX_CELLS = 2**22  # the largest table that an exact query may build
MAX_TOTAL = 2**24  # the most cells that all its tables may hold together
LARGEST_LIMIT = 2**34  # cells that a user may allow, 128 GiB
_ALL, _TINY = slice(None), 1e-100
MAX_UNITS = 4096  # units summed at a time, so that memory does not grow with the batch
_ROWS = 2**16  # drawn forwards at a time: what is under way stays in the processor's cache
MAX_TRIES = 2**22  # rows drawn forwards in search of evidence that cannot be summed over, and 16 for each wanted

Evidence = Mapping[int, torch.Tensor]  # variable -> (b,) or (1,) int8 values
RESCALED = 8  # factors after which a product is scaled: eight of the smallest that occur do not underflow
FEWEST_MERGED = 64  # units, below which looking for equal ones costs more than it saves
Table = tuple[tuple[int, ...], np.ndarray]  # sorted scope, and an axis of two for each


class _TooLarge(Exception):
    """A table over `scope` is beyond the limits; `total` cells are needed in all, as far as they are counted."""

    def __init__(self, scope: Set[int], total: int) -> None:
        super().__init__()
        self.scope, self.total = scope, total


def plan(
    scopes: Sequence[frozenset[int]], name: Callable[[int], str], limit: int | None = None
) -> tuple[list[int], int]:
    """Return a min-fill elimination order and the number of cells of its largest table, at most `limit`."""
    most, in_all = (MAX_CELLS, MAX_TOTAL) if limit is None else (limit, 4 * limit)
    try:
        return _planned(tuple(scopes), most, in_all)
    except _TooLarge as error:
        raise IntractableError(_refusal(error.scope, error.total, name, most, in_all)) from None


def _refusal(scope: Set[int], total: int, name: Callable[[int], str], most: int, in_all: int) -> str:
    shown = sorted(scope)
    names = ", ".join(name(v) for v in shown[:3]) + (", ..." if len(shown) > 3 else "")
    limits = f"2^{most.bit_length() - 1} in one table and 2^{in_all.bit_length() - 1} in all"
    size = f"2^{len(scope)} cells" + (f", {total} in all" if total > in_all else "")
    wanted = max(2 ** len(scope), total // 4)
    advice = "give more labels, or draw by sample or counterfactual"
    if wanted <= LARGEST_LIMIT:
        memory = 3 * 8 * wanted / 2**30  # the table, a factor and their product, in float64
        power = (wanted - 1).bit_length()
        advice += f"; with about {memory:.1f} GiB of memory or more, set max_cells = 2**{power} on the label model"
    return (
        f"the exact answer needs a table over {len(scope)} variables ({names}): {size}; the limit is {limits}; {advice}"
    )


@lru_cache(maxsize=1024)
def _planned(scopes: tuple[frozenset[int], ...], most: int, in_all: int) -> tuple[list[int], int]:
    def check_size(scope: Set[int], total: int) -> None:
        if 2 ** len(scope) > most or total > in_all:
            raise _TooLarge(scope, total)

    largest = max(scopes, key=len, default=frozenset())
    check_size(largest, 0)
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
        check_size(clique, total)
        for v in around:
            neighbours[v] = (neighbours[v] | around) - {v, best}
        for v in around.union(*(neighbours[v] for v in around)):
            fill[v] = _fill(v, neighbours)
        order.append(best)
    return order, cells


def _fill(v: int, neighbours: Mapping[int, set[int]]) -> int:
    return sum(len(neighbours[v] - neighbours[u]) - 1 for u in neighbours[v])  # u itself is no neighbour of its own


@dataclass(frozen=True)
class Conditional:
    """P(variable=1 | parents) as a function of an (n, p) int8 tensor of parent values, (n,) float64.
    `table` gives all of it at once, (2,)*p, where p is small.
    """

    variable: int
    parents: tuple[int, ...]
    probability: Callable[[torch.Tensor], torch.Tensor]
    respond: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    table: Callable[[], np.ndarray | None] | None = None

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
    network: Sequence[Conditional],
    evidence: Evidence,
    b: int,
    name: Callable[[int], str],
    limit: int | None = None,
) -> torch.Tensor:
    """Return log P(evidence) of b units, (b,) float64, -inf where it is impossible; `limit`: cells of a table."""
    above, order, step = _order(network, evidence, name, limit)
    if b == 1:
        alone = _of_one_unit(above, {v: int(value[0]) for v, value in evidence.items()}, order)
        if alone is not None:
            return torch.tensor([alone], dtype=torch.float64)
    distinct, place = evidence, None
    if b >= FEWEST_MERGED and len(evidence) <= 62:
        distinct, place = _distinct(evidence, b)
        b = int(place.max()) + 1
    parts = [_eliminate(above, rows, n, order)[0] for rows, n in _chunks(distinct, b, step)]
    found = torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)
    return found if place is None else found[place]


def sample_network(
    network: Sequence[Conditional],
    evidence: Evidence,
    b: int,
    draws: int,
    generator: torch.Generator,
    name: Callable[[int], str],
    limit: int | None = None,
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """Draw all variables given the evidence: (b,) log P(evidence), and (b, draws) int8 values of each."""
    try:
        above, order, step = _order(network, evidence, name, limit)
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
    network: Sequence[Conditional], evidence: Evidence, name: Callable[[int], str], limit: int | None
) -> tuple[list[Conditional], list[int], int]:
    """Return the evidence's ancestry, its elimination order, and how many units at a time `MAX_CELLS` allows."""
    above = ancestry(network, {c.variable for c in network} & set(evidence), set(evidence))
    order, cells = plan([frozenset({c.variable, *c.parents} - set(evidence)) for c in above], name, limit)
    return above, order, min(MAX_UNITS, max(1, MAX_CELLS // cells))


def _chunks(evidence: Evidence, b: int, step: int) -> Iterator[tuple[dict[int, torch.Tensor], int]]:
    for start in range(0, b, step):
        rows = {v: values[start : start + step] if len(values) > 1 else values for v, values in evidence.items()}
        yield rows, min(step, b - start)


def _distinct(evidence: Evidence, b: int) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """Return the evidence of distinct units, and the (b,) places of all units among them."""
    key = torch.zeros(b, dtype=torch.int64)
    for value in evidence.values():
        key = 2 * key + value
    kinds, place = torch.unique(key, return_inverse=True)
    first = torch.empty(len(kinds), dtype=torch.int64).scatter_(0, place.flip(0), torch.arange(b - 1, -1, -1))
    return {v: value.expand(b)[first] for v, value in evidence.items()}, place


def _of_one_unit(network: Sequence[Conditional], evidence: Mapping[int, int], order: Sequence[int]) -> float | None:
    """Return log P(evidence) of one unit from whole tables, in numpy, whose small steps cost a third of PyTorch's.
    None where a table is too large to be kept.
    """
    factors: list[Table] = []
    for conditional in network:
        whole = None if conditional.table is None else conditional.table()
        if whole is None:
            return None
        one = whole[tuple(evidence.get(p, _ALL) for p in conditional.parents)]
        free = tuple(p for p in conditional.parents if p not in evidence)
        if len(set(free)) < len(free):  # a parent that both worlds share is one variable
            distinct = tuple(dict.fromkeys(free))
            one, free = np.einsum(one, list(map(distinct.index, free)), list(range(len(distinct)))), distinct
        label = evidence.get(conditional.variable)
        if label is None:
            pair = np.empty((*one.shape, 2))
            pair[..., 0], pair[..., 1] = 1.0 - one, one
            one, free = pair, (*free, conditional.variable)
        elif label == 0:
            one = 1.0 - one
        places = sorted(range(len(free)), key=free.__getitem__)
        factors.append((tuple(free[i] for i in places), np.transpose(one, places)))
    log_weight = 0.0
    for variable in order:
        touched = [factor for factor in factors if variable in factor[0]]
        factors = [factor for factor in factors if variable not in factor[0]]
        scope = tuple(sorted({v for around, _ in touched for v in around}))
        product: np.ndarray = np.ones(())
        for around, table in touched:
            product = product * table.reshape([2 if v in around else 1 for v in scope])
            largest = product.max()
            if 0 < largest < _TINY:  # kept in logs: long products must not underflow
                log_weight, product = log_weight + math.log(largest), product / largest
        summed = product.sum(scope.index(variable))
        factors.append((tuple(v for v in scope if v != variable), summed))
    for _, table in factors:
        log_weight += math.log(table) if table > 0 else -math.inf
    return log_weight


def _eliminate(
    network: Sequence[Conditional], evidence: Evidence, b: int, order: Sequence[int]
) -> tuple[torch.Tensor, list[tuple[int, _Factor]]]:
    """Sum out the free variables: (b,) log P(evidence), and the summed product of each variable in order."""
    factors = [_factor(conditional, evidence) for conditional in network]
    log_weight, buckets = torch.zeros(b, dtype=torch.float64), []
    for variable in order:
        bucket, shift = _product([f for f in factors if variable in f.scope])
        log_weight = log_weight + shift
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
    whole = None if conditional.table is None else conditional.table()
    if whole is not None and len(free) + len(fixed) == len(conditional.parents):
        held = [i for i, p in enumerate(conditional.parents) if p in evidence]
        axes = [*held, *(i for i in range(whole.ndim) if i not in held)]
        table = torch.from_numpy(whole).permute(axes).reshape(2 ** len(held), *[2] * len(free))
        cell = cell_index(torch.stack([values.expand(b) for values in fixed], -1)) if fixed else torch.zeros(1).long()
        return _of_label(conditional.variable, free, table[cell], evidence)
    grid = configurations(len(free))
    rows = torch.empty(b, len(grid), len(conditional.parents), dtype=torch.int8)
    for column, parent in enumerate(conditional.parents):
        rows[:, :, column] = evidence[parent][:, None] if parent in evidence else grid[:, free.index(parent)]
    one = conditional.probability(rows.reshape(b * len(grid), -1)).reshape(b, *[2] * len(free))
    return _of_label(variable, free, one, evidence)


def _of_label(variable: int, free: tuple[int, ...], one: torch.Tensor, evidence: Evidence) -> _Factor:
    """Return the factor of a label whose P(1) is known for each unit and each state of its free parents."""
    if variable in evidence:
        label = evidence[variable].reshape(-1, *[1] * len(free)).bool()
        return _sorted(free, torch.where(label, one, 1.0 - one))
    return _sorted((*free, variable), torch.stack([1.0 - one, one], -1))


def _sorted(scope: tuple[int, ...], table: torch.Tensor) -> _Factor:
    order = sorted(range(len(scope)), key=scope.__getitem__)
    return _Factor(tuple(scope[i] for i in order), table.permute(0, *[1 + i for i in order]))


def _product(factors: Sequence[_Factor]) -> tuple[_Factor, torch.Tensor]:
    """Return the product, and for each unit the log of what it was divided by, so that it does not underflow."""
    scope = tuple(sorted(frozenset().union(*(f.scope for f in factors))))
    table, shift = torch.ones((1,) + (2,) * len(scope), dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for number, factor in enumerate(sorted(factors, key=lambda f: len(f.scope)), 1):
        shape = [2 if v in factor.scope else 1 for v in scope]
        table = table * factor.table.reshape(factor.table.shape[0], *shape)
        if number % RESCALED == 0:
            scale = table.reshape(len(table), -1).amax(1)
            scale = torch.where(scale > 0, scale, 1.0)
            table, shift = table / scale.reshape(-1, *[1] * len(scope)), shift + scale.log()
    return _Factor(scope, table), shift

"""The order of an elimination, and the size of its tables before any is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import IntractableError

MAX_CELLS = 2**22  # the largest table that an exact query may build
MAX_TOTAL = 2**24  # the most cells that all its tables may hold together


def plan(scopes: Sequence[frozenset[int]], name: Callable[[int], str]) -> tuple[list[int], int]:
    """An order of elimination by the min-fill rule, with every table's size known before any is built.

    Returns:
        The variables in their order, and the number of cells of the largest table.

    Raises:
        IntractableError: a table over `MAX_CELLS`, or all together over `MAX_TOTAL`; names the variables.
    """
    largest = max(scopes, key=len, default=frozenset())
    _check_size(largest, 0, name)
    total, cells = sum(2 ** len(scope) for scope in scopes), 2 ** len(largest)
    neighbours: dict[int, int] = dict.fromkeys(sorted(frozenset().union(*scopes)), 0)  # bit masks
    for scope in scopes:
        mask = sum(1 << v for v in scope)
        for v in scope:
            neighbours[v] |= mask & ~(1 << v)
    fill = {v: _fill(v, neighbours) for v in neighbours}
    order: list[int] = []
    while neighbours:
        best = min(fill, key=lambda v: (fill[v], v))
        around, _ = neighbours.pop(best), fill.pop(best)
        clique = frozenset([best, *_bits(around)])
        total, cells = total + 2 ** len(clique), max(cells, 2 ** len(clique))
        _check_size(clique, total, name)
        changed = around
        for v in _bits(around):
            neighbours[v] = (neighbours[v] | around) & ~(1 << v) & ~(1 << best)
            changed |= neighbours[v]
        for v in _bits(changed):
            fill[v] = _fill(v, neighbours)
        order.append(best)
    return order, cells


def _check_size(scope: frozenset[int], total: int, name: Callable[[int], str]) -> None:
    if 2 ** len(scope) <= MAX_CELLS and total <= MAX_TOTAL:
        return
    shown = sorted(scope)
    names = ", ".join(name(v) for v in shown[:3]) + (", ..." if len(shown) > 3 else "")
    what = f"a table over {len(scope)} variables ({names})"
    limit = f"2^{MAX_CELLS.bit_length() - 1} in one table and 2^{MAX_TOTAL.bit_length() - 1} in all"
    size = f"2^{len(scope)} cells" + (f", {total} in all" if total > MAX_TOTAL else "")
    raise IntractableError(f"the exact answer needs {what}: {size}; the limit is {limit}")


def _fill(v: int, neighbours: Mapping[int, int]) -> int:
    around = neighbours[v]
    return sum((around & ~neighbours[u] & ~(1 << u)).bit_count() for u in _bits(around))


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found

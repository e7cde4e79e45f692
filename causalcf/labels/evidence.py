"""Label values as the user writes them, {"Male": 1}, checked and turned into evidence and cell numbers."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..errors import CausalCFError, ImpossibleWorldError, unknown

_BITS = {0: torch.tensor([0], dtype=torch.int8), 1: torch.tensor([1], dtype=torch.int8)}


def assignment(nodes: tuple[str, ...], what: str, values: Mapping[str, Any] | None) -> dict[int, torch.Tensor]:
    """Return named values (0, 1 or an (n,) array) as variable -> (1,) or (n,) int8 tensor, checked."""
    checked: dict[int, torch.Tensor] = {}
    if values is not None and not isinstance(values, Mapping):
        raise CausalCFError(f"{what}={values!r}: expected a mapping such as {{{nodes[0]!r}: 1}}")
    for name, value in (values or {}).items():
        if name not in nodes:
            raise CausalCFError(f"{what}: " + unknown("attribute", name, nodes))
        checked[nodes.index(name)] = _binary(what, name, value)
    return checked


def _binary(what: str, name: str, value: Any) -> torch.Tensor:
    if type(value) in (int, bool) and value in _BITS:  # the usual case, and by far the fastest
        return _BITS[value]
    try:
        tensor = as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        tensor = torch.tensor(math.nan)
    if tensor.ndim == 0 and bool(not_binary(tensor)):
        raise CausalCFError(f"{what} {name}={reprlib.repr(value)}: expected 0 or 1, or an (n,) array of them")
    return _column(name, value, what, CausalCFError) if tensor.ndim else tensor.reshape(1).to(torch.int8)


def units(*evidence: Mapping[int, torch.Tensor]) -> int:
    """Return the common length of the evidence's arrays; it is 1 where all are single values."""
    lengths = {len(v) for part in evidence for v in part.values()} - {1}
    if len(lengths) > 1:
        raise CausalCFError(f"arrays of different lengths {sorted(lengths)}; give one value for each unit, or one")
    return lengths.pop() if lengths else 1


def check_agree(
    nodes: tuple[str, ...], what: str, first: Mapping[int, torch.Tensor], second: Mapping[int, torch.Tensor]
) -> None:
    """Raise `ImpossibleWorldError` where two assignments give one attribute two values."""
    for i in first.keys() & second.keys():
        if bool((first[i] != second[i]).any()):
            raise ImpossibleWorldError(f"{what} contradict each other about {nodes[i]!r}; name it in one of them alone")


def describe(nodes: tuple[str, ...], evidence: Mapping[int, torch.Tensor], row: int = 0) -> str:
    """Format one unit's evidence as "Male=1, Young=0"."""
    return ", ".join(f"{nodes[i]}={int(v[row if len(v) > 1 else 0])}" for i, v in evidence.items())


def merge(
    first: Mapping[int, torch.Tensor], second: Mapping[int, torch.Tensor], n: int
) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """Return both assignments together, and in which of n units they agree, (n,) bool."""
    agree = torch.ones(n, dtype=torch.bool)
    for i in first.keys() & second.keys():
        agree &= first[i] == second[i]
    return {**second, **first}, agree


def configurations(k: int) -> torch.Tensor:
    """Return all 2^k configurations, (2^k, k) int8; row i holds the binary digits of i."""
    shifts = torch.arange(k - 1, -1, -1)
    return ((torch.arange(2**k)[:, None] >> shifts) & 1).to(torch.int8)


def cell_index(labels: torch.Tensor) -> torch.Tensor:
    """Return the cell number of each row of (..., k) labels, int64; the inverse of `configurations`."""
    index = torch.zeros(labels.shape[:-1], dtype=torch.int64)
    for column in labels.to(torch.int64).unbind(-1):
        index = 2 * index + column
    return index


def not_binary(values: torch.Tensor) -> torch.Tensor:
    """Return where a value is neither 0 nor 1, such as NaN."""
    return (values != 0) & (values != 1)


def first_true(flags: torch.Tensor) -> int | None:
    """Return the position of the first of (n,) flags that is set; None if there is none."""
    return int(flags.int().argmax()) if bool(flags.any()) else None


def as_tensor(values: Any) -> torch.Tensor:
    """Return numbers, also those that stand as text, as a detached CPU tensor; NaN in place of anything else."""
    if not isinstance(values, torch.Tensor):
        array = as_array(values)
        values = np.vectorize(_number, otypes=[float])(array) if array.dtype.kind in "OUS" else array.copy()
    return torch.as_tensor(values).detach().cpu()


def as_array(values: Any) -> Any:
    """Return a tensor as it is, anything else as an array in which every value is as it was written."""
    if isinstance(values, torch.Tensor):
        return values
    return np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):  # other text, None, pandas' NA
        return math.nan


def as_labels(
    labels: Any, names: tuple[str, ...], what: str = "labels", error: type[CausalCFError] = CausalCFError
) -> torch.Tensor:
    """Return (n, d) int8 labels, checked, from named columns, csv.DictReader's rows or an (n, d) array."""
    if isinstance(labels, (list, tuple)) and labels and all(isinstance(row, Mapping) for row in labels):
        labels = {name: [row.get(name) for row in labels] for name in labels[0]}
    if isinstance(labels, Mapping) or hasattr(labels, "columns"):
        columns = {str(name): labels[name] for name in getattr(labels, "columns", labels)}
    else:
        try:
            array = as_array(labels)
        except (TypeError, ValueError, RuntimeError):  # such as rows of different lengths
            array = np.empty(0)
        expected = f"an (n, {len(names)}) array of 0 and 1, the columns {', '.join(names)}; or a mapping by name"
        if array.ndim != 2 or array.shape[1] != len(names):
            shape = f"of shape {tuple(array.shape)}" if array.size else f"as {reprlib.repr(labels)}"
            raise error(f"{what} {shape}: expected {expected}")
        columns = dict(zip(names, array.T, strict=True))
    checked: list[torch.Tensor] = []
    for name in names:
        if name not in columns:
            raise error(f"{what}: a column is missing: {unknown('column', name, columns)}")
        checked.append(_column(name, columns[name], what, error))
        if len(checked[-1]) != len(checked[0]):
            rows = f"{len(checked[-1])} rows, column {names[0]!r} has {len(checked[0])}"
            raise error(f"{what}: column {name!r} has {rows}; give each label one value a row")
    return torch.stack(checked, 1)


def _column(name: str, values: Any, what: str, error: type[CausalCFError]) -> torch.Tensor:
    try:
        column = as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as why:
        raise error(f"{what}: column {name!r} is no array of numbers: {why}") from why
    if column.ndim != 1:
        raise error(f"{what}: column {name!r} has shape {tuple(column.shape)}: expected one value a row")
    row = first_true(not_binary(column))
    if row is not None:
        value = as_array(values)[row]
        shown = reprlib.repr(value.item() if hasattr(value, "item") else value)
        hint = "CelebA's own -1 stands for 0, convert it first" if column[row] == -1 else "leave out a row without it"
        raise error(f"{what}: column {name!r}, row {row}: {shown} is neither 0 nor 1; {hint}")
    return column.to(torch.int8)


def matching(labels: torch.Tensor, nodes: Sequence[str], wanted: Mapping[str, Any]) -> torch.Tensor:
    """Return which rows of (n, d) labels have all `wanted` values, (n,) bool."""
    match = torch.ones(len(labels), dtype=torch.bool)
    for name, value in wanted.items():
        match &= labels[:, nodes.index(name)] == value
    return match

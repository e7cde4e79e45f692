"""Label values as the user writes them, {"Male": 1}, checked and turned into evidence and cell numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..checks import check
from ..errors import CausalCFError, ImpossibleWorldError, unknown


def assignment(nodes: tuple[str, ...], what: str, values: Mapping[str, Any] | None) -> dict[int, torch.Tensor]:
    """Return named values (0, 1 or an (n,) array) as variable -> (1,) or (n,) int8 tensor, checked."""
    checked: dict[int, torch.Tensor] = {}
    if values is not None and not isinstance(values, Mapping):
        raise CausalCFError(f"{what}={values!r}: expected a mapping such as {{{nodes[0]!r}: 1}}")
    for name, value in (values or {}).items():
        if name not in nodes:
            raise CausalCFError(f"{what}: " + unknown("attribute", name, nodes))
        checked[nodes.index(name)] = _binary(f"{what} {name}", value)
    return checked


def _binary(what: str, value: Any) -> torch.Tensor:
    try:
        tensor = as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise CausalCFError(f"{what}={value!r}: expected 0 or 1") from None
    if tensor.ndim > 1 or bool(not_binary(tensor).any()):
        shown = repr(value) if tensor.ndim == 0 else "an array with other values or of another shape"
        raise CausalCFError(f"{what}={shown}: expected 0 or 1, or an (n,) array of them")
    return tensor.reshape(-1).to(torch.int8)


def units(*evidence: Mapping[int, torch.Tensor]) -> int:
    """Return the common length of the evidence's arrays; it is 1 where all are single values."""
    lengths = {len(v) for part in evidence for v in part.values()} - {1}
    if len(lengths) > 1:
        raise CausalCFError(f"one value for each unit: arrays of different lengths {sorted(lengths)}")
    return lengths.pop() if lengths else 1


def check_agree(
    nodes: tuple[str, ...], what: str, first: Mapping[int, torch.Tensor], second: Mapping[int, torch.Tensor]
) -> None:
    """Raise `ImpossibleWorldError` where two assignments give one attribute two values."""
    for i in first.keys() & second.keys():
        if bool((first[i] != second[i]).any()):
            raise ImpossibleWorldError(f"{what} contradict each other about {nodes[i]!r}")


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
    """Return numbers as a detached CPU tensor; arrays are copied, as torch warns of read-only ones."""
    return torch.as_tensor(values.copy() if isinstance(values, np.ndarray) else values).detach().cpu()


def as_labels(labels: Any, names: tuple[str, ...]) -> torch.Tensor:
    """Return (n, d) labels as an int8 CPU tensor, with shape and values checked."""
    try:
        matrix, d = as_tensor(labels), len(names)
    except (TypeError, ValueError, RuntimeError):
        check(False, "labels", labels, "an (n, d) array of 0 and 1")
    if matrix.ndim != 2 or matrix.shape[1] != d:
        raise CausalCFError(f"labels of shape {tuple(matrix.shape)}: expected (n, {d}), the columns {', '.join(names)}")
    column = first_true(not_binary(matrix).any(0))
    if column is not None:
        raise CausalCFError(f"labels of {names[column]!r} hold a value other than 0 and 1")
    return matrix.to(torch.int8)


def matching(labels: torch.Tensor, nodes: Sequence[str], wanted: Mapping[str, Any]) -> torch.Tensor:
    """Return which rows of (n, d) labels have all `wanted` values, (n,) bool."""
    match = torch.ones(len(labels), dtype=torch.bool)
    for name, value in wanted.items():
        match &= labels[:, nodes.index(name)] == value
    return match

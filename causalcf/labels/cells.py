"""Numbering of label configurations ("cells"): the first label is the most significant bit, as in C order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..arguments import check
from ..errors import CausalCFError


def configurations(k: int) -> torch.Tensor:
    """All 2^k configurations of k labels, row i being the binary digits of i.

    Args:
        k: number of labels, at least 0.

    Returns:
        (2^k, k) int8 tensor.

    Example:
        >>> configurations(2).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    shifts = torch.arange(k - 1, -1, -1)
    return ((torch.arange(2**k)[:, None] >> shifts) & 1).to(torch.int8)


def cell_index(labels: torch.Tensor) -> torch.Tensor:
    """The number of each row's cell: the inverse of `configurations`.

    Args:
        labels: (..., k) 0/1 tensor, k at most 62.

    Returns:
        (...) int64 tensor.

    Example:
        >>> cell_index(torch.tensor([[1, 0, 1]])).item()
        5
    """
    index = torch.zeros(labels.shape[:-1], dtype=torch.int64)
    for column in labels.to(torch.int64).unbind(-1):
        index = 2 * index + column
    return index


def is_binary(values: torch.Tensor) -> bool:
    """Whether every value is exactly 0 or 1 (NaN is not)."""
    return bool(((values == 0) | (values == 1)).all())


def as_tensor(values: Any) -> torch.Tensor:
    """Numbers of any container as a CPU tensor without gradient.

    Arrays are copied, since torch warns about read-only ones such as a DataFrame's or a memory map's.

    Raises:
        TypeError, ValueError, RuntimeError: no numbers, as torch and numpy see fit.
    """
    return torch.as_tensor(values.copy() if isinstance(values, np.ndarray) else values).detach().cpu()


def as_labels(labels: Any, names: tuple[str, ...]) -> torch.Tensor:
    """A label matrix, checked.

    Args:
        labels: (n, d) array or tensor of 0/1 values, of any numeric type, on any device.
        names: the labels' names.

    Returns:
        (n, d) int8 tensor on the CPU.

    Raises:
        CausalCFError: another shape, or a value that is neither 0 nor 1.
    """
    try:
        matrix, d = as_tensor(labels), len(names)
    except (TypeError, ValueError, RuntimeError):
        check(False, "labels", labels, "an (n, d) array of 0 and 1")
    if matrix.ndim != 2 or matrix.shape[1] != d:
        raise CausalCFError(f"labels of shape {tuple(matrix.shape)}: expected (n, {d}), the columns {', '.join(names)}")
    if not is_binary(matrix):
        column = int(((matrix != 0) & (matrix != 1)).any(0).int().argmax())
        raise CausalCFError(f"labels of {names[column]!r} hold a value other than 0 and 1")
    return matrix.to(torch.int8)


def matching(labels: torch.Tensor, nodes: Sequence[str], wanted: Mapping[str, Any]) -> torch.Tensor:
    """Which rows have the labels that are wanted.

    Args:
        labels: (n, d) 0/1.
        nodes: the d names, in the order of the columns.
        wanted: name -> 0 or 1, or an (n,) tensor with one value for each row; nothing wanted matches every row.

    Returns:
        (n,) bool.

    Example:
        >>> matching(torch.tensor([[1, 0], [1, 1]]), ("Young", "Bald"), {"Young": 1, "Bald": 0}).tolist()
        [True, False]
    """
    match = torch.ones(len(labels), dtype=torch.bool)
    for name, value in wanted.items():
        match &= labels[:, nodes.index(name)] == value
    return match

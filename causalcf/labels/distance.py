"""Tables of label laws, and distances between them."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import CausalCFError, IntractableError
from .cells import as_tensor, cell_index

MAX_LABELS = 24  # 2^24 cells, 128 MiB


def empirical_joint(labels: Any) -> torch.Tensor:
    """The share of rows in each cell, (2,)*d float64, of an (n, d) 0/1 array with n at least 1.

    Raises:
        IntractableError: more than 24 labels.
        CausalCFError: no rows.

    Example:
        >>> empirical_joint(torch.tensor([[0, 1], [0, 1], [1, 1], [0, 0]])).tolist()
        [[0.25, 0.5], [0.0, 0.25]]
    """
    rows = as_tensor(labels)
    n, d = rows.shape
    if d > MAX_LABELS:
        raise IntractableError(f"the joint table over {d} labels has 2^{d} cells; the limit is 2^{MAX_LABELS}")
    if n == 0:
        raise CausalCFError("the joint table of no rows is not defined")
    return torch.bincount(cell_index(rows), minlength=2**d).double().reshape((2,) * d) / n


def total_variation(p: torch.Tensor, q: torch.Tensor) -> float:
    """Half the sum of |p - q| over all cells, those where one of them is zero included; in [0, 1].

    Raises:
        CausalCFError: tables of different shapes.

    Example:
        >>> total_variation(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0]))
        0.5
    """
    _same_shape(p, q)
    return float((p.double() - q.double()).abs().sum() / 2)


def kl_divergence(p: torch.Tensor, q: torch.Tensor) -> float:
    """Sum of p log(p / q) in nats; infinite where q misses a cell of p.

    Raises:
        CausalCFError: tables of different shapes.

    Example:
        >>> round(kl_divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])), 4)
        0.6931
    """
    _same_shape(p, q)
    held = p > 0
    return float((p[held].double() * (p[held].double() / q[held].double()).log()).sum())


def marginals(joint: torch.Tensor) -> torch.Tensor:
    """P(label_i = 1) for each axis of a (2,)*d joint table, (d,) float64.

    Example:
        >>> marginals(torch.tensor([[0.25, 0.5], [0.0, 0.25]])).tolist()
        [0.25, 0.75]
    """
    return pairwise(joint).diagonal().clone()


def pairwise(joint: torch.Tensor) -> torch.Tensor:
    """P(label_i = 1 and label_j = 1) for each pair of axes, (d, d) float64; the marginals on the diagonal.

    Example:
        >>> pairwise(torch.tensor([[0.25, 0.5], [0.0, 0.25]])).tolist()
        [[0.25, 0.25], [0.25, 0.75]]
    """
    d = joint.ndim
    table = torch.empty(d, d, dtype=torch.float64)
    for i in range(d):
        one = joint.double().select(i, 1)
        for j in range(d):
            table[i, j] = one.sum() if i == j else one.select(j - (j > i), 1).sum()
    return table


def _same_shape(p: torch.Tensor, q: torch.Tensor) -> None:
    if p.shape != q.shape:
        raise CausalCFError(f"tables of different shapes {tuple(p.shape)} and {tuple(q.shape)}")

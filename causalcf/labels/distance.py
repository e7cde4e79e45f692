"""Joint and pairwise label tables, the distances between them, and the tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from ..checks import check
from ..errors import CausalCFError, IntractableError
from ..io.text import markdown_table
from .evidence import as_tensor, cell_index, not_binary
from .scm import LabelSCM

MAX_LABELS = 24  # 2^24 cells, 128 MiB
SAMPLE = 100_000  # labels drawn where the joint table would be too large


def empirical_joint(labels: Any) -> torch.Tensor:
    """Return the share of rows in each cell, (2,)*d float64, of an (n, d) 0/1 array, d at most 24."""
    rows = as_tensor(labels)
    shaped = rows.ndim == 2 and not bool(not_binary(rows).any())
    check(shaped, "labels", labels, "an (n, d) array of 0 and 1")
    n, d = rows.shape
    if d > MAX_LABELS:
        raise IntractableError(f"the joint table of {d} labels has 2^{d} cells: take at most {MAX_LABELS} labels")
    if n == 0:
        raise CausalCFError("the joint table of no rows is not defined; give at least one")
    return torch.bincount(cell_index(rows), minlength=2**d).double().reshape((2,) * d) / n


def total_variation(p: torch.Tensor, q: torch.Tensor) -> float:
    """Return half the sum of |p - q| over all cells, in [0, 1]."""
    if p.shape != q.shape:
        raise CausalCFError(f"tables of shapes {tuple(p.shape)} and {tuple(q.shape)}: give two of the same labels")
    return float((p.double() - q.double()).abs().sum() / 2)


def pairwise(joint: torch.Tensor) -> torch.Tensor:
    """Return P(label_i = 1 and label_j = 1), (d, d) float64; the diagonal holds the marginals."""
    d = joint.ndim
    table = torch.empty(d, d, dtype=torch.float64)
    for i in range(d):
        one = joint.double().select(i, 1)
        for j in range(d):
            table[i, j] = one.sum() if i == j else one.select(j - (j > i), 1).sum()
    return table


def pairwise_of_labels(labels: Tensor) -> Tensor:
    """Return the (d, d) shares of rows with both labels 1; the diagonal holds the marginals."""
    rows = labels.double()
    return rows.T @ rows / len(rows)


def pairwise_of_scm(scm: LabelSCM) -> Tensor:
    """Return (d, d) P(both labels = 1): exact, or from 100,000 samples if the joint is too large."""
    try:
        return pairwise(scm.joint())
    except IntractableError:
        return pairwise_of_labels(scm.sample(SAMPLE, generator=torch.Generator().manual_seed(0)))


def tables_markdown(names: Sequence[str], columns: dict[str, Tensor]) -> str:
    """Format (d, d) tables, given by title, as Markdown marginals and pairs."""

    def row(title: str, i: int, j: int) -> list[str]:
        return [title, *(f"{float(table[i, j]):.4f}" for table in columns.values())]

    marginals = [row(name, i, i) for i, name in enumerate(names)]
    pairs = [row(f"{names[i]}, {names[j]}", i, j) for i, j in combinations(range(len(names)), 2)]
    parts = [
        *("# Marginals: P(label = 1)", markdown_table(("label", *columns), marginals)),
        *("# Pairs: P(both = 1)", markdown_table(("labels", *columns), pairs)),
    ]
    return "\n\n".join(parts) + "\n"

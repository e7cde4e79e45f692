"""CausalGAN's marginal and pairwise tables: the data, the label generator and the generated images side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import IntractableError
from .inert import markdown
from .labels import LabelSCM
from .labels.distance import pairwise

SAMPLE = 100_000  # labels drawn where the joint table would be too large


def pairwise_of_labels(labels: Tensor) -> Tensor:
    """(d, d) shares of rows in which both labels are 1; the marginals on the diagonal."""
    rows = labels.double()
    return rows.T @ rows / len(rows)


def pairwise_of_scm(scm: LabelSCM) -> Tensor:
    """(d, d) P(both labels are 1): exact where the joint table fits, else from 100,000 samples with a fixed seed."""
    try:
        return pairwise(scm.joint())
    except IntractableError:
        return pairwise_of_labels(scm.sample(SAMPLE, generator=torch.Generator().manual_seed(0)))


def tables_markdown(names: Sequence[str], columns: dict[str, Tensor]) -> str:
    """Marginal and pairwise tables as Markdown.

    Args:
        names: the d labels.
        columns: title -> (d, d) table with the marginals on the diagonal.
    """
    head = f"| {' | '.join(map(markdown, columns))} |\n|{'---|' * (len(columns) + 1)}\n"
    lines = ["# Marginals: P(label = 1)\n\n| label " + head]
    for i, name in enumerate(names):
        lines.append(_row(name, [table[i, i] for table in columns.values()]))
    lines.append("\n# Pairs: P(both = 1)\n\n| labels " + head)
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            lines.append(_row(f"{first}, {names[j]}", [table[i, j] for table in columns.values()]))
    return "".join(lines)


def _row(title: str, values: Sequence[Tensor]) -> str:
    return f"| {markdown(title)} | " + " | ".join(f"{float(v):.4f}" for v in values) + " |\n"

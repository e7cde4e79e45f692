"""Maximum likelihood for one node by counting: the table of P(node=1 | parents)."""

from __future__ import annotations

import torch

from .cells import cell_index
from .mechanisms import TableMechanism


def count_table(label: torch.Tensor, parents: torch.Tensor, smoothing: float = 0.0) -> TableMechanism:
    """The relative frequencies of label 1 under each parent configuration.

    A configuration that no row has says nothing about the node: there the table holds the node's marginal.

    Args:
        label: (n,) 0/1.
        parents: (n, p) 0/1.
        smoothing: pseudo-rows of each configuration that follow the node's marginal; 0 is maximum likelihood.

    Example:
        >>> count_table(torch.tensor([0, 1, 1, 1]), torch.tensor([[0], [0], [1], [1]])).table.tolist()
        [0.5, 1.0]
    """
    p = parents.shape[1]
    cells = cell_index(parents)
    rows = torch.bincount(cells, minlength=2**p).double()
    ones = torch.bincount(cells, weights=label.double(), minlength=2**p)
    marginal = label.double().mean()
    table = torch.where(rows + smoothing > 0, (ones + smoothing * marginal) / (rows + smoothing), marginal)
    return TableMechanism(table.reshape((2,) * p))

"""CelebA's own law of nine attributes, as aggregate numbers that travel with the package."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml

from ..graph_io import load_graph
from ..labels.scm import LabelSCM

_FILE = Path(__file__).with_name("celeba_law.yaml")


def celeba_law() -> LabelSCM:
    """The maximum-likelihood `LabelSCM` of CelebA on the graph `celeba`, with threshold noise.

    Source: relative frequencies over CelebA's attribute table (Liu et al., 2015); see `celeba_law.yaml`.

    Example:
        >>> round(celeba_law().probability({"Bald": 1}, given={"Young": 0, "Male": 1}), 5)
        0.11263
    """
    graph = load_graph("celeba")
    listed = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    tables = {}
    for node in graph.nodes:
        table = torch.tensor(listed[node]["probability"], dtype=torch.float64)
        order = [listed[node]["parents"].index(parent) for parent in graph.parents(node)]
        tables[node] = table.permute(order)
    return LabelSCM.from_probabilities(graph, tables)

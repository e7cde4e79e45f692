"""Faces as units of a known SCM: label noise -> labels; labels and appearance noise -> image.
The true counterfactual image of every face is therefore known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from ...errors import DataError
from ...graph.files import load_graph
from ...labels.scm import LabelSCM
from .person import LABELS, NOISE
from .renderer import render

_FILE = Path(__file__).with_name("celeba_law.yaml")


def celeba_scm() -> LabelSCM:
    """Return the maximum-likelihood `LabelSCM` of CelebA on the graph `celeba`, with threshold noise."""
    listed = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    tables = {node: (law["parents"], law["probability"]) for node, law in listed.items()}
    return LabelSCM.from_probabilities(load_graph("celeba"), tables)


true_scm = cache(celeba_scm)  # the labels' true SCM


@dataclass(frozen=True)
class Units:
    """Batch of faces: labels (n, 9) int8, label noise (n, 9), appearance noise (n, K)."""

    labels: Tensor
    label_noise: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | list[int] | Tensor) -> Units:
        if isinstance(rows, int):
            raise DataError(f"unit {rows}: index with a slice, as in units[{rows}:{rows + 1}], for a batch of one")
        return Units(self.labels[rows], self.label_noise[rows], self.noise[rows])

    def images(self, size: int = 64) -> Tensor:
        """Render the images, (n, 3, size, size) float32 in [0, 1]."""
        return render(self.labels, self.noise, size)


def sample_units(n: int, generator: torch.Generator, given: Mapping[str, Any] | None = None) -> Units:
    """Sample n units, conditional on `given`."""
    labels = true_scm().sample(n, given=given, generator=generator)
    label_noise = true_scm().abduct(labels, generator)
    noise = torch.rand(n, len(NOISE), generator=generator, device=generator.device).cpu()
    return Units(_in_order(labels), label_noise, noise)


def counterfactual(units: Units, do: Mapping[str, Any] | None = None) -> Units:
    """Return the same units under `do`, with the same noise."""
    return replace(units, labels=_in_order(true_scm().respond(units.label_noise, do or {})))


def _in_order(labels: Tensor) -> Tensor:
    """Reorder the columns from the SCM's order to the order `LABELS`."""
    nodes = true_scm().graph.nodes
    return labels[:, [nodes.index(name) for name in LABELS]]

"""Faces as units of a known SCM: label noise -> labels; labels and appearance noise -> image.
The true counterfactual image of every face is therefore known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """Batch of faces: labels (n, 9) int8, label noise (n, 9), appearance noise (n, K), interventions `do`."""

    labels: Tensor
    label_noise: Tensor
    noise: Tensor
    do: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | list[int] | Tensor) -> Units:
        if isinstance(rows, int):
            raise DataError(f"unit {rows}: index with a slice, as in units[{rows}:{rows + 1}], for a batch of one")
        do = {name: value[rows] for name, value in self.do.items()}
        return Units(self.labels[rows], self.label_noise[rows], self.noise[rows], do)

    def images(self, size: int = 64) -> Tensor:
        """Render the images, (n, 3, size, size) float32 in [0, 1]."""
        return render(self.labels, self.noise, size)


def sample_units(
    n: int, generator: torch.Generator, do: Mapping[str, Any] | None = None, given: Mapping[str, Any] | None = None
) -> Units:
    """Sample n units after the intervention `do`, conditional on `given` in the world after `do`."""
    labels = true_scm().sample(n, do=do, given=given, generator=generator)
    label_noise = _abduct(labels, do or {}, generator)
    noise = torch.rand(n, len(NOISE), generator=generator, device=generator.device).cpu()
    return Units(_in_order(labels), label_noise, noise, _per_unit(do, n))


def counterfactual(units: Units, do: Mapping[str, Any] | None = None) -> Units:
    """Return the same units under `do`, with the same noise; earlier interventions stay unless set anew."""
    labels = true_scm().respond(units.label_noise, do={**units.do, **(do or {})})
    return replace(units, labels=_in_order(labels), do={**units.do, **_per_unit(do, len(units))})


def _in_order(labels: Tensor) -> Tensor:
    """Reorder the columns from the SCM's order to the order `LABELS`."""
    nodes = true_scm().graph.nodes
    return labels[:, [nodes.index(name) for name in LABELS]]


def _abduct(labels: Tensor, do: Mapping[str, Any], generator: torch.Generator) -> Tensor:
    """Sample the label noise given the labels; a label set by `do` does not constrain its own noise."""
    scm = true_scm()
    by_name = dict(zip(scm.graph.nodes, labels.unbind(1), strict=True))
    columns = []
    for node, mechanism in scm.mechanisms.items():
        parents = [by_name[p] for p in scm.graph.parents(node)]
        above = torch.stack(parents, 1) if parents else labels[:, :0]
        if node in do:
            columns.append(mechanism.sample_noise(len(labels), generator))
        else:
            columns.append(mechanism.abduct(by_name[node], above, generator))
    return torch.stack(columns, 1)


def _per_unit(do: Mapping[str, Any] | None, n: int) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value).to(torch.int8).expand(n) for name, value in (do or {}).items()}

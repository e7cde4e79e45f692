"""The pictures of a run: CausalGAN's figures (Kocaoglu et al. 2018), each on fixed noise, as rows for a sheet.

Every function draws from its own seed, so that pictures of successive ticks show the same faces growing up.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .errors import ImpossibleWorldError, IntractableError
from .labels import LabelSCM
from .pictures import Row

Generate = Callable[[Tensor, Tensor], Tensor]


def do_versus_given(generate: Generate, scm: LabelSCM, name: str, noise: Tensor, seed: int = 0) -> list[Row]:
    """Top row do(name=1), bottom row given(name=1), the same noise: what intervening and what observing bring along.

    Where nobody can be as given, or whoever is cannot be drawn exactly, as on large graphs, the bottom row is left out.
    """
    draw = torch.Generator().manual_seed(seed)
    intervened = scm.sample(len(noise), do={name: 1}, generator=draw)
    rows = [(f"do({name}=1)", generate(noise, intervened))]
    draw.manual_seed(seed)
    try:
        observed = scm.sample(len(noise), given={name: 1}, generator=draw)
    except (ImpossibleWorldError, IntractableError):
        return rows
    return [*rows, (f"given({name}=1)", generate(noise, observed))]


def label_flips(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor) -> list[Row]:
    """First row the faces; then one row a label with that label alone flipped, all else the same."""
    rows = [("as drawn", generate(noise, labels))]
    for column, name in enumerate(scm.graph.nodes):
        flipped = labels.clone()
        flipped[:, column] = 1 - flipped[:, column]
        rows.append((f"{name} flipped", generate(noise, flipped)))
    return rows


def counterfactuals(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor, seed: int = 0) -> list[Row]:
    """First row the faces; then one row a label: do(label flipped) at stickiness 1, its descendants answering.

    All facts are known, so that one draw of the labels' noise answers everything (Pearl's three steps).
    """
    rows = [("actual", generate(noise, labels))]
    abducted = scm.abduct(labels, torch.Generator().manual_seed(seed))
    for column, name in enumerate(scm.graph.nodes):
        answers = scm.respond(abducted, do={name: 1 - labels[:, column]})
        rows.append((f"do({name} flipped)", generate(noise, answers)))
    return rows


def diversity(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor) -> list[Row]:
    """One row a label combination, titled by its labels that are 1, the same noise in every row."""
    rows = []
    for row in labels:
        present = [name for name, value in zip(scm.graph.nodes, row.tolist(), strict=True) if value]
        rows.append(("\n".join(present) or "none", generate(noise, row.expand(len(noise), -1))))
    return rows


def interpolation(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor, steps: int = 9) -> list[Row]:
    """One row a label: the same face with that label moved from 0 to 1 in equal steps; noise and other labels fixed.

    Args:
        noise: (d, k), one face a label.
        labels: (d, d) labels of those faces.
    """
    rows = []
    for column, name in enumerate(scm.graph.nodes):
        moved = labels[column].float().repeat(steps, 1)
        moved[:, column] = torch.linspace(0, 1, steps)
        rows.append((f"{name} 0 to 1", generate(noise[column].expand(steps, -1), moved)))
    return rows

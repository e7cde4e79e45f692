"""Image rows for sheets of a run: CausalGAN's figures, noise sweeps and interpolations.
Each function uses its own seed, so that successive ticks show the same faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, IntractableError
from ..labels import LabelSCM
from .sheets import Row

Generate = Callable[[Tensor, Tensor], Tensor]


def do_versus_given(generate: Generate, scm: LabelSCM, name: str, noise: Tensor, seed: int = 0) -> list[Row]:
    """Return rows do(name=1) and given(name=1) on the same noise; no second row if it cannot be drawn."""
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
    """Return the faces, then one row per label with that label alone flipped."""
    rows = [("as drawn", generate(noise, labels))]
    for column, name in enumerate(scm.graph.nodes):
        flipped = labels.clone()
        flipped[:, column] = 1 - flipped[:, column]
        rows.append((f"{name} flipped", generate(noise, flipped)))
    return rows


def counterfactuals(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor, seed: int = 0) -> list[Row]:
    """Return the faces, then one row per label: do(label flipped), label noise kept (Pearl 2009, 7.1)."""
    rows = [("actual", generate(noise, labels))]
    abducted = scm.abduct(labels, torch.Generator().manual_seed(seed))  # abduction: the label noise of the faces
    for column, name in enumerate(scm.graph.nodes):
        answers = scm.respond(abducted, do={name: 1 - labels[:, column]})  # action and prediction
        rows.append((f"do({name} flipped)", generate(noise, answers)))
    return rows


def diversity(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor) -> list[Row]:
    """Return one row per label combination, titled by its labels that are 1; all rows share the noise."""
    rows = []
    for row in labels:
        present = [name for name, value in zip(scm.graph.nodes, row.tolist(), strict=True) if value]
        rows.append(("\n".join(present) or "none", generate(noise, row.expand(len(noise), -1))))
    return rows


def interpolation(generate: Generate, scm: LabelSCM, noise: Tensor, labels: Tensor, steps: int = 9) -> list[Row]:
    """Return one row per label, which moves from 0 to 1; noise (d, k) and labels (d, d), a face a row."""
    rows = []
    for column, name in enumerate(scm.graph.nodes):
        moved = labels[column].float().repeat(steps, 1)
        moved[:, column] = torch.linspace(0, 1, steps)
        rows.append((f"{name} 0 to 1", generate(noise[column].expand(steps, -1), moved)))
    return rows


@dataclass(frozen=True)
class Effect:
    """Mean absolute colour change in [0, 1] by one coordinate of z, with its standard error over faces."""

    coordinate: int
    change: float
    error: float


def moved(noise: Tensor, coordinate: int, positions: Tensor) -> Tensor:
    """Return (n, p, k): each of n noises with one coordinate set to each of p positions."""
    grid = noise[:, None].repeat(1, len(positions), 1)
    grid[:, :, coordinate] = positions
    return grid


def coordinate_effects(
    generate: Generate,
    noise: Tensor,
    labels: Tensor,
    positions: Tensor,
    on_coordinate: Callable[[int], None] = lambda n: None,
) -> list[Effect]:
    """Return the effect of every coordinate, mean |G(moved) - G(actual)|, the largest first."""
    faces, p = len(noise), len(positions)
    actual = generate(noise, labels)
    repeated = labels.repeat_interleave(p, 0)
    effects = []
    for coordinate in range(noise.shape[1]):
        images = generate(moved(noise, coordinate, positions).flatten(0, 1), repeated)
        change = (images.view(faces, p, *actual.shape[1:]) - actual[:, None]).abs().double().flatten(1).mean(1)
        effects.append(Effect(coordinate, float(change.mean()), float(change.std()) / faces**0.5))
        on_coordinate(1)
    return sorted(effects, key=lambda effect: -effect.change)


def sweep_rows(
    generate: Generate, noise: Tensor, labels: Tensor, effects: Sequence[Effect], positions: Tensor
) -> list[Row]:
    """Return the face, then one row per effect, whose coordinate takes each of (p,) positions."""
    rows = [("the face", generate(noise[None], labels[None]))]
    repeated = labels.expand(len(positions), -1)
    for effect in effects:
        images = generate(moved(noise[None], effect.coordinate, positions)[0], repeated)
        rows.append((f"z{effect.coordinate}\n{effect.change:.4f}", images))
    return rows


def way(first: Tensor, second: Tensor, steps: int) -> Tensor:
    """Return (steps, k): equal steps from the first (k,) vector to the second, both ends exact."""
    share = torch.linspace(0, 1, steps, dtype=torch.float32)[:, None].to(first.device)
    return first.float() * (1 - share) + second.float() * share


def interpolation_rows(generate: Generate, noise: Tensor, labels: Tensor, steps: int) -> list[Row]:
    """Return rows between each pair of (2p, k) faces: the noise alone, then the labels too."""
    rows = []
    for first in range(0, len(noise) - 1, 2):
        pair = f"{first + 1} to {first + 2}"
        path = way(noise[first], noise[first + 1], steps)
        rows.append((f"{pair}\nnoise" if labels.shape[1] else pair, generate(path, labels[first].expand(steps, -1))))
        if labels.shape[1]:
            rows.append((f"{pair}\nand labels", generate(path, way(labels[first], labels[first + 1], steps))))
    return rows

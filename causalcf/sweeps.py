"""Exploring noise: one coordinate moved across its range, how much each matters, and the way from one face to another.

`generate` is a callable on ((n, k) noise, (n, d) labels); of a generator without labels, d is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .pictures import Row



@dataclass(frozen=True)
class Effect:
    """How much a coordinate of z changes the image.

    Args:
        coordinate: its index.
        change: mean absolute change of a colour value, in [0, 1].
        error: standard error of that mean over faces.
    """

    coordinate: int
    change: float
    error: float


def moved(noise: Tensor, coordinate: int, positions: Tensor) -> Tensor:
    """(n, p, k): each of n noises with one coordinate set to each of p positions, all else the same.

    Example:
        >>> moved(torch.zeros(1, 3), 1, torch.tensor([-1.0, 1.0])).tolist()
        [[[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]]
    """
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
    """Every coordinate's mean absolute image change as it moves across its range, the largest first.

    Args:
        generate: (n, k) noise and (n, d) labels to (n, 3, h, w) images in [0, 1].
        noise: (f, k), at least two faces to average over.
        labels: (f, d) labels, which stay.
        positions: (p,) where each coordinate is moved to.
        on_coordinate: called with 1 after each coordinate.

    Returns:
        k effects. A change is |G(moved) - G(actual)|, averaged over pixels, colours, positions and faces.

    Source: defined here.

    Example:
        >>> paint = lambda z, labels: z[:, :, None, None].expand(-1, 3, 2, 2) * torch.tensor([1, 0.5, 0])[:, None, None]
        >>> effects = coordinate_effects(paint, torch.zeros(2, 3), torch.zeros(2, 0), torch.tensor([-1.0, 1.0]))
        >>> [(effect.coordinate, round(effect.change, 3)) for effect in effects]
        [(0, 0.333), (1, 0.167), (2, 0.0)]
    """
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
    """First row the face; then one row an effect: its coordinate moved across its range on that face.

    Args:
        noise: (k,) the face.
        labels: (d,) its labels, which stay.
        effects: the coordinates to show, in order; each row is titled with its coordinate and its change.
        positions: (p,), left to right.
    """
    rows = [("the face", generate(noise[None], labels[None]))]
    repeated = labels.expand(len(positions), -1)
    for effect in effects:
        images = generate(moved(noise[None], effect.coordinate, positions)[0], repeated)
        rows.append((f"z{effect.coordinate}\n{effect.change:.4f}", images))
    return rows


def way(first: Tensor, second: Tensor, steps: int) -> Tensor:
    """(steps, k): from the first (k,) to the second in equal steps, both ends exact; it stays inside a cube that
    holds both, as the uniform prior wants."""
    share = torch.linspace(0, 1, steps, dtype=torch.float32)[:, None].to(first.device)
    return first.float() * (1 - share) + second.float() * share


def interpolation_rows(generate: Generate, noise: Tensor, labels: Tensor, steps: int) -> list[Row]:
    """For each two faces in turn, the way between them: noise alone under the first's labels, then labels too.

    Args:
        noise: (2p, k): p pairs of faces.
        labels: (2p, d): where d is 0, noise is all there is.
        steps: images a row.
    """
    rows = []
    for first in range(0, len(noise) - 1, 2):
        pair = f"{first + 1} to {first + 2}"
        path = way(noise[first], noise[first + 1], steps)
        rows.append((f"{pair}\nnoise" if labels.shape[1] else pair, generate(path, labels[first].expand(steps, -1))))
        if labels.shape[1]:
            rows.append((f"{pair}\nand labels", generate(path, way(labels[first], labels[first + 1], steps))))
    return rows

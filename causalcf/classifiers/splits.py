"""Three disjoint splits: for training, for early stopping and calibration, and for scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..data import load_data, load_source
from ..data.images import ImageData
from ..errors import DataError
from .recipe import ClassifierRecipe

HELD_OUT = 0.08  # of the images learned from, where no split serves to stop and calibrate
SCORED = 0.15  # of the images learned from, where no split serves to score
FEWEST = 20  # images to learn from
MAX_HELD_OUT = 5000  # more would slow training without stopping it any better


@dataclass(frozen=True)
class Split:
    """Rows of a data set, with a description for the report; images are loaded only on request."""

    data: ImageData
    rows: Tensor
    description: str

    def __len__(self) -> int:
        return len(self.rows)

    def labels(self, attributes: Sequence[str]) -> Tensor:
        """Return (n, d) int8 labels of the named attributes."""
        return self.data.select(attributes)[self.rows]

    def pixels(self, index: Tensor) -> Tensor:
        """Return (len(index), 3, h, w) uint8 images at these positions within the split."""
        return self.data.batch(self.rows[index])

    def split(self, n: int, description: str, rest: str, generator: torch.Generator) -> tuple[Split, Split]:
        """Split off n random rows; return them and the rest."""
        order = torch.randperm(len(self), generator=generator)
        chosen, left = order[:n].sort().values, order[n:].sort().values
        return Split(self.data, self.rows[chosen], description), Split(self.data, self.rows[left], rest)


@dataclass(frozen=True)
class Splits:
    """Three splits: `train` fits the weights, `held_out` stops and calibrates, `scored` only scores."""

    train: Split
    held_out: Split
    scored: Split

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return JSON-ready values."""
        return {
            kind: {"n": len(part), "told": part.description, "fingerprint": part.data.fingerprint}
            for kind, part in vars(self).items()
        }


def whole(data: ImageData, description: str) -> Split:
    """Return all rows of a data set as one split."""
    return Split(data, torch.arange(len(data)), description)


def split_data(recipe: ClassifierRecipe) -> Splits:
    """Load the data and split them; score on "test", else on "valid", else on a random part of "train"."""
    recipe = recipe.resolved()
    assert recipe.seed is not None
    draw = torch.Generator().manual_seed(recipe.seed)
    found = _splits(recipe)
    train, scored, held_out = found["train"], found.get("test"), found.get("valid")
    if scored is None:  # "valid" is all there is to score on, so it stops nothing
        scored, held_out = held_out, None
    if scored is None or held_out is None:
        _check_size(train, (scored is None) + (held_out is None))
    if scored is None:
        n, name = _share(train, SCORED), train.description
        scored, train = train.split(n, f"part of {name}, kept apart", name, draw)
    if held_out is None:
        n = min(_share(train, HELD_OUT), MAX_HELD_OUT)
        held_out, train = train.split(n, f"part of {train.description}, not learned from", train.description, draw)
    elif len(held_out) > MAX_HELD_OUT:
        held_out, _ = held_out.split(MAX_HELD_OUT, f"part of {held_out.description}", held_out.description, draw)
    return Splits(train, held_out, scored)


def _check_size(train: Split, parts: int) -> None:
    """Refuse images of which too few are left once one or two `parts` are kept apart."""
    if len(train) < FEWEST + 3 * (parts - 1):
        few = f"{len(train)} images are too few to learn from; expected at least {FEWEST + 3 * (parts - 1)}"
        raise DataError(f"{train.description}: {few}")


def _share(part: Split, share: float) -> int:
    return max(round(share * len(part)), 1)


def _splits(recipe: ClassifierRecipe) -> dict[str, Split]:
    found = {}
    if recipe.data == "faces":
        if recipe.label_distribution == "uniform":
            from ..data.faces.dataset import load_uniform_faces

            found["train"] = whole(load_uniform_faces(recipe.data_size), "faces with uniform labels")
        else:
            found["train"] = whole(load_data("faces", n=recipe.data_size), "faces, split train")
        valid = load_data("faces", split="valid", n=max(recipe.data_size // 5, 1))
        return {**found, "valid": whole(valid, "faces, split valid")}
    for split in ("train", "valid", "test"):
        try:
            data = load_source(recipe, split)
            found[split] = whole(data, f"{recipe.data}, split {split}")
        except DataError:
            if split == "train":
                raise
            # The same folder and tables just gave "train": all that can be amiss is an empty split.
    return found

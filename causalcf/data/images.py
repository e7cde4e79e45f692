"""Labelled images in memory, the common type of all data sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, unknown


@dataclass(frozen=True)
class DataSource:
    """Data that something was trained on: the source's name, the fingerprint of its training split, and its folder."""

    name: str
    fingerprint: str
    root: str | None = None

    def same_as(self, other: DataSource) -> bool:
        """Compare the data; rendered faces have the same labels however many are drawn."""
        return self.name == other.name and (self.name == "faces" or self.fingerprint == other.fingerprint)

    def __str__(self) -> str:
        return f"{self.root or self.name} ({self.fingerprint})"


@dataclass(frozen=True)
class ImageData:
    """A labelled image set.

    Args:
        name: the source's name ("faces", "celeba", ...).
        names: attribute names, one per label column.
        labels: (n, len(names)) int8 tensor of 0/1.
        pixels: (n, 3, h, w) uint8 array; may be a read-only memory map.
        fingerprint: a short hash that changes whenever the images or the labels change.
        flip: whether a random horizontal flip leaves every label as it is.
    """

    name: str
    names: tuple[str, ...]
    labels: torch.Tensor
    pixels: np.ndarray
    fingerprint: str
    flip: bool = True

    def __post_init__(self) -> None:
        if tuple(self.labels.shape) != (len(self.pixels), len(self.names)):
            raise DataError(
                f"{self.name}: {len(self.pixels)} images and {len(self.names)} attributes "
                f"do not fit labels of shape {tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def select(self, attributes: Sequence[str]) -> torch.Tensor:
        """Return the int8 labels of the named attributes, (n, len(attributes)), in the given order."""
        for attribute in attributes:
            if attribute not in self.names:
                raise DataError(f"data set {self.name!r}: " + unknown("attribute", attribute, self.names))
        return self.labels[:, [self.names.index(a) for a in attributes]]

    def batch(self, index: torch.Tensor) -> torch.Tensor:
        """Return the uint8 images at the given rows, (len(index), 3, h, w)."""
        return torch.from_numpy(self.pixels[index.numpy()])


def to_symmetric(pixels: Tensor) -> Tensor:
    """uint8 pixels to float in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


def to_unit_interval(pixels: Tensor) -> Tensor:
    """Convert uint8 pixels to floats in [0, 1]."""
    return pixels.float() / 255

"""Rendered faces as a labelled image set, with CelebA's label distribution or uniform labels."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...checks import SEEDS, check_count
from ...errors import DataError, unknown
from ..cache import cache_root, open_cache
from ..images import ImageData
from .person import LABELS, NOISE
from .renderer import RENDERER_VERSION, render
from .units import sample_units

SIZES = {"train": 20_000, "valid": 4_000}


def check_seed(seed: int) -> None:
    """Check that the seed is in [0, 2^31); each split uses its own half of all generator seeds."""
    if not 0 <= seed < SEEDS // len(SIZES):
        raise DataError(f"faces: seed={seed}; expected a whole number in [0, 2^31)")


def load_faces(
    split: str = "train", n: int | None = None, seed: int = 0, cache: str | Path | None = None, progress: bool = True
) -> ImageData:
    """Draw faces from the law and render them, each split without a face of the other: `load_data`."""
    if split not in SIZES:
        raise DataError("faces: " + unknown("split", split, SIZES))
    count = SIZES[split] if n is None else n
    check_count("n", count, error=DataError, each=2 * len(LABELS) + len(NOISE))
    check_seed(seed)
    generator = torch.Generator().manual_seed(len(SIZES) * seed + list(SIZES).index(split))
    units = sample_units(count, generator)
    return _rendered("faces", f"faces-64-{split}-{count}-{seed}", units.labels, units.noise, cache, progress)


def to_bytes(images: Tensor) -> Tensor:
    """Round colours in [0, 1] to uint8 in 0..255."""
    return (images * 255).round().to(torch.uint8)


def _probe() -> str:
    """Return a digest of a few rendered faces; it changes when the renderer's output changes."""
    generator = torch.Generator().manual_seed(1709_02023)
    labels = torch.cat([torch.zeros(1, len(LABELS)), torch.eye(len(LABELS)), torch.ones(1, len(LABELS))])
    return _digest(to_bytes(render(labels, torch.rand(len(labels), len(NOISE), generator=generator))))


def _digest(*tensors: Tensor) -> str:
    hashed = hashlib.sha256()
    for tensor in tensors:
        hashed.update(tensor.numpy().tobytes())
    return hashed.hexdigest()


def load_uniform_faces(
    n: int = 20_000, seed: int = 0, cache: str | Path | None = None, progress: bool = True
) -> ImageData:
    """Load n >= 1 rendered faces whose nine labels are independent, each 1 with probability 0.5."""
    check_seed(seed)
    draw = torch.Generator().manual_seed(12345 + seed)
    labels = torch.randint(0, 2, (n, len(LABELS)), generator=draw, dtype=torch.int8)
    noise = torch.rand(n, len(NOISE), generator=draw)
    return _rendered("faces, labels by coin", f"faces-coin-64-{n}-{seed}", labels, noise, cache, progress)


def _rendered(
    name: str, slot: str, labels: Tensor, noise: Tensor, cache: str | Path | None, progress: bool
) -> ImageData:
    """Return the rendered faces of given labels and noise, from the cache in the folder `slot`."""

    def produce(start: int, stop: int) -> np.ndarray:
        return to_bytes(render(labels[start:stop], noise[start:stop])).numpy()

    key = {"renderer": RENDERER_VERSION, "probe": _probe(), "units": _digest(labels, noise)}
    folder = (Path(cache) if cache is not None else cache_root()) / slot
    shape = (len(labels), 3, 64, 64)
    pixels = open_cache(folder, key, shape, produce, progress=progress, label="faces: images")
    fingerprint = hashlib.sha256(repr(sorted(key.items())).encode()).hexdigest()[:16]
    return ImageData(name, LABELS, labels, pixels, fingerprint, flip=True)

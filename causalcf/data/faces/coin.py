"""Faces with every label drawn by a coin: all combinations equally often, whatever the law of the labels says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from ..cache import cache_root, open_cache
from ..images import ImageData
from .dataset import _digest, _probe, check_seed, to_bytes
from .person import LABELS, NOISE
from .renderer import RENDERER_VERSION, render


def load_coin_faces(
    n: int = 20_000, seed: int = 0, cache: str | Path | None = None, progress: bool = True
) -> ImageData:
    """Rendered faces whose nine labels are independent and fair.

    What learns to read labels off these cannot infer one label from another, as it would from the natural law, under
    which a moustache is proof of a man.

    Args:
        n: how many, at least 1.
        seed: which draw, in [0, 2^31).
        cache: folder of all caches; None for `cache_root()`.
        progress: show a progress bar while the cache is built.

    Raises:
        DataError: a seed out of range, or a cache that cannot be written.

    Source: defined here.

    Example:
        >>> import tempfile
        >>> faces = load_coin_faces(4, cache=tempfile.mkdtemp(), progress=False)
        >>> faces.name, faces.pixels.shape
        ('faces, labels by coin', (4, 3, 64, 64))
    """
    check_seed(seed)
    draw = torch.Generator().manual_seed(12345 + seed)
    labels = torch.randint(0, 2, (n, len(LABELS)), generator=draw, dtype=torch.int8)
    noise = torch.rand(n, len(NOISE), generator=draw)

    def produce(start: int, stop: int) -> np.ndarray:
        return to_bytes(render(labels[start:stop], noise[start:stop])).numpy()

    key = {"renderer": RENDERER_VERSION, "probe": _probe(), "units": _digest(labels, noise)}
    place = Path(cache) if cache is not None else cache_root()
    pixels = open_cache(
        place / f"faces-coin-64-{n}-{seed}", key, (n, 3, 64, 64), produce, progress=progress, label="faces: images"
    )
    fingerprint = hashlib.sha256(repr(sorted(key.items())).encode()).hexdigest()[:16]
    return ImageData("faces, labels by coin", LABELS, labels, pixels, fingerprint, flip=True)

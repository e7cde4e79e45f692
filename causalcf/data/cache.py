"""A memory-mapped cache of images that several processes may open, and that survives being killed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..workers import MOST_WORKERS, available_cores
from .chunked_file import ChunkedFile, Produce, writing



def cache_root() -> Path:
    """Where caches live: $CAUSALCF_CACHE, else $XDG_CACHE_HOME/causalcf, else ~/.cache/causalcf."""
    if own := os.environ.get("CAUSALCF_CACHE"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "causalcf"
    return Path.home() / ".cache" / "causalcf"


def open_cache(
    folder: str | Path,
    key: Mapping[str, object],
    shape: tuple[int, int, int, int],
    produce: Produce,
    *,
    workers: int | None = None,
    progress: bool = True,
    label: str = "images",
) -> np.memmap:
    """Open a cache of images, first producing whatever of it is missing.

    Several processes may open one folder at once: one builds, the others wait for it. When the key differs from the
    one the folder was built with, the source has changed: that is logged and the cache is built anew.

    Args:
        folder: the cache's own folder; made if missing.
        key: what the images depend on (JSON values); the same key must mean the same images.
        shape: (n, channels, height, width), n >= 1.
        produce: produce(start, stop) -> (stop - start, channels, height, width) uint8 array. Called from `workers`
            threads of this process at a time, in any order; any closure will do.
        workers: threads; None for one a core, at most 8.
        progress: show a progress bar on stderr while building.
        label: what the progress bar counts.

    Returns:
        A read-only memory map of the given shape.

    Raises:
        DataError: the folder cannot be written or the disk is full; whatever `produce` raises is passed on.

    Source: defined here.

    Example:
        >>> import tempfile
        >>> grey = lambda start, stop: np.full((stop - start, 3, 2, 2), 128, np.uint8)
        >>> pixels = open_cache(tempfile.mkdtemp(), {"colour": 128}, (1000, 3, 2, 2), grey, progress=False)
        >>> pixels.shape, int(pixels[999].mean())
        ((1000, 3, 2, 2), 128)
    """
    if min(shape) < 1:
        raise DataError(f"an image cache needs at least one image, got shape {tuple(shape)}")
    cache = ChunkedFile(Path(folder), key, shape)
    pixels = cache.open()
    if pixels is not None:
        return pixels
    with writing(cache.folder):
        cache.folder.mkdir(parents=True, exist_ok=True)
    with _locked(cache.folder):
        pixels = cache.open()  # another process may have built it meanwhile
        if pixels is not None:
            return pixels
        cache.build(produce, workers or min(available_cores(), MOST_WORKERS), progress, label)
        return cache.map()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases if this process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        with writing(folder):
            lock.acquire(timeout=0)
    except Timeout:
        _log.warning("image cache %s: another process is building it; waiting", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()

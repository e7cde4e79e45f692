"""Memory-mapped cache of decoded images."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from math import prod
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from ..errors import DataError
from ..io.files import clear_leftovers, temporary_beside
from ..io.progress import counting
from ..io.threads import MAX_WORKERS, available_cores, in_threads

Produce = Callable[[int, int], np.ndarray]  # (start, stop) -> (stop - start, channels, height, width) uint8
Shape = tuple[int, int, int, int]

_log = logging.getLogger(__name__)
_FORMAT = 2
_ELSEWHERE = "the environment variable CAUSALCF_CACHE chooses another place"
_CHUNK = 256  # images; small enough that Ctrl-C answers at once and memory stays a few MiB a worker


def cache_root() -> Path:
    """Return the folder of all caches: $CAUSALCF_CACHE, $XDG_CACHE_HOME/causalcf or ~/.cache/causalcf."""
    if own := os.environ.get("CAUSALCF_CACHE"):
        return Path(own).expanduser()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "causalcf"
    return Path.home() / ".cache" / "causalcf"


def open_cache(
    folder: str | Path,
    key: Mapping[str, object],
    shape: Shape,
    produce: Produce,
    check: Callable[[], None] = lambda: None,
    *,
    workers: int | None = None,
    progress: bool = True,
    label: str = "images",
) -> np.memmap:
    """Open an image cache as a read-only memory map of the given shape; produce the images first if needed.

    The file's name holds a digest of `key` (JSON values) and `shape`, so that a changed source is another file. It gets
    its name when it is whole and `check` raises nothing; a build that is interrupted starts again. So does one whose
    file was written to since.
    """
    if min(shape) < 1:
        raise DataError(f"an image cache needs at least one image, got shape {tuple(shape)}")
    identity = json.dumps({"format": _FORMAT, "key": dict(key), "shape": list(shape)}, sort_keys=True)
    folder = Path(folder).expanduser()
    file = folder / f"images-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.npy"
    pixels = _mapped(file, shape)
    if pixels is not None:
        return pixels
    with _locked(folder):
        pixels = _mapped(file, shape)  # another process may have built it meanwhile
        if pixels is None:
            _build(file, shape, produce, check, workers or min(available_cores(), MAX_WORKERS), progress, label)
            pixels = _mapped(file, shape)
    assert pixels is not None
    return pixels


def _mapped(file: Path, shape: Shape) -> np.memmap | None:
    """Map a whole file of that shape; None if there is none."""
    try:
        pixels = np.lib.format.open_memmap(file, "r")
    except (OSError, ValueError):  # none, cut short, or no array
        return None
    as_built = pixels.shape == tuple(shape) and pixels.dtype == np.uint8 and file.stat().st_mtime == _seal(file)
    return pixels if as_built else None


def _seal(file: Path) -> int:
    """Return the modification time that a file gets when it is built, in seconds; any later write changes it."""
    return 2 * int(file.stem.rpartition("-")[2][:7], 16)


def _build(
    file: Path, shape: Shape, produce: Produce, check: Callable[[], None], workers: int, progress: bool, label: str
) -> None:
    """Write the file under a temporary name, then give it its own; the caller holds the lock."""
    clear_leftovers(file.parent)
    _drop_other_sources(file)
    needed, free = prod(shape), shutil.disk_usage(file.parent).free
    if needed > free:
        room = f"{needed / 2**20:,.0f} MiB needed, {free / 2**20:,.0f} MiB free on its disk"
        raise DataError(f"image cache {file.parent}: {room}; {_ELSEWHERE}")

    def chunk(start: int) -> bytes:
        stop = min(start + _CHUNK, shape[0])
        pixels = np.asarray(produce(start, stop))
        if pixels.dtype != np.uint8 or pixels.shape != (stop - start, *shape[1:]):
            wanted = f"uint8 {(stop - start, *shape[1:])}"
            raise TypeError(f"produce({start}, {stop}) gave {pixels.dtype} {pixels.shape}, expected {wanted}")
        return pixels.tobytes()

    temporary = temporary_beside(file)
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    try:
        with (
            _writing(file),
            temporary.open("wb") as stream,
            closing(in_threads(chunk, range(0, shape[0], _CHUNK), workers)) as finished,
            counting(label, shape[0], show=progress) as advance,
        ):
            np.lib.format.write_array_header_1_0(stream, header)
            begin, each = stream.tell(), prod(shape[1:])
            for start, pixels in finished:
                stream.seek(begin + start * each)
                stream.write(pixels)
                advance(len(pixels) // each)
            check()
            stream.flush()
            os.fsync(stream.fileno())
            os.utime(temporary, (_seal(file), _seal(file)))
            os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_other_sources(file: Path) -> None:
    others = [path for path in (*file.parent.glob("images-*.npy"), *file.parent.glob("pixels-*.u8")) if path != file]
    if others:
        _log.warning("image cache %s: its source has changed; building it anew", file.parent)
    for path in others:
        with suppress(PermissionError):  # Windows keeps a file that another process has mapped
            path.unlink()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn an OSError while writing into a DataError that names the path and CAUSALCF_CACHE."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write the image cache {path}: {error.strerror or error}; {_ELSEWHERE}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder and hold its lock; the operating system releases it if this process dies."""
    lock = FileLock(folder / "lock")
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _log.warning("image cache %s: another process is building it; waiting", folder)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()

"""Memory-mapped cache of decoded images."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from ..io.progress import counting
from ..io.threads import MAX_WORKERS, available_cores, in_threads
from ..io.untrusted import read_json

Produce = Callable[[int, int], np.ndarray]

_log = logging.getLogger(__name__)
_FORMAT = 1
_CHUNK = 256  # images; small enough that Ctrl-C answers at once and memory stays a few MiB a worker
_SAVE_EVERY = 1.0  # seconds of work that a kill can cost


class ChunkedFile:
    """Image file of one cache folder, for one key (JSON values) and shape (n, channels, height, width)."""

    def __init__(self, folder: Path, key: Mapping[str, object], shape: tuple[int, int, int, int]) -> None:
        self.folder, self.shape = folder, tuple(shape)
        identity = {"format": _FORMAT, "key": dict(key), "shape": list(shape)}
        self.identity = json.loads(json.dumps(identity))  # tuples become lists, as they will when read back
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.file = folder / f"pixels-{digest[:16]}.u8"
        self.record = folder / "cache.json"
        self.image_bytes = prod(shape[1:])
        self.nbytes = shape[0] * self.image_bytes
        self.chunks = -(-shape[0] // _CHUNK)

    def _bounds(self, chunk: int) -> tuple[int, int]:
        return chunk * _CHUNK, min((chunk + 1) * _CHUNK, self.shape[0])

    def open(self) -> np.memmap | None:
        """Return the memory map, or None if the file is incomplete or was modified after the build."""
        record = self._read_record()
        try:
            stat = self.file.stat()
            if len(record["crc"]) < self.chunks or record["mtime_ns"] != stat.st_mtime_ns:
                return None
            if stat.st_size != self.nbytes:
                return None
            return self.map()
        except OSError:
            return None

    def map(self) -> np.memmap:
        """Map the file as a read-only array."""
        return np.memmap(self.file, np.uint8, "r", shape=self.shape)

    def _read_record(self) -> dict[str, Any]:
        """Read `cache.json`; return an empty record if there is none for this key."""
        empty = {**self.identity, "crc": {}, "mtime_ns": None}
        try:
            record = read_json(self.record)
            if {name: record[name] for name in self.identity} == self.identity:
                return {**empty, "crc": dict(record["crc"]), "mtime_ns": record["mtime_ns"]}
        except (OSError, ValueError, LookupError, TypeError):
            pass
        return empty

    def _save_record(self, crc: Mapping[str, int], stream: BinaryIO, complete: bool = False) -> None:
        """Write the pixels to disk, then replace the record atomically."""
        stream.flush()
        os.fsync(stream.fileno())
        mtime_ns = os.fstat(stream.fileno()).st_mtime_ns if complete else None
        temporary = self.record.with_suffix(".tmp")
        with temporary.open("w") as out:
            json.dump({**self.identity, "crc": crc, "mtime_ns": mtime_ns}, out)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.record)

    def build(self, produce: Produce, workers: int, progress: bool, label: str) -> None:
        """Produce the chunks that are missing or damaged; the caller must hold the lock."""
        self._drop_other_sources()
        crc = self._intact()
        missing = [chunk for chunk in range(self.chunks) if str(chunk) not in crc]
        done = self.shape[0] - sum(stop - start for start, stop in map(self._bounds, missing))
        saved = time.monotonic()
        fresh = not self.file.exists()
        if fresh:
            self._check_space()
        with writing(self.file):
            stream = self.file.open("w+b" if fresh else "r+b")
        with (
            stream,
            closing(in_threads(self._checked(produce), missing, workers)) as finished,
            counting(label, self.shape[0], done, progress) as advance,
        ):
            try:
                with writing(self.file):
                    stream.truncate(self.nbytes)
                for chunk, pixels in finished:
                    with writing(self.file):
                        stream.seek(chunk * _CHUNK * self.image_bytes)
                        stream.write(pixels)
                        crc[str(chunk)] = zlib.crc32(pixels)
                        if time.monotonic() - saved > _SAVE_EVERY:
                            self._save_record(crc, stream)
                            saved = time.monotonic()
                    advance(len(pixels) // self.image_bytes)
            finally:
                with writing(self.file):
                    self._save_record(crc, stream, complete=len(crc) == self.chunks)

    def _checked(self, produce: Produce) -> Callable[[int], bytes]:
        def chunk_bytes(chunk: int) -> bytes:
            start, stop = self._bounds(chunk)
            pixels = np.asarray(produce(start, stop))
            if pixels.dtype != np.uint8 or pixels.shape != (stop - start, *self.shape[1:]):
                raise TypeError(
                    f"produce({start}, {stop}) gave {pixels.dtype} {pixels.shape}, "
                    f"expected uint8 {(stop - start, *self.shape[1:])}"
                )
            return pixels.tobytes()

        return chunk_bytes

    def _intact(self) -> dict[str, int]:
        """Return the checksums of the recorded chunks whose pixels still match."""
        record = self._read_record()
        if not record["crc"]:
            return {}
        intact = {}
        with suppress(FileNotFoundError), self.file.open("rb") as stream:
            for chunk in range(self.chunks):
                start, stop = self._bounds(chunk)
                pixels = stream.read((stop - start) * self.image_bytes)
                if record["crc"].get(str(chunk)) == zlib.crc32(pixels):
                    intact[str(chunk)] = record["crc"][str(chunk)]
        if damaged := len(record["crc"]) - len(intact):
            _log.warning("image cache %s: %d damaged chunks; producing them again", self.folder, damaged)
        return intact

    def _drop_other_sources(self) -> None:
        others = [path for path in self.folder.glob("pixels-*.u8") if path != self.file]
        if others:
            _log.warning("image cache %s: its source has changed; building it anew", self.folder)
        for path in others:
            with suppress(PermissionError):  # Windows keeps a file that another process has mapped
                path.unlink()

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if self.nbytes > free:
            raise DataError(
                f"image cache {self.folder}: {self.nbytes / 2**20:,.0f} MiB needed, {free / 2**20:,.0f} MiB free "
                "on its disk; the environment variable CAUSALCF_CACHE chooses another place"
            )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError while writing into a DataError that names the path and CAUSALCF_CACHE."""
    try:
        yield
    except TimeoutError:  # a lock that is taken is no failure to write
        raise
    except OSError as error:
        raise DataError(
            f"cannot write the image cache {path}: {error.strerror or error}; the environment variable CAUSALCF_CACHE "
            "chooses another place"
        ) from error


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
    shape: tuple[int, int, int, int],
    produce: Produce,
    *,
    workers: int | None = None,
    progress: bool = True,
    label: str = "images",
) -> np.memmap:
    """Open an image cache as a read-only memory map of the given shape; produce missing images first."""
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
        cache.build(produce, workers or min(available_cores(), MAX_WORKERS), progress, label)
        return cache.map()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system releases it if this process dies."""
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

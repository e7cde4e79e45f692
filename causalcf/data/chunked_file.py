"""One file of uint8 images, produced chunk by chunk, and the record of which chunks are on the disk.

The record `cache.json` holds what the images depend on and a checksum of every finished chunk. A chunk counts only once
its pixels are on the disk and its checksum is in the record, which is replaced atomically. So an interrupted build goes
on where it stopped, and a damaged file is repaired, by one rule: produce the chunks whose checksum is missing or wrong.
"""

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

from ..bounded import read_json
from ..errors import DataError
from ..workers import in_threads
from .progress import counting

Produce = Callable[[int, int], np.ndarray]

_log = logging.getLogger(__name__)
_FORMAT = 1
_CHUNK = 256  # images; small enough that Ctrl-C answers at once and memory stays a few MiB a worker
_SAVE_EVERY = 1.0  # seconds of work that a kill can cost


class ChunkedFile:
    """The image file of one cache folder, as one key and one shape see it.

    Args:
        folder: holds `pixels-<digest of key and shape>.u8`, the images and nothing else, and `cache.json`.
        key: what the images depend on (JSON values).
        shape: (n, channels, height, width).
    """

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
        """The memory map, or None unless the file is complete and untouched since its checksums were taken."""
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
        """The file as a read-only array."""
        return np.memmap(self.file, np.uint8, "r", shape=self.shape)

    def _read_record(self) -> dict[str, Any]:
        """`cache.json`, or an empty record where there is none for this key."""
        empty = {**self.identity, "crc": {}, "mtime_ns": None}
        try:
            record = read_json(self.record)
            if {name: record[name] for name in self.identity} == self.identity:
                return {**empty, "crc": dict(record["crc"]), "mtime_ns": record["mtime_ns"]}
        except (OSError, ValueError, LookupError, TypeError):
            pass
        return empty

    def _save_record(self, crc: Mapping[str, int], stream: BinaryIO, complete: bool = False) -> None:
        """Put the pixels on the disk, then the record that vouches for them."""
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
        """Produce the chunks that are not intact; the caller holds the lock."""
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
        """The recorded chunks whose pixels still have their checksum."""
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
    """Turn a failure to write into the sentence a user needs."""
    try:
        yield
    except TimeoutError:  # a lock that is taken is no failure to write
        raise
    except OSError as error:
        raise DataError(
            f"cannot write the image cache {path}: {error.strerror or error}; the environment variable CAUSALCF_CACHE "
            "chooses another place"
        ) from error

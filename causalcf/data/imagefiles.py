"""Image files of a source: find them, check them against the table, and cache their pixels."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from ..errors import DataError, unknown
from .cache import cache_root, open_cache
from .crops import Crop, read_image
from .images import ImageData
from .tables import SPLITS, AttributeTable

Stamp = tuple[int, int]  # bytes, modification time in ns

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"))
"""Files that count as images when a folder is searched for images the table does not know."""


def scan(folder: Path, recursive: bool = False) -> dict[str, Stamp]:
    """Return {path relative to `folder`: (bytes, modification time in ns)} of all files not hidden."""
    found: dict[str, Stamp] = {}
    pending, seen = [("", folder)], set()
    while pending:
        prefix, place = pending.pop()
        try:
            here = os.stat(place)
            if (here.st_dev, here.st_ino) in seen:  # a link back to a folder above would never end
                continue
            seen.add((here.st_dev, here.st_ino))
            entries = [entry for entry in os.scandir(place) if not entry.name.startswith(".")]
        except OSError as error:
            raise DataError(f"cannot read the folder {place}: {error.strerror}") from error
        for entry in entries:
            if entry.is_dir():
                pending += [(f"{prefix}{entry.name}/", Path(entry.path))] * recursive
            elif entry.is_file():  # no pipe, no dangling link: a table that lists one will be refused
                with suppress(OSError):
                    stat = entry.stat()
                    found[prefix + entry.name] = stat.st_size, stat.st_mtime_ns
    return found


def check_images(table: AttributeTable, folder: Path, found: dict[str, Stamp]) -> None:
    """Check that the table and the folder name the same images."""
    missing = [file for file in table.files if file not in found]
    if missing:
        same = [file for file in found if Path(file).stem.lower() == Path(missing[0]).stem.lower()]
        hint = f"; did it mean {same[0]!r}?" if same else ""
        raise DataError(f"{table.path} lists {some(missing)} not in {folder}{hint}")
    known = set(table.files)
    extra = sorted(f for f in found if Path(f).suffix.lower() in SUFFIXES and f not in known)
    if extra:
        raise DataError(f"{folder} holds {some(extra)} without a row in {table.path}")


def some(files: Sequence[str]) -> str:
    """Return a count and the first three names: "5 images (a.jpg, b.jpg, c.jpg, ...)"."""
    dots = ", ..." if len(files) > 3 else ""
    return f"{len(files):,} image{'s' * (len(files) > 1)} ({', '.join(files[:3])}{dots})"


def load_images(
    name: str,
    folder: Path,
    table: AttributeTable,
    splits: Sequence[str],
    split: str,
    crop: Crop,
    *,
    size: int,
    cache: str | Path | None,
    progress: bool,
    flip: bool,
    recursive: bool,
) -> ImageData:
    """Load the images of one split in table order, decoded once into a cache that all splits share."""
    if size < 1:
        raise DataError(f"{name}: image size {size}; expected at least 1 pixel")
    # Rows are cached split by split, so that each split is a contiguous view of one memory map.
    order = np.argsort([SPLITS.index(s) for s in splits], kind="stable")
    rows = _rows_of(name, [splits[i] for i in order], split)
    found = scan(folder, recursive)
    check_images(table, folder, found)
    files = [table.files[i] for i in order]
    source = str(folder.resolve())
    key = {
        "source": source,
        "images": _digest(f"{file}\0{found[file]}" for file in files),
        "crop": crop.__name__,
        "size": size,
    }

    def produce(start: int, stop: int) -> np.ndarray:
        return np.stack([read_image(folder / file, crop, size) for file in files[start:stop]])

    place = Path(cache).expanduser() if cache is not None else cache_root()
    slot = place / f"{name}-{size}-{_digest([source])[:8]}"
    pixels = open_cache(slot, key, (len(files), 3, size, size), produce, progress=progress, label=f"{name}: images")
    labels = table.values[order][rows]
    identity = [json.dumps([key["images"], crop.__name__, size, split, table.names]), labels.tobytes().hex()]
    return ImageData(name, table.names, torch.from_numpy(labels), pixels[rows], _digest(identity)[:16], flip)


def _rows_of(name: str, splits: Sequence[str], split: str) -> slice:
    """Return the rows of a split among rows sorted by split."""
    if split == "all":
        return slice(0, len(splits))
    if split not in SPLITS:
        raise DataError(f"{name}: " + unknown("split", split, [*SPLITS, "all"]))
    counts = {s: splits.count(s) for s in SPLITS}
    if not counts[split]:
        held = ", ".join(f"{s} {n:,}" for s, n in counts.items())
        raise DataError(f"{name}: no images in the split {split!r}; it holds {held}")
    start = splits.index(split)
    return slice(start, start + counts[split])


def _digest(parts: Iterable[str]) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.encode() + b"\n")
    return hashed.hexdigest()

"""Image files of a source: found, checked against the table, decoded, cropped, resized by area, and cached."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import posixpath
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.sparse import csr_array

from ..checks import check
from ..errors import DataError, unknown
from ..io.text import plain
from .cache import cache_root, open_cache
from .images import ImageData
from .tables import SPLITS, SUFFIXES, AttributeTable

Crop = Callable[["Image.Image"], np.ndarray]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""What is decoded: each further format that Pillow knows, one of which runs another program, is a further way in."""
MAX_PIXELS = 2**26  # 8,192 x 8,192, more than cameras take; several are decoded at a time, the largest at 1 GB each

ALIGNED = (178, 218)  # width, height of CelebA's aligned images
_SLAB = 1 << 20  # values turned into float32 at a time, so that a huge photograph costs no huge array
_MOST_BROKEN = 1000  # images that cannot be read, after which the others are not tried

_warn_once = functools.cache(logging.getLogger(__name__).warning)  # not again for each split
Stamp = tuple[int, int]  # bytes, modification time in ns


def upright(image: Image.Image) -> Image.Image:
    """Return an image of 8 bits a channel as RGB; apply EXIF rotation, put transparency on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        raise DataError(f"pixels of type {image.mode!r}; expected 8 bits a channel")
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "RGB" else image.convert("RGB")  # a copy takes 270 MB of the largest images


def celeba_crop(image: Image.Image, side: int = 108) -> np.ndarray:
    """Return the central (side, side) pixels of an aligned 178x218 image."""
    if image.size != ALIGNED:
        raise DataError(f"{image.width}x{image.height} pixels; expected CelebA's aligned and cropped images of 178x218")
    left, top = ((whole - side) // 2 for whole in ALIGNED)
    return np.asarray(image)[top : top + side, left : left + side]


def square_crop(image: Image.Image) -> np.ndarray:
    """Return the largest central square, (s, s, 3) uint8."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return np.asarray(image)[top : top + side, left : left + side]


def area_resize(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize (h, w, c) to (size, size, c) uint8; each new pixel is the mean of the exact area it covers."""
    height, width, channels = pixels.shape
    rows = _area_means(pixels.reshape(height, -1), size).reshape(size, width, channels)
    means = _area_means(rows.transpose(1, 0, 2).reshape(width, -1), size).reshape(size, size, channels)
    return (means.transpose(1, 0, 2) + np.float32(0.5)).astype(np.uint8)


def _area_means(rows: np.ndarray, size: int) -> np.ndarray:
    """Return the (size, m) float32 area means of (n, m) rows; a sparse product avoids BLAS threads."""
    shares = _shares(len(rows), size)
    step = max(1, _SLAB // len(rows))
    slabs = [shares @ rows[:, at : at + step].astype(np.float32) for at in range(0, rows.shape[1], step)]
    return np.concatenate(slabs, axis=1)


@functools.lru_cache(maxsize=64)
def _shares(source: int, target: int) -> csr_array:
    """Return the (target, source) share of each source pixel in each target pixel; rows sum to 1."""
    edges = np.arange(target + 1) * (source / target)
    left = np.arange(source)
    covered = np.minimum(edges[1:, None], left + 1) - np.maximum(edges[:-1, None], left)
    return csr_array((np.maximum(covered, 0) * (target / source)).astype(np.float32))


@functools.cache
def _formats() -> tuple[str, ...]:
    """Return the names in `FORMATS` that this Pillow build can open."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def read_image(path: str | Path, crop: Crop, size: int) -> np.ndarray:
    """Decode one image file of at most 2^26 pixels, crop it and resize it to (3, size, size) uint8."""
    try:
        if Path(path).exists() and not Path(path).is_file():  # to open a pipe would wait for its writer
            raise DataError("it is not a regular file")
        with Image.open(path, formats=_formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"{image.width} x {image.height} pixels; at most {MAX_PIXELS:,} are decoded")
            pixels = crop(upright(image))
    except DataError as error:
        raise DataError(f"image {path}: {error}") from error
    except Image.DecompressionBombError:
        raise DataError(f"image {path}: more than {MAX_PIXELS:,} pixels, the most that are decoded") from None
    except UnidentifiedImageError:
        raise DataError(f"cannot decode the image {path}: none of {', '.join(_formats())}") from None
    except Exception as error:  # Pillow's decoders raise half a dozen unrelated types on broken files
        raise DataError(f"cannot decode the image {path}: {error}") from error
    return area_resize(pixels, size).transpose(2, 0, 1)


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
            with suppress(OSError):  # a link to itself
                if entry.is_dir():
                    pending += [(f"{prefix}{entry.name}/", Path(entry.path))] * recursive
                elif entry.is_file():  # no pipe, no dangling link: a table that lists one will be refused
                    stat = entry.stat()
                    found[prefix + entry.name] = stat.st_size, stat.st_mtime_ns
    return found


def match_images(
    table: AttributeTable, folder: Path, found: Iterable[str], any_suffix: bool, skip_missing: bool
) -> dict[str, str]:
    """Return {name in the table: file}, of that name or else spelled alike; check that there are no others."""
    named, here = set(table.files), set(found)
    alike: dict[str, list[str]] = {}  # files that no row names exactly
    for file in sorted(here - named):
        alike.setdefault(_spelling(file, any_suffix), []).append(file)
    of: dict[str, str] = {}
    for name in table.files:
        files = [name] if name in here else alike.pop(_spelling(name, any_suffix), [])
        if len(files) > 1:
            raise DataError(f"{table.path}: {name!a} may be {' or '.join(map(ascii, files))}; rename or remove one")
        of.update((name, file) for file in files)
    missing, wrong = [name for name in table.files if name not in of], []
    if missing and skip_missing and of:
        left_out = f"left out: {some(missing)} of {table.path} that are not there"
        _warn_once(plain(f"{folder}: {len(of):,} of {len(table.files):,} images loaded; {left_out}"))
    elif missing:
        same = [file for file in here if Path(file).stem.lower() == Path(missing[0]).stem.lower()]
        hint = f"; did it mean {same[0]!r}?" if same else ""
        way = f" (--skip-missing true of train and classify, skip_missing=True in Python, uses the other {len(of):,})"
        wrong.append(f"{table.path} lists {some(missing)} not in {folder}{hint}{way if of else ''}")
    extra = sorted(file for files in alike.values() for file in files if Path(file).suffix.lower() in SUFFIXES)
    if extra:
        twins = [name for name in of if _spelling(name, any_suffix) == _spelling(extra[0], any_suffix)]
        hint = f"; {extra[0]!a} is spelled like {twins[0]!a}" if twins else ""
        wrong.append(f"{folder} holds {some(extra)} without a row in {table.path}{hint}")
    if wrong:
        raise DataError("; ".join(wrong))
    return of


def _spelling(file: str, any_suffix: bool) -> str:
    """Return what is the same however accents, folders and the suffix are written."""
    path = posixpath.normpath(unicodedata.normalize("NFC", file).strip().replace("\\", "/"))
    stem, suffix = posixpath.splitext(path)
    return stem if any_suffix and suffix.lower() in SUFFIXES else stem + suffix.lower()


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
    recursive: bool = False,
    any_suffix: bool = False,
    skip_missing: bool = False,
    variant: str = "",
) -> ImageData:
    """Load the images of one split in table order, decoded once into a cache that all splits share.
    `variant` tells a crop from the source's usual one, in the names of cache and data.
    """
    if size < 1:
        raise DataError(f"{name}: image size {size}; expected at least 1 pixel")
    check(isinstance(skip_missing, bool), "skip_missing", skip_missing, "true or false", DataError)
    found = scan(folder, recursive)
    of = match_images(table, folder, found, any_suffix, skip_missing)
    # Rows are cached split by split, so that each split is a contiguous view of one memory map.
    kept = [i for i, file in enumerate(table.files) if file in of]
    order = sorted(kept, key=lambda i: SPLITS.index(splits[i]))
    rows = _rows_of(name, [splits[i] for i in order], split)
    files = [table.files[i] for i in order]
    source, images = str(folder.resolve()), _digest(f"{file}\0{found[of[file]]}" for file in files)
    cropped = crop.__name__ + variant
    key = {"source": source, "images": images, "crop": cropped, "size": size}
    if name == "celeba":
        key["decoder"] = 2  # the first one made 16 bits white and transparency black
    broken: dict[str, str] = {}

    def produce(start: int, stop: int) -> np.ndarray:
        pixels = np.zeros((stop - start, 3, size, size), np.uint8)
        for row, file in enumerate(files[start:stop]):
            try:
                pixels[row] = read_image(folder / of[file], crop, size)
            except DataError as error:
                broken[file] = str(error)
        if len(broken) >= _MOST_BROKEN:
            refuse_broken()
        return pixels

    def refuse_broken() -> None:
        if named := [file for file in table.files if file in broken]:
            least = "at least" if len(named) >= _MOST_BROKEN else "in all"
            others = f"; {least} {some(named)} of {len(files):,} cannot be read"
            raise DataError(broken[named[0]] + others * (len(named) > 1))

    place = Path(cache) if cache is not None else cache_root()
    slot = place / f"{name}{variant}-{size}-{_digest([source])[:8]}"
    shape = (len(files), 3, size, size)
    pixels = open_cache(slot, key, shape, produce, refuse_broken, progress=progress, label=f"{name}: images")
    labels, kept_pixels = table.values[order][rows], pixels[rows]
    # The contents, and neither place nor time: data that were copied are the same data.
    identity = hashlib.sha256(json.dumps([cropped, size, split, table.names, files[rows]]).encode())
    identity.update(labels.tobytes())
    identity.update(kept_pixels.data)
    return ImageData(name, table.names, torch.from_numpy(labels), kept_pixels, identity.hexdigest()[:16], flip)


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

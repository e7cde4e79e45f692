"""A plain folder of images with a CSV of 0/1 columns."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import DataError
from .imagefiles import load_images, square_crop
from .images import ImageData
from .tables import AttributeTable, read_attributes

_TRAIN_SHARE = 0.9


def load_folder(
    root: str | Path,
    split: str = "train",
    size: int = 64,
    cache: str | Path | None = None,
    progress: bool = True,
    flip: bool = True,
    skip_missing: bool = False,
) -> ImageData:
    """Load a folder of images in any common format, labelled by one CSV in it.

    The CSV is `labels.csv`, or the only `*.csv` there. Its first column is the file name relative to the folder
    (sub-folders with slashes). A column `split` or `partition` holds train, valid and test, or 0, 1 and 2;
    every other column is an attribute of 0/1 (or -1/1). Without such a column, a hash of the file name sends 90 % to
    train and the rest to valid, so that adding images moves none. Each image gives its largest central square,
    area-resized.

    Args:
        root: the folder.
        split: "train", "valid", "test" or "all".
        size: side of the images in pixels.
        cache: folder of all caches; None for $CAUSALCF_CACHE, else the user's cache folder.
        progress: show a progress bar while the cache is built.
        flip: whether a mirrored image keeps its labels ("looks left" would not).
        skip_missing: leave out the rows whose images are not there, with a warning of how many.

    Returns:
        The images of the split, in the order of the CSV.

    Raises:
        DataError: no folder or CSV, a malformed CSV (names the line), images that do not match it, broken images
            (names them), an empty or unknown split.

    Source: defined here.

    Examples:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (90, 80), "red").save(root / "a.png")
        >>> _ = (root / "labels.csv").write_text("file,Red,split\\na.png,1,train\\n")
        >>> data = load_folder(root, cache=root / "cache", progress=False)
        >>> data.names, data.labels.tolist(), data.pixels.shape
        (('Red',), [[1]], (1, 3, 64, 64))
    """
    root, table = Path(root).expanduser(), folder_table(root)
    splits = table.splits or [_hashed_split(file) for file in table.files]
    return load_images(
        "folder", root, table, splits, split, square_crop,
        size=size, cache=cache, progress=progress, flip=flip, recursive=True, skip_missing=skip_missing,
    )  # fmt: skip


def folder_table(root: str | Path) -> AttributeTable:
    """The attributes of a folder of images, from its CSV.

    Raises:
        DataError: no folder, no CSV, or a malformed one.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"no folder {root}; expected a folder of images with a CSV of 0/1 columns")
    return read_attributes(_find_csv(root))


def _find_csv(root: Path) -> Path:
    if (root / "labels.csv").is_file():
        return root / "labels.csv"
    found = sorted(path for path in root.iterdir() if path.suffix.lower() == ".csv" and path.name[0] != ".")
    if len(found) == 1:
        return found[0]
    held = ", ".join(path.name for path in found) or "none"
    raise DataError(f"{root}: expected labels.csv or exactly one other CSV, found {held}")


def _hashed_split(file: str) -> str:
    number = int.from_bytes(hashlib.sha256(file.encode()).digest()[:8], "big")
    return "train" if number < _TRAIN_SHARE * 2**64 else "valid"

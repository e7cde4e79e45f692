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
    """Load a folder of images in any common format, labelled by one CSV in it: `load_data`, docs/data.md."""
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

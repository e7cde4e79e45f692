"""CelebA: 202,599 aligned photographs of faces with 40 attributes (Liu, Luo, Wang, Tang 2015).
The user supplies the files.
"""

from __future__ import annotations

from functools import partial, update_wrapper
from pathlib import Path

from ..checks import check
from ..errors import DataError
from . import CELEBA_CROP
from .imagefiles import celeba_crop, load_images, some
from .images import ImageData
from .tables import AttributeTable, read_attributes, read_partition

# The official release has Img/, Anno/ and Eval/; Kaggle's copy nests the image folder in itself and has CSV tables.
_IMAGES = tuple(
    f"{place}{folder}"
    for release in ("img_align_celeba", "img_align_celeba_png")
    for place in ("", "Img/")
    for folder in (f"{release}/{release}", release)
)
_ATTRIBUTES = ("list_attr_celeba.txt", "list_attr_celeba.csv", "Anno/list_attr_celeba.txt")
_PARTITION = ("list_eval_partition.txt", "list_eval_partition.csv", "Eval/list_eval_partition.txt")

HOW_TO_GET_IT = (
    "CelebA is published at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and, with its tables as CSV, at "
    "https://www.kaggle.com/datasets/jessicali9530/celeba-dataset. Its terms allow non-commercial research only and no "
    "redistribution, so it cannot be downloaded for you: accept them there, unpack img_align_celeba.zip beside "
    "list_attr_celeba and list_eval_partition (.txt or .csv), and say where with --data celeba --data-root PATH"
)


def load_celeba(
    root: str | Path,
    split: str = "train",
    size: int = 64,
    cache: str | Path | None = None,
    progress: bool = True,
    skip_missing: bool = False,
    crop: int = CELEBA_CROP,
) -> ImageData:
    """Load CelebA, the official releases, Kaggle's copy or any part of them: `load_data`, docs/data.md."""
    check(type(crop) is int and 64 <= crop <= 178, "crop", crop, "a whole number of pixels in [64, 178]", DataError)
    table, splits = celeba_tables(root)
    folder = celeba_images(root)
    cut = update_wrapper(partial(celeba_crop, side=crop), celeba_crop)
    return load_images(
        "celeba", folder, table, splits, split, cut,
        size=size, cache=cache, progress=progress, flip=True, any_suffix=True, skip_missing=skip_missing,
        variant="" if crop == CELEBA_CROP else f"-{crop}",
    )  # fmt: skip


def celeba_images(root: str | Path) -> Path:
    """The folder of the aligned images; raises a `DataError` where there is none."""
    wild = [place for place in ("img_celeba", "Img/img_celeba") if (Path(root).expanduser() / place).is_dir()]
    instead = "".join(f" ({place} holds those in the wild, which are not read)" for place in wild)
    return _find(root, _IMAGES, f"the folder of aligned images{instead}")


def celeba_tables(root: str | Path) -> tuple[AttributeTable, list[str]]:
    """Read CelebA's attribute table and the split of each row; no image is opened."""
    table = read_attributes(_find(root, _ATTRIBUTES, "the attribute table"))
    own = table.splits  # of a table that was merged with the partition
    if own is not None and not any((Path(root).expanduser() / place).exists() for place in _PARTITION):
        return table, list(own)
    path = _find(root, _PARTITION, "the official partition into train, valid and test")
    splits = _splits(table, path)
    for file, said, split in zip(table.files, own or splits, splits, strict=True):
        if said != split:
            raise DataError(f"{table.path} puts {file} into {said}, {path} into {split}; remove one of the two")
    return table, splits


def _find(folder: str | Path, places: tuple[str, ...], what: str) -> Path:
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"no folder {root}. {HOW_TO_GET_IT}")
    for place in places:
        if (root / place).exists():
            return root / place
    raise DataError(f"{root} lacks {what}; looked for {', '.join(places)}. {HOW_TO_GET_IT}")


def _splits(table: AttributeTable, path: Path) -> list[str]:
    """Return the split of every row; check that both tables list the same images."""
    partition = read_partition(path)
    unplaced = [file for file in table.files if file.strip() not in partition]
    if unplaced:
        raise DataError(f"{path} has no row for {some(unplaced)} of {table.path}")
    if len(partition) > len(table.files):
        known = {file.strip() for file in table.files}
        raise DataError(f"{table.path} has no row for {some([f for f in partition if f not in known])} of {path}")
    return [partition[file.strip()] for file in table.files]

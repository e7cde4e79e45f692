"""Small synthetic data sets on the disk, and an area average computed another way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("Bald", "Male", "Young")
PARTITION = (0, 0, 1, 0, 2, 0, 1, 0, 0, 0)  # not sorted: splits must be gathered
LABELS = np.array([[row >> column & 1 for column in range(3)] for row in range(len(PARTITION))], np.int8)
FILES = tuple(f"{number:06d}.jpg" for number in range(1, len(PARTITION) + 1))


def area_oracle(pixels: np.ndarray, size: int) -> np.ndarray:
    """Exact float64 area means: repeat every pixel `size` times, then average `side` at a time, axis by axis."""
    means = pixels.astype(np.float64)
    for axis in (0, 1):
        rows = np.moveaxis(means, axis, 0)
        blocks = rows.repeat(size, axis=0).reshape(size, len(rows), *rows.shape[1:])
        means = np.moveaxis(blocks.mean(axis=1), 0, axis)
    return means


def write_jpegs(folder: Path, seed: int = 0) -> None:
    """One smooth random 178x218 image per file."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for file in FILES:
        coarse = Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8))
        coarse.resize((178, 218), Image.Resampling.BICUBIC).save(folder / file, quality=90)


def attribute_text() -> str:
    rows = [f"{file} {' '.join(f'{2 * v - 1:2d}' for v in row)}" for file, row in zip(FILES, LABELS, strict=True)]
    return "\n".join([str(len(FILES)), " ".join(NAMES) + " ", *rows, ""])


def attribute_csv() -> str:
    rows = [f"{file},{','.join(str(2 * v - 1) for v in row)}" for file, row in zip(FILES, LABELS, strict=True)]
    return "\n".join([",".join(["image_id", *NAMES]), *rows, ""])


def partition_text() -> str:
    return "".join(f"{file} {part}\n" for file, part in zip(FILES, PARTITION, strict=True))


def partition_csv() -> str:
    return "image_id,partition\n" + partition_text().replace(" ", ",")


def write_celeba(root: Path, layout: str = "plain") -> Path:
    """A CelebA of ten synthetic images, laid out as one of its publishers does; returns the folder of images."""
    images, attributes, partition = {
        "plain": ("img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"),
        "kaggle": ("img_align_celeba/img_align_celeba", "list_attr_celeba.csv", "list_eval_partition.csv"),
        "official": ("Img/img_align_celeba", "Anno/list_attr_celeba.txt", "Eval/list_eval_partition.txt"),
    }[layout]
    write_jpegs(root / images)
    is_csv = attributes.endswith(".csv")
    for place, text in (
        (attributes, attribute_csv() if is_csv else attribute_text()),
        (partition, partition_csv() if is_csv else partition_text()),
    ):
        (root / place).parent.mkdir(exist_ok=True)
        (root / place).write_text(text)
    return root / images

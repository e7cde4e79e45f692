"""Does the data ever limit training?

    python benchmarks/input.py --data-root PATH [--images 202599]     # a folder of CelebA; PATH/img_align_celeba/*.jpg
    python benchmarks/input.py                                        # JPEGs of rendered faces instead

In one run: JPEGs decoded, cropped, resized and scaled with torchvision, image by image, as the usual data loader does
on one core, against batches gathered from the memory-mapped cache; the share of a training step that is spent waiting
for its batch; and a cache of as many images as CelebA has, built from these files over and over: images/s beside
decoding alone on as many threads, and the memory it takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.data import load_data
from causalcf.data.cache import open_cache
from causalcf.data.faces.units import celeba_scm
from causalcf.data.imagefiles import celeba_crop, read_image
from causalcf.io.threads import available_cores, in_threads
from causalcf.networks.precision import choose_device, choose_precision
from causalcf.runs.directory import networks_of
from causalcf.runs.recipe import Recipe
from causalcf.training.batches import Batches, LabelledDraw
from causalcf.training.step import TrainingStep

FILES = 2048  # decoded for the rates
ALL_OF_CELEBA = 202_599


def main() -> None:
    parser = argparse.ArgumentParser(description="Is the data ever waited for?")
    parser.add_argument("--data-root", type=Path, help="a folder of CelebA")
    parser.add_argument("--images", type=int, default=ALL_OF_CELEBA, help="in the cache that is built")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    table = Table("what", "figure")
    with tempfile.TemporaryDirectory() as folder:
        files = _jpegs(options.data_root, Path(folder))
        _rates(table, files, options.batch)
        _waiting(table, options.width, options.batch)
        _building(table, files, options.images, Path(folder) / "cache")
    Console(width=110).print(table)


def _jpegs(root: Path | None, folder: Path) -> list[Path]:
    if root is not None:
        return list(islice(sorted((root / "img_align_celeba").glob("*.jpg")), 14_000))
    data = load_data("faces", n=FILES)
    files = [folder / f"{row}.jpg" for row in range(FILES)]
    for row, file in enumerate(files):
        picture = Image.fromarray(data.pixels[row].transpose(1, 2, 0)).resize((178, 218), Image.Resampling.BICUBIC)
        picture.save(file, quality=95)
    return files


def _rates(table: Table, files: list[Path], batch: int) -> None:
    """One core's images/s, decoded and gathered."""
    from torchvision import transforms

    steps = [transforms.CenterCrop(108), transforms.Resize(64), transforms.ToTensor()]
    usual = transforms.Compose([*steps, transforms.Normalize([0.5] * 3, [0.5] * 3)])
    some = files[:FILES]
    torch.set_num_threads(1)
    decoded = len(some) / _seconds(lambda: [usual(Image.open(file).convert("RGB")) for file in some])
    batches, draw = _batches(batch), torch.Generator().manual_seed(0)
    gathered = 100 * batch / _seconds(lambda: [batches.pixels[torch.randint(20_000, (batch,))] for _ in range(100)])
    whole = 100 * batch / _seconds(lambda: [batches(batch, draw) for _ in range(100)])
    table.add_row("JPEGs by torchvision, one core", f"{decoded:,.0f} images/s")
    table.add_row("gathered from the cache, one core", f"{gathered:,.0f} images/s, {gathered / decoded:.0f} times")
    text = f"{whole:,.0f} images/s, {whole / decoded:.0f} times"
    table.add_row("whole batches: drawn, gathered, scaled, flipped, with labels and noise", text)
    torch.set_num_threads(available_cores())


def _waiting(table: Table, width: int, batch: int) -> None:
    """The share of a step's time that its batch takes."""
    device = choose_device("auto")
    precision = choose_precision("auto", device)
    recipe = replace(Recipe(), width=width, labeler_width=width, batch=batch)
    networks = networks_of(recipe, 9).to(device).to(memory_format=torch.channels_last)
    update, batches, draw = TrainingStep(networks, recipe, device, precision), _batches(batch), torch.Generator()
    waited, took = [], []
    for step in range(12):
        start = time.perf_counter()
        found = batches(batch, draw)
        middle = time.perf_counter()
        update(found, step, draw)["real"].item()
        waited.append(middle - start)
        took.append(time.perf_counter() - start)
    share = sum(waited[2:]) / sum(took[2:])
    name = f"of a causalgan step, width {width}, batch {batch}, {device.type}, {precision}"
    table.add_row(f"{name}: waiting for the batch", f"{share:.2%} of {statistics.median(took[2:]) * 1000:.0f} ms")


def _building(table: Table, files: list[Path], n: int, cache: Path) -> None:
    cores = available_cores()
    some = (files * (-(-FILES // len(files))))[:FILES]
    decode = _seconds(lambda: list(in_threads(lambda file: np.asarray(Image.open(file).convert("RGB")), some, cores)))
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # which has held no memory for anything else
        seconds, memory = fresh.submit(build, files, n, cache).result()
    built, alone = n / seconds, FILES / decode
    table.add_row(f"JPEGs decoded alone, {cores} threads", f"{alone:,.0f} images/s")
    table.add_row(f"a cache of {n:,} images, {cores} threads", f"{built:,.0f} images/s, {built / alone:.2f} of that")
    table.add_row("memory that building it adds at most", f"{memory / 2**20:,.0f} MiB")


def build(files: list[Path], n: int, cache: Path) -> tuple[float, int]:
    """Builds a cache of n images; gives the seconds it took and the bytes of memory it added."""

    def produce(start: int, stop: int) -> np.ndarray:
        return np.stack([read_image(files[row % len(files)], celeba_crop, 64) for row in range(start, stop)])

    before = _peak()
    start = time.perf_counter()
    open_cache(cache, {"n": n}, (n, 3, 64, 64), produce, progress=False)
    return time.perf_counter() - start, _peak() - before


def _batches(batch: int) -> Batches:
    law = celeba_scm()
    data = load_data("faces", n=20_000)
    labels = data.select(law.graph.nodes)
    return Batches(data, labels, LabelledDraw(labels, law, 0.7), 100, choose_device("auto"))


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The median; files and caches are warm from the second on."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _peak() -> int:
    """The most memory this process has held, in bytes; getrusage would also count its parent's, on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)


if __name__ == "__main__":
    sys.exit(run(main))

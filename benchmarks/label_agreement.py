"""How well a run's images show their labels, read by a separate classifier trained on the run's data.

    python benchmarks/label_agreement.py [--run runs/latest] [-n 2000] [--reader-images 120000]

Prints the reader's own accuracy on held-out images first: it is the ceiling. Then, per label, agreement with the labels
drawn from the label generator, and one-flip effectiveness on label combinations that occur in the data; with 95 %
intervals. The reader's weights are kept beside the image cache, so that several runs are read by the same one.

For `faces` the reader learns from faces rendered with every combination of labels equally often: one that only ever
saw the natural law takes a moustache for proof of a man, and would misread a counterfactual. Real images come as they
are.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from causalcf.command import run as run_command
from causalcf.data import load_data
from causalcf.data.cache import cache_root
from causalcf.data.images import ImageData
from causalcf.data.progress import counting
from causalcf.errors import RunError
from causalcf.evaluation.effectiveness import Rate, agreement, one_flip_effectiveness
from causalcf.evaluation.reader import read, train_reader
from causalcf.networks.residual import ResidualReader
from causalcf.pictures import to_bytes, to_unit_interval
from causalcf.worlds.run import load_run

HELD_OUT = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a run's images with a separate classifier.")
    parser.add_argument("--run", default="runs/latest")
    parser.add_argument("-n", type=int, default=2000, help="worlds to sample")
    parser.add_argument("--reader-images", type=int, default=120_000, help="length of the reader's training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    run = load_run(options.run)
    names = run.graph.nodes
    if run.labels is None:
        raise RunError(f"{run.folder.name} is a dcgan run: it draws no labels that its images could agree with")
    size = {"n": run.recipe.data_size} if run.recipe.data == "faces" else {}
    data = load_data(run.recipe.data, run.recipe.data_root, **size)
    held_out = load_data(run.recipe.data, run.recipe.data_root, split="valid")
    material = every_combination(names) if data.name == "faces" else data
    reader = partial(read, reader_for(material, names, options.reader_images))

    some = torch.arange(min(HELD_OUT, len(held_out)))
    ceiling = agreement(names, held_out.select(names)[some], reader(to_unit_interval(held_out.batch(some))))
    worlds = run.sample(options.n, generator=torch.Generator().manual_seed(options.seed))
    drawn = agreement(names, worlds.labels, reader(worlds.images))
    cells = torch.unique(data.select(names), dim=0)
    flips = one_flip_effectiveness(run.generate, reader, names, worlds.noise, worlds.labels, cells)
    show(run.folder.name, {"reader on held-out images": ceiling, "agreement": drawn, "one-flip effectiveness": flips})


def every_combination(names: tuple[str, ...], n: int = 20_000) -> ImageData:
    """Faces with each label drawn by a coin."""
    from causalcf.data.faces import LABELS, NOISE, RENDERER_VERSION, render

    draw = torch.Generator().manual_seed(12345)
    labels = torch.randint(0, 2, (n, len(LABELS)), generator=draw, dtype=torch.int8)
    noise = torch.rand(n, len(NOISE), generator=draw)
    parts = zip(labels.split(200), noise.split(200), strict=True)
    pixels = np.concatenate([to_bytes(render(rows, z)).transpose(0, 3, 1, 2) for rows, z in parts])
    return ImageData("faces, labels by coin", LABELS, labels, pixels, f"coin-{n}-{RENDERER_VERSION}")


def reader_for(data: ImageData, names: tuple[str, ...], images: int) -> ResidualReader:
    """The reader of these attributes, trained on these images once."""
    key = hashlib.sha256(repr((data.fingerprint, names, images)).encode()).hexdigest()[:16]
    path: Path = cache_root() / f"reader-{key}.pt"
    if path.is_file():
        reader = ResidualReader(len(names))
        reader.load_state_dict(torch.load(path, weights_only=True))
        return reader.eval().requires_grad_(False)
    with counting("training the reader", images) as advance:
        reader = train_reader(data, names, images, on_step=advance)
    temporary = path.with_suffix(".tmp")
    torch.save(reader.state_dict(), temporary)
    temporary.replace(path)
    return reader


def show(title: str, columns: dict[str, dict[str, Rate]]) -> None:
    table = Table("label", *columns, title=title)
    for name in next(iter(columns.values())):
        table.add_row(name, *(str(rates[name]) for rates in columns.values()))
    means = []
    for rates in columns.values():
        values = [rate.value for rate in rates.values() if rate.n]
        means.append(f"mean {sum(values) / len(values):.3f}, least {min(values):.3f}")
    table.add_row("all", *means)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))

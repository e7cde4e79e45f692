"""How well a run's images show their labels, read by a separate classifier trained on the run's data.

    python benchmarks/label_agreement.py [--run runs/latest] [-n 2000] [--reader-images 120000 | --reader FOLDER]

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
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from causalcf.classifiers.classifier import AttributeClassifier
from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.classifiers.splits import whole
from causalcf.classifiers.storage import load_classifier, save_classifier
from causalcf.classifiers.training import train_classifier
from causalcf.cli.command import run as run_command
from causalcf.data import load_data
from causalcf.data.cache import cache_root
from causalcf.data.faces.dataset import load_uniform_faces
from causalcf.data.images import ImageData, to_unit_interval
from causalcf.errors import RunError
from causalcf.io.progress import counting
from causalcf.networks.precision import choose_device, choose_precision
from causalcf.runs.loading import load_run
from causalcf.statistics.rates import Rate
from causalcf.training.experiment import training_data

HELD_OUT = 4000


Generate = Callable[[Tensor, Tensor], Tensor]


Read = Callable[[Tensor], Tensor]


def agreement(names: Sequence[str], asked: Tensor, seen: Tensor) -> dict[str, Rate]:
    """Return, per label, how often the label read equals the label generated from, of (n, d) 0/1 arrays."""
    hits = (asked == seen).sum(0).tolist()
    return {name: Rate(int(hit), len(asked)) for name, hit in zip(names, hits, strict=True)}


def one_flips(labels: Tensor, column: int, seen_in_data: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows whose labels with one label flipped occur in the data, and the flipped labels."""
    flipped = labels.clone()
    flipped[:, column] = 1 - flipped[:, column]
    occurs = {tuple(cell) for cell in seen_in_data.tolist()}
    rows = torch.tensor([i for i, cell in enumerate(flipped.tolist()) if tuple(cell) in occurs], dtype=torch.long)
    return rows, flipped[rows]


def one_flip_effectiveness(
    generate: Generate, read: Read, names: Sequence[str], noise: Tensor, labels: Tensor, seen_in_data: Tensor
) -> dict[str, Rate]:
    """Return, per label, how often flipping it alone shows; only combinations that occur in the data."""
    rates = {}
    for column, name in enumerate(names):
        rows, flipped = one_flips(labels, column, seen_in_data)
        if len(rows) == 0:
            rates[name] = Rate(0, 0)
            continue
        seen = read(generate(noise[rows], flipped))
        rates[name] = Rate(int((seen[:, column] == flipped[:, column]).sum()), len(rows))
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a run's images with a separate classifier.")
    parser.add_argument("--run", default="runs/latest")
    parser.add_argument("-n", type=int, default=2000, help="worlds to sample")
    parser.add_argument("--reader-images", type=int, default=120_000, help="length of the reader's training")
    parser.add_argument("--reader", help="a trained classifier or judge to read with, instead of training one")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    run = load_run(options.run)
    names = run.graph.nodes
    if run.labels is None:
        raise RunError(f"{run.folder.name} is a dcgan run: it draws no labels that its images could agree with")
    data = training_data(run.recipe, run.graph)
    part = {} if run.recipe.data == "faces" else {"skip_missing": run.recipe.skip_missing}
    held_out = load_data(run.recipe.data, run.recipe.data_root, split="valid", **part)
    if options.reader:
        reader = load_classifier(options.reader).select(names).labels
    else:
        material = load_uniform_faces() if data.name == "faces" else data
        reader = reader_for(material, names, options.reader_images).labels

    some = torch.arange(min(HELD_OUT, len(held_out)))
    ceiling = agreement(names, held_out.select(names)[some], reader(to_unit_interval(held_out.batch(some))))
    worlds = run.sample(options.n, generator=torch.Generator().manual_seed(options.seed))
    drawn = agreement(names, worlds.labels, reader(worlds.images))
    cells = torch.unique(data.select(names), dim=0)
    flips = one_flip_effectiveness(run.generate, reader, names, worlds.noise, worlds.labels, cells)
    show(run.folder.name, {"reader on held-out images": ceiling, "agreement": drawn, "one-flip effectiveness": flips})


def reader_for(data: ImageData, names: tuple[str, ...], images: int) -> AttributeClassifier:
    """The classifier of these attributes, trained on these images once."""
    recipe = ClassifierRecipe(role="judge", images=images).resolved()
    key = hashlib.sha256(repr((data.fingerprint, names, recipe)).encode()).hexdigest()[:16]
    path: Path = cache_root() / f"classifier-{key}.pt"
    if path.is_file():
        return load_classifier(path)
    device = choose_device("auto")
    draw = torch.Generator().manual_seed(recipe.seed)
    held_out, train = whole(data, data.name).split(len(data) // 12, "held out", data.name, draw)
    with counting("training the reader", images) as advance:
        reader = train_classifier(
            recipe, train, held_out, names, device, choose_precision("auto", device), on_step=advance
        )
    save_classifier(path, reader)
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

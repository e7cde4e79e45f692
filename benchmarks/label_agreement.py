"""How well a run's images show their labels, read by a separate classifier trained on the run's data.

    python benchmarks/label_agreement.py [--run runs/latest] [-n 2000] [--reader-images 120000 | --reader FOLDER]
                                          [--base-rates]

Prints the reader's own accuracy on held-out images first: it is the ceiling. Then, per label, agreement with the labels
drawn from the label generator, and one-flip effectiveness on label combinations that occur in the data; with 95 %
intervals. "real images, same labels" is the ceiling of one-flip effectiveness: how often the reader sees the flipped
value in held-out images of the flipped combinations, each weighted as in the flips, as far as there are any. The
reader's weights are kept beside the image cache, so that several runs are read by the same one.

For `faces` the reader learns from faces rendered with every combination of labels equally often: one that only ever
saw the natural law takes a moustache for proof of a man, and would misread a counterfactual. Real images come as they
are.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
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
from causalcf.data import load_source
from causalcf.data.cache import cache_root
from causalcf.data.faces.dataset import load_uniform_faces
from causalcf.data.images import ImageData, to_unit_interval
from causalcf.errors import RunError
from causalcf.evaluation.associations import resamples
from causalcf.io.progress import counting
from causalcf.networks.precision import choose_device, choose_precision
from causalcf.randomness import generator_of
from causalcf.runs.loading import load_run
from causalcf.statistics.rates import Estimate, Rate
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


def effectiveness_of_real(
    names: Sequence[str], labels: Tensor, seen_in_data: Tensor, real: Tensor, read: Tensor, draw: torch.Generator
) -> dict[str, Estimate]:
    """Return, per label, how often it is seen in (n, d) `real` images of the flipped combinations, as often as they are
    flipped to; with a percentile interval over these images. Combinations without a real image are left out.
    """
    weights, found = resamples(len(real), draw).double(), {}
    for column, name in enumerate(names):
        wanted, here = one_flips(labels, column, seen_in_data)[1], torch.arange(len(real))
        cells, which = torch.unique(torch.cat([wanted, real]), dim=0, return_inverse=True)
        share = which[: len(wanted)].bincount(minlength=len(cells)).double()
        cell = torch.zeros(len(real), len(cells), dtype=torch.double)
        cell[here, which[len(wanted) :]] = 1
        hits = cell * (read[:, column] == real[:, column])[:, None]
        counts = weights @ cell
        covered = share * (counts > 0)
        rates = (covered * (weights @ hits) / counts.clamp(min=1)).sum(1) / covered.sum(1)
        low, high = rates[1:].nanquantile(torch.tensor([0.025, 0.975], dtype=torch.double)).tolist()
        found[name] = Estimate(float(rates[0]), low, high)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a run's images with a separate classifier.")
    parser.add_argument("--run", default="runs/latest")
    parser.add_argument("-n", type=int, default=2000, help="worlds to sample")
    parser.add_argument("--reader-images", type=int, default=120_000, help="length of the reader's training")
    parser.add_argument("--reader", help="a trained classifier or judge to read with, instead of training one")
    parser.add_argument(
        "--base-rates", action="store_true", help="a label is seen where its probability exceeds its base rate, not 0.5"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    run = load_run(options.run)
    names = run.graph.nodes
    if run.labels is None:
        raise RunError(f"{run.folder.name} is a dcgan run: it draws no labels that its images could agree with")
    data = training_data(run.recipe, run.graph)
    held_out = load_source(run.recipe, "valid")
    if options.reader:
        reader = load_classifier(options.reader).select(names)
    else:
        material = load_uniform_faces() if data.name == "faces" else data
        reader = reader_for(material, names, options.reader_images)
    threshold = torch.tensor(reader.base_rates) if options.base_rates else torch.tensor(0.5)

    def reading(images: Tensor) -> Tensor:
        return (reader(images) > threshold).to(torch.int8)

    some = torch.arange(min(HELD_OUT, len(held_out)))
    real, read = held_out.select(names)[some], reading(to_unit_interval(held_out.batch(some)))
    ceiling = agreement(names, real, read)
    worlds = run.sample(options.n, generator=torch.Generator().manual_seed(options.seed))
    drawn = agreement(names, worlds.labels, reading(worlds.images))
    cells = torch.unique(data.select(names), dim=0)
    flips = one_flip_effectiveness(run.generate, reading, names, worlds.noise, worlds.labels, cells)
    same = effectiveness_of_real(names, worlds.labels, cells, real, read, generator_of(options.seed, "bootstrap"))
    columns = {"reader on held-out images": ceiling, "agreement": drawn, "one-flip effectiveness": flips}
    show(run.folder.name, {**columns, "real images, same labels": same})


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


def show(title: str, columns: Mapping[str, Mapping[str, Rate | Estimate]]) -> None:
    table = Table("label", *columns, title=title)
    for name in next(iter(columns.values())):
        table.add_row(name, *(str(rates[name]) for rates in columns.values()))
    means = []
    for rates in columns.values():
        values = [rate.value for rate in rates.values() if not math.isnan(rate.value)]
        means.append(f"mean {sum(values) / len(values):.3f}, least {min(values):.3f}")
    table.add_row("all", *means)
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))

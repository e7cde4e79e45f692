"""What goes together in photographs whose other labels are the same, and what runs make of it.

    python benchmarks/leaks.py RUN ... [--judge FOLDER] [--photos 2000] [--plot FILE]

Setting a label must leave alone what does not descend from it. A generator learns from photographs, though, and there
people with glasses look older than others even if all other labels are the same, Young too. Each pair of labels (X, Y)
is measured whose Y does not descend from X. "Reading" is the judge's label at its base rate, "probability" its
calibrated probability.

    photographs  the report's "associations": mean reading of Y among held-out photographs with X, less that among
                 those without, where all other labels are the same
    drawn        the same of images drawn from the labels of those photographs
    set          the same images: X alone is set to the other value, on the same noise; change of Y as X goes from 0
                 to 1. Photographs whose labels occur with that value, too

"beyond 0.05" is the share of pairs whose figure is larger than the margin of the verdicts, "certain" that of pairs
whose whole 95 % interval is (percentile bootstrap over photographs, 500 resamples).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from causalcf.cli.command import run
from causalcf.data.images import to_unit_interval
from causalcf.errors import RunError
from causalcf.evaluation.approaches import in_order
from causalcf.evaluation.associations import association, resamples
from causalcf.evaluation.inputs import load_inputs, load_runs
from causalcf.evaluation.session import Settings
from causalcf.randomness import generator_of
from causalcf.runs.run import Run

MARGIN = Settings.margin
SHOWN = 12


def main() -> None:
    parser = argparse.ArgumentParser(description="What goes together in photographs, and what runs make of it.")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--judge", help="default: the newest judge of the runs' data")
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--plot", type=Path, help="picture of every pair: photographs against labels that are set")
    options = parser.parse_args()
    inputs = load_inputs(load_runs(options.runs, "auto", None), None, options.judge, None, "auto")
    data, nodes, graph = inputs.held_out or inputs.data, inputs.reference.nodes, inputs.true_graph
    rows = torch.randperm(len(data), generator=generator_of(0, "photographs"))[: options.photos]
    labels = data.select(nodes)[rows]
    weights = resamples(len(rows), generator_of(0, "bootstrap"))
    pairs = [
        (x, y) for x, cause in enumerate(nodes) for y, effect in enumerate(nodes)
        if x != y and effect not in graph.descendants(cause)
    ]  # fmt: skip

    def read(images: Tensor) -> Tensor:
        probabilities = inputs.judge.probabilities(images)
        return torch.stack([inputs.judge.above_base_rates(probabilities), probabilities], 2).double()

    def drawn(asked: Run, noise: Tensor, labels: Tensor) -> Tensor:
        return asked.generate(noise, in_order(labels, nodes, asked.graph.nodes))

    def compared(seen: Tensor) -> Tensor:
        made = {x: association(labels, seen.flatten(1), x, weights).unflatten(1, seen.shape[1:]) for x, _ in pairs}
        return torch.stack([made[x][:, y] for x, y in pairs], 1)

    found = {"photographs": compared(read(to_unit_interval(data.batch(rows))))}
    for name, asked in inputs.runs.items():
        if asked.labels is None:
            raise RunError(f"{name} is a dcgan run: it has no labels to set")
        noise = asked.sample_noise(len(labels), generator_of(0, "noise"))
        before, after = read(drawn(asked, noise, labels)), {}
        found[f"{name}, drawn"] = compared(before)
        for x in dict.fromkeys(x for x, _ in pairs):
            flipped = labels.clone()
            flipped[:, x] = 1 - labels[:, x]
            occurs = (flipped[:, None] == labels.unique(dim=0)).all(2).any(1)
            sign = 1 - 2 * labels[occurs, x].double()[:, None, None]
            change = (read(drawn(asked, noise[occurs], flipped[occurs])) - before[occurs]) * sign
            counted = weights[:, occurs].double()
            after[x] = torch.einsum("rn,nvk->rvk", counted, change) / counted.sum(1)[:, None, None]
        found[f"{name}, set"] = torch.stack([after[x][:, y] for x, y in pairs], 1)
    names = [f"{nodes[x]}->{nodes[y]}" for x, y in pairs]
    console = Console(width=160)
    console.print(summary(found))
    console.print(strongest(found, names))
    if options.plot:
        plot(found, names, options.plot)


def summary(found: Mapping[str, Tensor]) -> Table:
    """A row for each, of (1 + RESAMPLES, pairs, 2) figures."""
    table = Table(
        "", "reading: beyond 0.05", "certain", "mean size", "probability: beyond 0.05", "certain", "mean size"
    )
    for name, values in found.items():
        low, high = values[1:].nanquantile(0.025, 0), values[1:].nanquantile(0.975, 0)
        beyond, sure = values[0].abs() > MARGIN, (low > MARGIN) | (high < -MARGIN)
        figures = (beyond.double(), sure.double(), values[0].abs())
        table.add_row(name, *(f"{figure.nanmean(0)[kind]:.3f}" for kind in (0, 1) for figure in figures))
    return table


def strongest(found: Mapping[str, Tensor], names: Sequence[str]) -> Table:
    """The pairs that photographs show most, beside the runs."""
    table = Table("pair", *found, title="readings, and probabilities in brackets")
    for i in found["photographs"][0, :, 0].abs().argsort(descending=True)[:SHOWN].tolist():
        table.add_row(names[i], *(f"{one[0, i, 0]:+.2f} ({one[0, i, 1]:+.2f})" for one in found.values()))
    return table


def plot(found: Mapping[str, Tensor], names: Sequence[str], file: Path) -> None:
    """Draw a dot for each pair: its figure in photographs, and if its label is set, by each run; by probabilities."""
    from matplotlib.figure import Figure

    runs = [name for name in found if name.endswith(", set")]
    figure = Figure(figsize=(4.2 * len(runs), 4.2), layout="constrained")
    real = found["photographs"][0, :, 1].numpy()
    for axes, name in zip(figure.subplots(1, len(runs), sharey=True, squeeze=False)[0], runs, strict=True):
        ours = found[name][0, :, 1].numpy()
        axes.axhspan(-MARGIN, MARGIN, color="tab:green", alpha=0.15, linewidth=0)
        axes.axline((0, 0), slope=1, color="0.6", linewidth=0.8)
        axes.plot(real, ours, "o", markersize=4)
        for x, y, label in zip(real, ours, names, strict=True):
            if max(abs(x), abs(y)) > 2 * MARGIN:
                side: dict[str, Any] = {"xytext": (-4 if x > 0 else 4, 3), "ha": "right" if x > 0 else "left"}
                axes.annotate(label, (x, y), fontsize=6, textcoords="offset points", **side)
        axes.set_title(name.removesuffix(", set"), fontsize=9)
        axes.locator_params("x", nbins=6)
        axes.set_xlabel("photographs, other labels the same")
    figure.axes[0].set_ylabel("label set, by mean probability")
    figure.savefig(file, dpi=150)


if __name__ == "__main__":
    sys.exit(run(main))

"""From how wide a range a run should draw its noise: what each value of the recipe's `truncation` does to the images.

    python benchmarks/truncation.py RUN ... --judge FOLDER [--at 1 0.9 0.8 0.7 0.6] [-n 2000] [--sheet FILE]
                                    [--data-root PATH]

The images of one run share labels and noise; the noise is scaled. Each row compares n of them with n held-out images,
by the measures of causalcf.eval (docs/evaluation.md). "labels shown" is how often the judge reads the label that was
drawn, over all labels. For a run without labels this column has the label whose share in the images is furthest from
that in the data, and the ratio of the two. The last row compares the training images with the held-out ones. The sheet
shows the same people at each value, a value a row.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from causalcf.checks import check
from causalcf.classifiers.classifier import AttributeClassifier
from causalcf.classifiers.storage import find_classifier, load_classifier
from causalcf.cli.command import run as run_command
from causalcf.data import load_source
from causalcf.data.images import to_unit_interval
from causalcf.evaluation.image_statistics import MOST, sliced_wasserstein
from causalcf.evaluation.judge import judge_features
from causalcf.evaluation.realism import frechet_distance, manifold
from causalcf.randomness import generator_of, uniform_noise
from causalcf.runs.loading import load_run
from causalcf.runs.run import Run
from causalcf.statistics.rates import Rate
from causalcf.training.experiment import training_data

SHOWN = 12  # people on the sheet


def main() -> None:
    parser = argparse.ArgumentParser(description="What each truncation of the noise does to the images of a run.")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--judge", required=True, help="a classifier of the same data, as eval --judge takes it")
    parser.add_argument("--at", nargs="+", type=float, default=[1.0, 0.9, 0.8, 0.7, 0.6], metavar="T")
    parser.add_argument("-n", type=int, default=2000, help="images of each side")
    parser.add_argument("--data-root", help="folder of the photographs; default: where the run found them")
    parser.add_argument("--sheet", type=Path, help="picture of the same people at each value, of the last run")
    options = parser.parse_args()
    for truncation in options.at:
        check(0 < truncation <= 1, "--at", truncation, "in (0, 1]")
    judge = load_classifier(find_classifier(options.judge, role="judge"))
    table = Table("run", "truncation", "FD(judge)", "precision", "recall", "coverage", "SWD 64, 32, 16", "labels shown")
    for name in options.runs:
        run = load_run(name)
        recipe = replace(run.recipe, data_root=options.data_root or run.recipe.data_root)
        data, held_out = training_data(recipe, run.graph), load_source(recipe, "valid")
        rows = torch.arange(min(options.n, len(data), len(held_out)))
        real, others = (to_unit_interval(one.batch(rows)) for one in (held_out, data))
        known = held_out.select(run.graph.nodes)[rows]
        noise = uniform_noise(len(rows), recipe.noise_dim, generator_of(0, "noise"))
        labels = None if run.labels is None else run.labels.sample(len(rows), generator=generator_of(0, "labels"))
        sheet = []
        for truncation in options.at:
            images = run.generate(noise * truncation, labels)
            shown = labels_shown(judge, run, images, labels, known)
            table.add_row(run.folder.name, f"{truncation:g}", *figures(judge, images, real), shown)
            sheet.append(images[:SHOWN])
        table.add_row("", "data", *figures(judge, others, real), "")
    Console(width=140).print(table)
    if options.sheet:
        from torchvision.utils import save_image

        save_image(torch.cat(sheet), options.sheet, nrow=SHOWN)


def figures(judge: AttributeClassifier, images: Tensor, real: Tensor) -> list[str]:
    ours, theirs = (judge_features(judge, side) for side in (images, real))
    cover = manifold(ours, theirs)
    swd = sliced_wasserstein(images[:MOST], real[:MOST], generator_of(0, "image statistics"))
    rates = [f"{rate.value:.3f}" for rate in (cover.precision, cover.recall, cover.coverage)]
    return [f"{frechet_distance(ours, theirs):.2f}", *rates, " ".join(f"{distance:.0f}" for distance in swd.values())]


def labels_shown(judge: AttributeClassifier, run: Run, images: Tensor, labels: Tensor | None, known: Tensor) -> str:
    seen = judge.select(run.graph.nodes).labels(images)
    if labels is not None:
        return str(Rate(int((seen == labels).sum()), labels.numel()))
    ratio = seen.float().mean(0) / known.float().mean(0)
    furthest = int(ratio.log().abs().argmax())
    return f"{float(ratio[furthest]):.2f} ({run.graph.nodes[furthest]})"


if __name__ == "__main__":
    sys.exit(run_command(main))

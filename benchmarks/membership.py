"""Whether a run gives away which images it was trained on: membership inference.

    python benchmarks/membership.py RUN ... [--images 2000] [--drawn 20000] [--sheet FILE]
                                     [--data-root PATH]

Whoever has a run may ask whether a certain photograph was among its training images. Two attacks of Chen et al. (2020,
GAN-Leaks) are tried on as many training images as held-out ones:

    drawn         the distance from the photograph, or its mirror image, to the nearest of many images drawn from the
                  run; pixels are means of 16x16 areas
    drawn again   the distance from the photograph to what the run's encoder and generator make of it, if there is an
                  encoder

AUC is the probability that a training image is nearer than a held-out one: at 0.5 the run tells nothing, at 1 all.
"found at 1% false" is the share of the training images that are nearer than all but 1 % of the held-out ones: at 0.01
the run tells nothing. Both have 95 % percentile intervals over images. The sheet shows the training images that are
nearest, each above its neighbour among the images drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import bootstrap, mannwhitneyu
from torch import Tensor
from torch.nn.functional import avg_pool2d

from causalcf.cli.command import run as run_command
from causalcf.data import load_source
from causalcf.data.images import ImageData, to_unit_interval
from causalcf.errors import RunError
from causalcf.randomness import generator_of
from causalcf.runs.loading import load_run
from causalcf.runs.run import Run
from causalcf.training.experiment import training_data

CHUNK = 500
SIDE = 16  # areas in a row: small shifts of a face count little
FALSE = 0.01
SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Membership inference: do a run's images give away its training images?"
    )
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--images", type=int, default=2000, help="training images, and held-out ones")
    parser.add_argument("--drawn", type=int, default=20_000, help="images drawn from the run")
    parser.add_argument("--data-root", help="folder of the photographs; default: where the run found them")
    parser.add_argument("--sheet", type=Path, help="picture of the nearest pairs, of the last run")
    options = parser.parse_args()
    table = Table("run", "attack", "AUC", f"found at {FALSE:.0%} false")
    for name in options.runs:
        run = load_run(name)
        recipe = replace(run.recipe, data_root=options.data_root or run.recipe.data_root)
        data, held_out = training_data(recipe, run.graph), load_source(recipe, "valid")
        n = min(options.images, len(data), len(held_out))
        if n < 2:
            raise RunError(f"{name}: {len(data)} training and {len(held_out)} held-out images; two of each are needed")
        sides = [some(one, run.graph.nodes, n) for one in (data, held_out)]
        drawn = torch.cat([areas(images) for images in samples(run, options.drawn)])
        for attack, (members, others) in attacks(run, sides, drawn).items():
            table.add_row(run.folder.name, attack, *figures(members, others))
    Console(width=120).print(table)
    if options.sheet:
        write_sheet(run, sides[0], drawn, options)


def some(data: ImageData, nodes: Sequence[str], n: int) -> tuple[Tensor, Tensor]:
    """Draw n images, (n, 3, h, w) in [0, 1], and their labels."""
    rows = torch.randperm(len(data), generator=generator_of(0, "membership"))[:n]
    return to_unit_interval(data.batch(rows)), data.select(nodes)[rows]


def samples(run: Run, n: int) -> Iterator[Tensor]:
    draw = generator_of(0, "drawn")
    for done in range(0, n, CHUNK):
        yield run.sample(min(CHUNK, n - done), generator=draw).images


def areas(images: Tensor) -> Tensor:
    """Return (n, 3 * 16 * 16) means of areas of (n, 3, h, w) images."""
    return avg_pool2d(images, images.shape[-1] // SIDE).flatten(1)


def nearest(images: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Return distance and row of the nearest of (m, f) `drawn` to each of (n, f), as seen or mirrored."""
    mirrored = images.unflatten(1, (-1, SIDE, SIDE)).flip(3).flatten(1)
    return torch.minimum(torch.cdist(images, drawn), torch.cdist(mirrored, drawn)).min(1)


def attacks(run: Run, sides: list[tuple[Tensor, Tensor]], drawn: Tensor) -> dict[str, list[Tensor]]:
    """Return, for each attack, its distances for training images and for held-out ones."""
    found = {"drawn": [nearest(areas(images), drawn)[0] for images, _ in sides]}
    if run.encoder is not None:
        found["drawn again"] = [
            torch.cat([drawn_again(run, *part) for part in zip(*(one.split(CHUNK) for one in side), strict=True)])
            for side in sides
        ]
    return found


def drawn_again(run: Run, images: Tensor, labels: Tensor) -> Tensor:
    """Return (n,) mean squared differences between images and what the run makes of them."""
    return (run.abduct(images, labels).generated - images).square().mean((1, 2, 3))


def auc(members: np.ndarray, others: np.ndarray) -> float:
    """Return P(member < other) + P(equal) / 2."""
    return float(mannwhitneyu(others, members).statistic) / (len(members) * len(others))


def found_at(members: np.ndarray, others: np.ndarray) -> float:
    """Return the share of members nearer than all but 1 % of the others."""
    return float((members < np.quantile(others, FALSE)).mean())


def figures(members: Tensor, others: Tensor) -> tuple[str, str]:
    sides, draw = (members.numpy(), others.numpy()), np.random.default_rng(0)
    shown = []
    for figure in (auc, found_at):
        around = bootstrap(
            sides, figure, vectorized=False, n_resamples=500, method="percentile", rng=draw
        ).confidence_interval
        shown.append(f"{figure(*sides):.3f} [{around.low:.3f}, {around.high:.3f}]")
    return shown[0], shown[1]


def write_sheet(run: Run, members: tuple[Tensor, Tensor], drawn: Tensor, options: argparse.Namespace) -> None:
    from torchvision.utils import save_image

    distance, row = nearest(areas(members[0]), drawn)
    closest = distance.argsort()[:SHOWN]
    wanted, photographs = row[closest], members[0][closest]
    ours = torch.empty_like(photographs)
    for start, images in zip(range(0, options.drawn, CHUNK), samples(run, options.drawn), strict=True):
        here = (start <= wanted) & (wanted < start + CHUNK)  # drawn once more: all of them would fill a gigabyte
        ours[here] = images[wanted[here] - start]
    save_image(torch.cat([photographs, ours]), options.sheet, nrow=len(closest))


if __name__ == "__main__":
    sys.exit(run_command(main))

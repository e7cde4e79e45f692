"""How strong the checkerboards in a run's images are, beside those of its data.

    python benchmarks/checkerboard.py [RUN ...] [-n 500]      # runs/latest

For patterns of two, four and eight pixels on both axes, in brightness and in red less green: the root mean square
amplitude in generated images, in shares of the range of pixels, and how many times that of real images it is.
Transposed convolutions make such patterns where the discriminator does not object.
"""

from __future__ import annotations

import argparse
import sys

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from causalcf.cli.command import run as run_command
from causalcf.data.images import to_unit_interval
from causalcf.runs.loading import load_run
from causalcf.training.experiment import training_data

MIXES = {"brightness": (0.299, 0.587, 0.114), "red less green": (1.0, -1.0, 0.0)}
PERIODS = (2, 4, 8)  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description="How strong the checkerboards in a run's images are, beside its data.")
    parser.add_argument("runs", nargs="*", default=["runs/latest"])
    parser.add_argument("-n", type=int, default=500, help="images")
    options = parser.parse_args()

    told = [f"{period} pixels{what}" for period in PERIODS for what in ("", ", times real")]
    table = Table("run", "of", *told)
    for path in options.runs:
        run = load_run(path)
        data = training_data(run.recipe, run.graph)
        real = to_unit_interval(data.batch(torch.arange(min(options.n, len(data)))))
        made = run.sample(options.n, generator=torch.Generator().manual_seed(0)).images
        for mix, weights in MIXES.items():
            cells = []
            for period in PERIODS:
                ours, theirs = checkerboard(made, weights, period), checkerboard(real, weights, period)
                cells += [f"{ours:.5f}", f"{ours / theirs:.1f}"]
            table.add_row(run.folder.name, mix, *cells)
    Console(width=160).print(table)


def checkerboard(images: Tensor, mix: tuple[float, float, float], period: int) -> float:
    """Root mean square over images, and over both diagonals, of the amplitude of waves of one period on both axes.

    Args:
        images: (n, 3, h, w) in [0, 1].
        mix: of red, green and blue.
        period: pixels; a divisor of h and of w.
    """
    planes = torch.einsum("nchw,c->nhw", images.double(), torch.tensor(mix, dtype=torch.float64))
    spectrum = torch.fft.fft2(planes, norm="forward")
    down, across = (size // period for size in planes.shape[1:])
    return float(torch.stack([spectrum[:, down, across], spectrum[:, down, -across]]).abs().square().mean().sqrt())


if __name__ == "__main__":
    sys.exit(run_command(main))

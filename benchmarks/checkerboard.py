"""How strong the checkerboard of single pixels is in a run's images, beside its data.

    python benchmarks/checkerboard.py [RUN ...] [-n 500]      # runs/latest

Prints the root mean square amplitude at the highest frequency that pixels can carry on both axes, for brightness and
for red less green, in shares of the range of pixels; and how many times that of real images it is. Transposed
convolutions make such patterns where the discriminator does not object.
"""

from __future__ import annotations

import argparse
import sys

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from causalcf.command import run as run_command
from causalcf.experiment import training_data
from causalcf.pictures import to_unit_interval
from causalcf.worlds.run import load_run

MIXES = {"brightness": (0.299, 0.587, 0.114), "red less green": (1.0, -1.0, 0.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description="How strong the checkerboard in a run's images is, beside its data.")
    parser.add_argument("runs", nargs="*", default=["runs/latest"])
    parser.add_argument("-n", type=int, default=500, help="images")
    options = parser.parse_args()

    table = Table("run", *(f"{name}, {of}" for name in MIXES for of in ("generated", "real", "ratio")))
    for path in options.runs:
        run = load_run(path)
        data = training_data(run.recipe, run.graph)
        real = to_unit_interval(data.batch(torch.arange(min(options.n, len(data)))))
        made = run.sample(options.n, generator=torch.Generator().manual_seed(0)).images
        cells = []
        for mix in MIXES.values():
            ours, theirs = checkerboard(made, mix), checkerboard(real, mix)
            cells += [f"{ours:.5f}", f"{theirs:.5f}", f"{ours / theirs:.0f}"]
        table.add_row(run.folder.name, *cells)
    Console(width=160).print(table)


def checkerboard(images: Tensor, mix: tuple[float, float, float]) -> float:
    """Root mean square over images of the correlation with a checkerboard of +1 and -1.

    Args:
        images: (n, 3, h, w) in [0, 1].
        mix: of red, green and blue.
    """
    sign = 1 - 2 * ((torch.arange(images.shape[2])[:, None] + torch.arange(images.shape[3])) % 2)
    planes = torch.einsum("nchw,c->nhw", images.float(), torch.tensor(mix))
    return float((planes * sign).mean((1, 2)).square().mean().sqrt())


if __name__ == "__main__":
    sys.exit(run_command(main))

"""How much memory does an evaluation take, and does it grow with the faces asked?

    python benchmarks/evaluation_memory.py [--half-width .08] [--times 4]

Trains a causalgan and a judge too small to be of use (a minute), then asks all 72 pairs and the axioms, each time in a
process of its own: once with as many faces as the half-width needs, once with `--times` as many. Prints the greatest
resident memory of both and the difference for each face more, beside what one face's image takes (64x64, float32).
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from causalcf.classifiers.experiment import make_classifier
from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.cli.command import run
from causalcf.runs.recipe import Recipe
from causalcf.statistics.misclassification import units_for
from causalcf.training.experiment import start_run

IMAGE = 3 * 64 * 64 * 4 / 2**20  # MiB


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of an evaluation, and of one with more faces.")
    parser.add_argument("--half-width", type=float, default=0.08, help="of the effects' intervals in the smaller one")
    parser.add_argument("--times", type=float, default=4.0, help="as many faces in the larger one")
    options = parser.parse_args()
    widths = [options.half_width, options.half_width / math.sqrt(options.times)]
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        peaks = {units_for(width): peak(Path(folder), width) for width in widths}
    table = Table("faces", "greatest resident memory, MiB", title="an evaluation of one causalgan, nine causes")
    for faces, mebibytes in peaks.items():
        table.add_row(str(faces), f"{mebibytes:,.0f}")
    Console(width=100).print(table)
    (few, least), (many, most) = peaks.items()
    grown = (most - least) / (many - few)
    print(f"{grown:.2f} MiB for each face more: {grown / IMAGE:.1f} images")


def prepare(folder: Path) -> None:
    """A run and a judge."""
    small = Recipe(images=64, batch=8, width=8, labeler_width=2, noise_dim=5, data_size=400, precision="float32")
    start_run(replace(small, runs_dir=str(folder)))
    judge = ClassifierRecipe(role="judge", images=2048, width=8, data_size=400, seed=1, precision="float32")
    make_classifier(replace(judge, runs_dir=str(folder)))


def peak(folder: Path, half_width: float) -> float:
    """Greatest resident memory of one evaluation, in MiB."""
    suite = folder / "suite.yaml"
    suite.write_text(f"links: all\nshown: []\naxioms: true\nrealism: false\nhalf_width: {half_width}\n")
    command = [sys.executable, "-m", "causalcf.eval", "--suite", str(suite), "--runs-dir", str(folder)]
    command += ["--out", str(folder / f"report-{half_width}"), "--half-width", str(half_width)]
    asked = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(asked.pid, 0)
    asked.returncode = os.waitstatus_to_exitcode(status)
    if asked.returncode:
        raise SystemExit(f"the evaluation ended with exit code {asked.returncode}")
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    sys.exit(run(main))

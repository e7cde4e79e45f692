"""Fidelity against editability: what abduction keeps of a photograph, and which flips of a label then show.

    python benchmarks/photographs.py RUN [--judge FOLDER] [--photos 200] [--tuned 24] [--curves residual] [--plot FILE]

Three constants of causalcf/runs/abduction.py each trade one for the other; the value in use is marked.

    residual    FADING: how much of the residual is left where the counterfactual image differs (method encoder)
    optimise    CYCLE: weight of |z - E(G(z))|^2 in the descent
    tune        TUNING_STEPS: steps on the generator's last layers

PSNR is that of the image without residual. "found again": the person, rank 1 of 100. "flips": share of flipped labels
that show. "F1": of the flipped labels, mean over the labels; rare ones count as much as others. "bare": without the
residual.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.evaluation.inputs import load_inputs, load_runs
from causalcf.evaluation.photographs import held_out_photographs, measure_photographs
from causalcf.runs import abduction

NONE, ALL = 1e-4, 1e6  # fading that leaves no residual where anything differs, or all of it
CURVES: Mapping[str, tuple[str, str, Sequence[float]]] = {
    "residual": ("encoder", "FADING", (NONE, 0.03, 0.06, 0.1, 0.2, 0.4, ALL)),
    "optimise": ("optimise", "CYCLE", (8.0, 2.0, 0.5, 0.1, 0.0)),
    "tune": ("tune", "TUNING_STEPS", (0, 30, 120, 240)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fidelity against editability of photographs.")
    parser.add_argument("run")
    parser.add_argument("--judge", help="default: the newest judge of the run's data")
    parser.add_argument("--photos", type=int, default=200, help="photographs for residual and optimise")
    parser.add_argument("--tuned", type=int, default=24, help="photographs for tune")
    parser.add_argument("--curves", nargs="+", choices=list(CURVES), default=list(CURVES))
    parser.add_argument("--plot", type=Path, help="picture of the curves")
    options = parser.parse_args()
    inputs = load_inputs(load_runs([options.run], "auto", None), None, options.judge, None, "auto")
    (asked,) = inputs.runs.values()
    if asked.labels is None:
        parser.error(f"{options.run} is a dcgan: it has no labels to flip")
    found: dict[str, list[tuple[str, dict[str, float]]]] = {}
    for curve in options.curves:
        method, constant, values = CURVES[curve]
        n = options.tuned if method == "tune" else options.photos
        photographs = held_out_photographs(inputs.held_out or inputs.data, inputs.reference.nodes, n, 0)
        found[curve] = []
        for value in values:
            name = {NONE: "none left", ALL: "all left"}.get(value, f"{value:g}")
            name += " (in use)" if value == getattr(abduction, constant) else ""
            with patch.object(abduction, constant, value):
                measured = measure_photographs(asked, inputs.judge, photographs, 0, methods=[method])
            found[curve].append((name, _figures(measured, method)))
        Console(width=140).print(_table(curve, constant, found[curve]))
    if options.plot:
        plot(found, options.plot)


def _figures(measured: Mapping[str, Mapping[str, Any]], method: str) -> dict[str, float]:
    found = {"PSNR": measured[f"{method}, no residual"]["PSNR, dB"]["value"]}
    for way, end in ((method, ""), (f"{method}, no residual", ", bare")):
        one = measured[way]
        found[f"found again{end}"] = one["person found again, rank 1"]["value"]
        found[f"flips{end}"] = _mean([part["value"] for name, part in one.items() if name.startswith("flips shown")])
        found[f"F1{end}"] = _mean([part for name, part in one.items() if name.startswith("F1")])
    return found


def _mean(values: Sequence[float | None]) -> float:
    there = [value for value in values if value is not None]
    return sum(there) / len(there)


def _table(curve: str, constant: str, points: Sequence[tuple[str, dict[str, float]]]) -> Table:
    table = Table(f"{curve}: {constant}", *points[0][1])
    for name, figures in points:
        table.add_row(name, *(f"{value:.1f}" if what == "PSNR" else f"{value:.3f}" for what, value in figures.items()))
    return table


def plot(found: Mapping[str, Sequence[tuple[str, dict[str, float]]]], file: Path) -> None:
    """Draw what is kept of a photograph against the flips that show, with the residual: the person, else the PSNR."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(found), 3.2), layout="constrained")
    for axes, (curve, points) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        what = "found again" if curve == "residual" else "PSNR"
        flips, kept = ([one[figure] for _, one in points] for figure in ("flips", what))
        axes.plot(flips, kept, "o-", markersize=4)
        for (name, _), x, y in zip(points, flips, kept, strict=True):
            axes.annotate(name, (x, y), textcoords="offset points", xytext=(4, 4), fontsize=7)
        axes.set_title(f"{curve}: {CURVES[curve][1]}", fontsize=9)
        axes.set_xlabel("share of flips that show")
        axes.set_ylabel("share of people found again" if curve == "residual" else "PSNR without residual, dB")
        axes.margins(0.2)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=130)


if __name__ == "__main__":
    sys.exit(run(main))

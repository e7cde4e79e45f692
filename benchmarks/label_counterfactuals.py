"""How many exact counterfactual queries a second on CelebA's own law, all nine labels of each unit known?

    python benchmarks/label_counterfactuals.py [--units 4096] [--repeats 9]

One query is P(event* | all labels, antecedent) of one unit; units are asked together, on one core. Each row of the
table is a kind of antecedent, the same for every unit, but in the last row, where each unit has its own. Rates are
medians over the repeats, after one that is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.data.faces.units import celeba_scm
from causalcf.errors import CausalCFError

EVENT = {"Narrow_Eyes": 1}
QUESTIONS: dict[str, dict[str, Any]] = {
    "do, s=1": {"do": {"Young": 0}, "stickiness": 1.0},
    "do, s=.53": {"do": {"Young": 0}, "stickiness": 0.53},
    "observe, s=.53": {"observe": {"Mustache": 1}, "stickiness": 0.53},
    "do and observe, s=.53": {"do": {"Young": 0}, "observe": {"Mustache": 1}, "stickiness": 0.53},
    "observe two, s=.53": {"observe": {"Mouth_Slightly_Open": 1, "Bald": 0}, "stickiness": 0.53},
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time exact label counterfactuals on CelebA's law.")
    parser.add_argument("--units", type=int, default=4096, help="units asked together")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    for name in ("units", "repeats"):
        if getattr(options, name) < 1:
            raise CausalCFError(f"--{name}={getattr(options, name)}: expected a whole number, at least 1")
    torch.set_num_threads(1)

    scm = celeba_scm()
    units = scm.sample(options.units, generator=torch.Generator().manual_seed(0))
    male = units[:, scm.graph.nodes.index("Male")]
    questions = {**QUESTIONS, "do, each unit its own, s=.53": {"do": {"Male": 1 - male}, "stickiness": 0.53}}
    table = Table("question", "queries / s", title=f"{options.units} units of graph celeba, one core")
    rates = []
    for title, question in questions.items():
        seconds = [_timed(scm, units, question) for _ in range(options.repeats + 1)][1:]
        rates.append(options.units / statistics.median(seconds))
        table.add_row(title, f"{rates[-1]:,.0f}")
    Console(width=100).print(table)
    print(f"least: {min(rates):,.0f} queries / s (aim: 2,000)")


def _timed(scm: Any, units: torch.Tensor, question: dict[str, Any]) -> float:
    started = time.perf_counter()
    scm.counterfactual_probabilities(EVENT, units, **question)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(run(main))

"""Who does it happen to? The same people in two worlds, against the label model's exact answer for each of them.

    python benchmarks/people.py RUN ... [--statements faces-people-true] [--units 2048] [--out FILE] [--plot FILE]

Of each sex and age `--units` people are generated. Young, then Male, is set to the other value on the same noise. The
judge reads all labels before and after. The label model gives P(label* = 1 | all labels of this person) at stickiness
1. Where it is 0 or 1, another reading is a forbidden move: a bald young man who has hair when he is old.

    forbidden    share of forbidden moves; mean over the kinds of people of each row below with at least 20 of them
    taught       people whom the statements speak of
    reverse      the same labels and cause, in the other direction
    other labels of the same cause
    other cause  labels that depend on the other cause
    no path      labels that do not descend from the cause: the share that changed
    unit error   mean distance of a reading, 0 or 1, from that probability
    least        unit error of the label model's own draws
    population   mean distance of P(label | Young, Male) in the images from the law's, before anything is set
    FD(judge)    from held-out images

Brackets are 95 % percentile intervals of a bootstrap over people (1,000 resamples), runs kept as they are. Runs of one
name but for the seed are averaged; a second table has each seed's figures.
"""

from __future__ import annotations

import argparse
import json
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
from causalcf.evaluation.approaches import approaches_of
from causalcf.evaluation.inputs import Inputs, load_inputs, load_runs
from causalcf.evaluation.judge import judge_features
from causalcf.evaluation.realism import frechet_distance
from causalcf.io.files import write_atomically
from causalcf.labels.evidence import matching
from causalcf.language.lists import load_statements
from causalcf.language.statement import Statement
from causalcf.randomness import generator_of
from causalcf.runs.counterfactual import Worlds

CAUSES = ("Young", "Male")
FEWEST = 20  # people of a kind
RESAMPLES = 1000
POOL = 2048  # images for FD
KINDS = ("taught", "reverse", "other labels", "other cause")
FIGURES = (*KINDS, "no path", "unit error", "least", "population", "FD(judge)")


def main() -> None:
    parser = argparse.ArgumentParser(description="Who does it happen to?")
    parser.add_argument("runs", nargs="+")
    parser.add_argument(
        "--statements", default="faces-people-true", help="statements that decide which people count as taught"
    )
    parser.add_argument("--units", type=int, default=2048, help="people of each sex and age")
    parser.add_argument("--out", type=Path, help="where the figures are kept, and found again")
    parser.add_argument(
        "--plot", type=Path, help="picture of the forbidden moves: a bar for each name, a dot for a seed"
    )
    options = parser.parse_args()
    inputs = load_inputs(load_runs(options.runs, "auto", None), None, None, None, "auto")
    statements = load_statements(options.statements)
    kept: dict[str, Any] = json.loads(options.out.read_text()) if options.out and options.out.is_file() else {}
    found = []
    for name in inputs.runs:
        key = f"{inputs.fingerprints['runs'][name]} {inputs.judge.fingerprint} {options.units} {statements}"
        if key not in kept:
            kept[key] = measure(inputs, name, statements, options.units)
            if options.out:
                write_atomically(options.out, json.dumps(kept).encode())
        found.append(kept[key])
    console = Console(width=200)
    console.print(table(found))
    console.print(seeds(found))
    console.print(moves(found))
    if options.plot:
        plot(found, options.plot)


def measure(inputs: Inputs, name: str, statements: Mapping[str, Statement], units: int) -> dict[str, Any]:
    """Return all figures of one run: the counts of each kind of people and label, and what they should be."""
    asked = inputs.runs[name]
    found, _ = approaches_of(asked, name, inputs.reference, inputs.judge)
    approach = next((one for one in found if one.kind.endswith("-do")), None)
    if approach is None:
        raise RunError(f"{name} sets no labels by do; name runs that do")
    nodes, read = inputs.reference.nodes, inputs.judge.read
    cells: list[dict[str, Any]] = []
    off = []
    for young in (0, 1):
        for male in (0, 1):
            group = {"Young": young, "Male": male}
            worlds = approach.actual(units, group, generator_of(0, "people", young, male))
            before = read(worlds.images)
            law = [inputs.reference.scm.probability({node: 1}, given=group) for node in nodes]
            gaps = (before.double().mean(0) - torch.tensor(law, dtype=torch.float64)).abs()
            off += [float(gap) for node, gap in zip(nodes, gaps, strict=True) if node not in CAUSES]
            for cause in CAUSES:
                cells += _cells(inputs, approach, worlds, before, cause, group, statements)
    pool = approach.actual(POOL, {}, generator_of(0, "pool")).images
    data = inputs.held_out or inputs.data
    real = to_unit_interval(data.batch(torch.arange(min(POOL, len(data)))))
    return {
        "key": f"{asked.recipe.name} {approach.kind}",
        "seed": asked.recipe.seed,
        "cells": cells,
        "population": sum(off) / len(off),
        "FD(judge)": frechet_distance(*(judge_features(inputs.judge.classifier, images) for images in (pool, real))),
    }


def _cells(
    inputs: Inputs,
    approach: Any,
    worlds: Worlds,
    before: Tensor,
    cause: str,
    group: Mapping[str, int],
    statements: Mapping[str, Statement],
) -> list[dict[str, Any]]:
    """Return for each label and its value before: people, and how they fared where nothing else was possible."""
    nodes, reference, graph = inputs.reference.nodes, inputs.reference, inputs.true_graph
    facts = (
        worlds.labels
        if approach.has_labels
        else before.index_copy(
            1,
            torch.tensor([nodes.index(one) for one in CAUSES]),
            torch.tensor(list(group.values())).expand(len(before), 2).to(before),
        )
    )
    antecedent = {cause: 1 - facts[:, nodes.index(cause)]}
    possible, expected = reference.answer(facts, antecedent, "do", 1.0)
    drawn = approach.counterfactual(Worlds(worlds.noise, facts, worlds.images), antecedent, generator_of(0, "none"))
    after = torch.zeros_like(before)
    after[drawn.rows] = inputs.judge.read(drawn.images)
    asked = torch.zeros(len(before), dtype=torch.bool).index_fill(0, drawn.rows, True) & possible
    found = []
    for column, label in enumerate(nodes):
        if label == cause:
            continue
        values = (group[label],) if label in group else (0, 1)
        path = label in graph.descendants(cause)
        for was in values:
            rows = asked & (facts[:, column] == was)
            q, seen = expected[rows, column], after[rows, column].double()
            sure = (q < 1e-9) | (q > 1 - 1e-9)
            taught, reverse = _taught(statements, nodes, facts[rows], cause, group, label)
            about = {one for statement in statements.values() for one in statement.antecedent}
            found.append({
                "people": {**group, label: was},
                "cause": cause,
                "label": label,
                "path": path,
                "wrong": (seen != q.round())[sure].int().tolist(),
                "taught": taught[sure].tolist(),
                "reverse": reverse,
                "other cause": cause not in about,
                "error": float((seen - q).abs().sum()),
                "least": float((2 * q * (1 - q)).sum()),
                "n": len(q),
            })  # fmt: skip
    return found


def _taught(
    statements: Mapping[str, Statement],
    nodes: Sequence[str],
    facts: Tensor,
    cause: str,
    group: Mapping[str, int],
    label: str,
) -> tuple[Tensor, bool]:
    """Return which people a statement on this label speaks of, and whether one speaks of the other direction."""
    told, reverse = torch.zeros(len(facts), dtype=torch.bool), False
    for one in statements.values():
        if label in one.consequent and cause in one.antecedent:
            if one.antecedent[cause] == 1 - group[cause]:
                told |= matching(facts, nodes, one.given)
            else:
                reverse = True
    return told, reverse


def wrong_by_kind(one: Mapping[str, Any]) -> dict[str, list[Tensor]]:
    """Return for each kind the forbidden moves, 0 or 1, of each of its cells."""
    found: dict[str, list[Tensor]] = {kind: [] for kind in (*KINDS, "no path")}
    for cell in one["cells"]:
        wrong, taught = torch.tensor(cell["wrong"]).double(), torch.tensor(cell["taught"], dtype=torch.bool)
        if not cell["path"]:
            parts = {"no path": wrong}
        elif cell["other cause"]:
            parts = {"other cause": wrong}
        else:
            rest = "reverse" if cell["reverse"] else "other labels"
            parts = {"taught": wrong[taught], rest: wrong[~taught]}
        for kind, values in parts.items():
            if len(values) >= FEWEST:
                found[kind].append(values)
    return found


def table(measured: Sequence[dict[str, Any]]) -> Table:
    """A row for each name of a run, its seeds averaged."""
    shown = Table("runs", "seeds", *FIGURES)
    for key in dict.fromkeys(one["key"] for one in measured):
        runs = [one for one in measured if one["key"] == key]
        shown.add_row(key, str(len(runs)), *(_cell(runs, figure) for figure in FIGURES))
    return shown


def seeds(measured: Sequence[dict[str, Any]]) -> Table:
    """The figures of each run."""
    shown = Table("run", "seed", *FIGURES)
    for one in sorted(measured, key=lambda one: (one["key"], one["seed"])):
        shown.add_row(one["key"], str(one["seed"]), *(f"{_value([one], figure):.3f}" for figure in FIGURES))
    return shown


def moves(measured: Sequence[dict[str, Any]]) -> Table:
    """The share of forbidden moves of each kind of people, all seeds together."""
    names = list(dict.fromkeys(one["key"] for one in measured))
    shown = Table("people", "set", "of", *names)
    cells = [(str(cell["people"]), cell["cause"], cell["label"]) for cell in measured[0]["cells"]]
    for row in cells:
        texts = []
        for name in names:
            wrong = [w for one in measured if one["key"] == name for cell in one["cells"]
                     if (str(cell["people"]), cell["cause"], cell["label"]) == row for w in cell["wrong"]]  # fmt: skip
            texts.append(f"{sum(wrong) / len(wrong):.3f} ({len(wrong)})" if len(wrong) >= FEWEST else "-")
        if set(texts) != {"-"}:
            shown.add_row(*row, *texts)
    return shown


def plot(measured: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw the share of forbidden moves: bars are means over seeds, with intervals; dots are seeds."""
    from matplotlib.figure import Figure

    names, kinds = list(dict.fromkeys(one["key"] for one in measured)), (*KINDS, "no path")
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    wide = 0.8 / len(names)
    for i, name in enumerate(names):
        runs = [one for one in measured if one["key"] == name]
        for j, kind in enumerate(kinds):
            x = j + (i - (len(names) - 1) / 2) * wide
            value, low, high = _interval(runs, kind)
            error = [[value - low], [high - value]]
            axes.bar(x, value, wide * 0.9, color=f"C{i}", alpha=0.6, label=name if j == 0 else None)
            axes.errorbar(x, value, error, color="black", capsize=2, linewidth=1)
            axes.plot([x] * len(runs), [_value([one], kind) for one in runs], "o", color=f"C{i}", markersize=4)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("share of forbidden moves")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=130)


def _value(runs: Sequence[dict[str, Any]], figure: str) -> float:
    if figure in ("population", "FD(judge)"):
        return sum(one[figure] for one in runs) / len(runs)
    if figure in ("unit error", "least"):
        key = "error" if figure == "unit error" else "least"
        cells = [cell for one in runs for cell in one["cells"] if cell["path"]]
        return float(sum(cell[key] for cell in cells)) / sum(cell["n"] for cell in cells)
    return _mean([values for one in runs for values in wrong_by_kind(one)[figure]])


def _cell(runs: Sequence[dict[str, Any]], figure: str) -> str:
    value = _value(runs, figure)
    if figure not in (*KINDS, "no path"):
        return f"{value:.3f}"
    value, low, high = _interval(runs, figure)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _interval(runs: Sequence[dict[str, Any]], kind: str) -> tuple[float, float, float]:
    """Return the mean share of forbidden moves of a kind, and its bootstrap interval over people."""
    parts = [values for one in runs for values in wrong_by_kind(one)[kind]]
    draw = torch.Generator().manual_seed(0)
    again = sorted(
        _mean([part[torch.randint(len(part), (len(part),), generator=draw)] for part in parts])
        for _ in range(RESAMPLES)
    )
    return _mean(parts), again[int(0.025 * RESAMPLES)], again[int(0.975 * RESAMPLES) - 1]


def _mean(parts: Sequence[Tensor]) -> float:
    return sum(float(part.mean()) for part in parts) / len(parts) if parts else float("nan")


if __name__ == "__main__":
    sys.exit(run(main))

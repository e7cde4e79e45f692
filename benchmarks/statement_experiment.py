"""What do statement constraints change? Runs with different statements, asked the same questions, as one table.

    python benchmarks/statement_experiment.py RUN ... [--statements faces-true] [--units 128] [--out measured.json]

Every run is asked one way: a dcgan as dcgan-esm, others as *-do. From one pool of images each, read by the judge (the
classifier of the constraints is another):

    statements   mean distance of a statement's share in the images from what the label model expects of the same units
    taught       mean link error |effect - reference| of the links that the statements speak of
    held out     the same of the graph's other links from the same causes
    no link      the same of pairs without a directed path
    reached      share of the units whose antecedent was seen within the budget
    effective    share of the flips in whose image the judge, too, sees the antecedent (of a dcgan: and not before)
    changed      share of labels with no path from the cause that changed, less what the reference expects
    FD(judge)    from held-out images

Brackets are 95 % percentile intervals of a bootstrap over units (1,000 resamples), runs kept as they are. Runs of one
name but for the seed are averaged. Further tables have a figure for each seed: every statement's share in the images;
the share of every label over the whole pool, in which labels drift that nobody spoke of, beside the same judge's share
in held-out images; and how often a label that the cause has no path to stays as it was.

Figures are kept in `--out` by all that they depend on: the run's checkpoint, its classifier and the judge's file, the
statements asked about, units and budget. A run that was trained further is asked again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.data.images import to_unit_interval
from causalcf.evaluation.approaches import Approach, approaches_of
from causalcf.evaluation.flips import Flip, flip
from causalcf.evaluation.inputs import Inputs, load_inputs, load_runs
from causalcf.evaluation.judge import independence_warnings, judge_features
from causalcf.evaluation.links import relation
from causalcf.evaluation.realism import frechet_distance
from causalcf.io.files import write_atomically
from causalcf.labels.evidence import matching
from causalcf.language.lists import load_statements
from causalcf.language.statement import Statement
from causalcf.randomness import generator_of
from causalcf.runs.counterfactual import Worlds

CAUSES = ("Young", "Male", "Smiling")
POOL = 2048
RESAMPLES = 1000
SHARES = (
    ("shares", "statement", "label model, first run"),
    ("labels", "share of all images", "held-out images"),
    ("stays", "stays as it was", "label model, first run"),
)
FIGURES = ("statements", "taught", "held out", "no link", "effective", "changed")


def main() -> None:
    parser = argparse.ArgumentParser(description="What do statement constraints change?")
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--statements", default="faces-true", help="statements that the runs are asked about")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--budget", type=int, default=15)
    parser.add_argument("--out", type=Path, help="where the figures are kept, and found again")
    options = parser.parse_args()
    inputs = load_inputs(load_runs(options.runs, "auto", None), None, None, None, "auto")
    for doubt in independence_warnings(inputs.judge, inputs.runs):
        print(doubt, file=sys.stderr)
    measured = measured_or_kept(inputs, load_statements(options.statements), options.units, options.budget, options.out)
    console = Console(width=200)
    for shown in (table(measured), *(shares_table(measured, *one) for one in SHARES)):
        console.print(shown)


def measured_or_kept(
    inputs: Inputs, statements: dict[str, Statement], units: int, budget: int, out: Path | None
) -> list[dict[str, Any]]:
    """The figures of all runs, measured unless `out` has those of the same run, judge and question."""
    kept: dict[str, Any] = json.loads(out.read_text()) if out and out.is_file() else {}
    found, real = [], None
    for name, asked_run in inputs.runs.items():
        own = {what: known.get(name) for what, known in inputs.fingerprints.items() if what != "judge"}
        asked = (own, inputs.judge.fingerprint, statements, units, budget)
        key = f"{asked_run.folder.name} {hashlib.sha256(repr(asked).encode()).hexdigest()[:16]}"
        if key not in kept:
            real = _real_images(inputs) if real is None else real
            kept[key] = measure(inputs, name, statements, units, budget, real)
            print(name, json.dumps(kept[key]["shares"]), flush=True)
            if out:
                write_atomically(out, json.dumps(kept).encode())
        found.append(kept[key])
    return found


def measure(
    inputs: Inputs, name: str, statements: dict[str, Statement], units: int, budget: int, real: torch.Tensor
) -> dict[str, Any]:
    """All figures of one run, each unit's answer kept for the bootstrap."""
    run, judge = inputs.runs[name], inputs.judge
    found, _ = approaches_of(run, name, inputs.reference, judge, budget=budget)
    approach = next(one for one in found if one.kind.endswith("-do" if one.has_labels else ("-esm", "-do")))
    pool = approach.actual(POOL, {}, generator_of(0, "pool"))
    seen, seen_in_real = judge.read(pool.images), judge.read(real)
    flips = [_flip(approach, inputs, pool, seen, cause, units) for cause in CAUSES]
    taught = {(a, b) for one in statements.values() for a in one.antecedent for b in one.consequent}
    answers = {key: _share(approach, inputs, pool, one, units) for key, one in statements.items()}
    return {
        "key": f"{run.recipe.name} {approach.kind}",
        "seed": run.recipe.seed,
        "shares": answers,
        "labels": {
            label: {"seen": float(seen[:, i].double().mean()), "expected": float(seen_in_real[:, i].double().mean())}
            for i, label in enumerate(judge.nodes)
        },
        "stays": {name: share for one in flips for name, share in _stays(one, inputs).items()},
        "links": [link for one in flips for link in _links(one, inputs, taught)],
        "fd": frechet_distance(*(judge_features(judge.classifier, images) for images in (pool.images, real))),
        "reached": sum(len(one) for one in flips) / (units * len(flips)),
    }


def _flip(approach: Approach, inputs: Inputs, pool: Worlds, seen: torch.Tensor, cause: str, units: int) -> Flip:
    few = Worlds(pool.noise[:units], pool.labels[:units], pool.images[:units])
    return flip(approach, inputs.reference, inputs.judge.read, few, seen[:units], cause)


def _links(found: Flip, inputs: Inputs, taught: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Each label's answers to one cause: whether the cause itself shows, and how far each other label is off."""
    nodes, graph = inputs.reference.nodes, inputs.true_graph
    column = nodes.index(found.cause)
    shows = found.shown(column).double().tolist()
    links: list[dict[str, Any]] = [{"cause": found.cause, "effect": found.cause, "kind": "effective", "values": shows}]
    for i, effect in enumerate(nodes):
        if effect == found.cause:
            continue
        kind = {"edge": "held out", "ancestor": "path", "none": "no link"}[relation(graph, found.cause, effect)]
        kind = "taught" if (found.cause, effect) in taught else kind
        values = (found.effects[:, i] - found.references[:, i]).tolist()
        links.append({"cause": found.cause, "effect": effect, "kind": kind, "values": values})
        if kind == "no link":
            expected = (found.expected_after[:, i] - found.expected_before[:, i]).abs()
            moved = ((found.seen_after[:, i] != found.seen_before[:, i]).double() - expected).tolist()
            links.append({"cause": found.cause, "effect": effect, "kind": "changed", "values": moved})
    return links


def _stays(found: Flip, inputs: Inputs) -> dict[str, dict[str, Any]]:
    """How often labels without a path from the cause are read as before, and how often they should stay."""
    stays = {}
    for i, label in enumerate(inputs.reference.nodes):
        if label != found.cause and relation(inputs.true_graph, found.cause, label) == "none" and len(found) >= 8:
            seen = (found.seen_after[:, i] == found.seen_before[:, i]).double().mean()
            moved = (found.expected_after[:, i] - found.expected_before[:, i]).abs().mean()
            stays[f"{found.cause} flipped: {label}"] = {"seen": float(seen), "expected": 1 - float(moved)}
    return stays


def _share(approach: Approach, inputs: Inputs, pool: Worlds, statement: Statement, units: int) -> dict[str, Any]:
    """How often a statement's consequent shows among units of the pool, and how often it should."""
    nodes = inputs.reference.nodes
    rows = matching(pool.labels, nodes, statement.given).nonzero()[:units, 0]
    if len(rows) < 8:
        return {"n": 0, "seen": None, "expected": None}
    few = Worlds(pool.noise[rows], pool.labels[rows], pool.images[rows])
    antecedent = {name: torch.full((len(rows),), v, dtype=torch.int8) for name, v in statement.antecedent.items()}
    drawn = approach.counterfactual(few, antecedent, generator_of(0, str(statement)))
    if len(drawn.rows) < 8:
        return {"n": len(drawn.rows), "seen": None, "expected": None}
    read = inputs.judge.read(drawn.images)
    seen = matching(read, nodes, statement.consequent).double()
    expected = inputs.reference.expect(
        few.labels[drawn.rows], statement.antecedent, statement.consequent, approach.mode, approach.stickiness
    )
    known = expected[expected.isfinite()]
    return {"n": len(seen), "seen": float(seen.mean()), "expected": float(known.mean()) if len(known) else None}


def table(measured: Sequence[dict[str, Any]]) -> Table:
    """A row for each name of a run, its seeds averaged."""
    shown = Table("run", "seeds", *FIGURES, "reached", "FD(judge)")
    for key in dict.fromkeys(one["key"] for one in measured):
        runs = [one for one in measured if one["key"] == key]
        cells = [_cell(runs, figure) for figure in FIGURES]
        reached = sum(one["reached"] for one in runs) / len(runs)
        fds = [one["fd"] for one in runs]
        fd = f"{sum(fds) / len(fds):.1f} [{min(fds):.1f}, {max(fds):.1f}]"
        shown.add_row(key, ", ".join(str(one["seed"]) for one in runs), *cells, f"{reached:.2f}", fd)
    return shown


def shares_table(measured: Sequence[dict[str, Any]], kind: str, head: str, expected: str) -> Table:
    """A row for each share of a kind: what it is in each name's runs, in their order, and what it should be."""
    names = list(dict.fromkeys(one["key"] for one in measured))
    shown = Table(head, *names, expected)
    for row in dict.fromkeys(row for one in measured for row in one[kind]):
        cells = [
            " ".join(_share_cell(one[kind].get(row), "seen") for one in measured if one["key"] == name)
            for name in names
        ]
        shown.add_row(row, *cells, _share_cell(measured[0][kind].get(row), "expected"))
    return shown


def _share_cell(share: dict[str, Any] | None, part: str) -> str:
    return "-" if share is None or share[part] is None else f"{share[part]:.3f}"


def _cell(runs: Sequence[dict[str, Any]], figure: str) -> str:
    if figure == "statements":
        off = [
            abs(share["seen"] - share["expected"])
            for run in runs
            for share in run["shares"].values()
            if share["seen"] is not None and share["expected"] is not None
        ]
        return f"{sum(off) / len(off):.3f} ({len(off)})" if off else "-"
    draw = torch.Generator().manual_seed(0)
    links = [
        torch.tensor(link["values"], dtype=torch.float64)
        for run in runs
        for link in run["links"]
        if link["kind"] == figure and len(link["values"]) >= 8
    ]
    if not links:
        return "-"
    signed = figure in ("effective", "changed")
    value = _mean(links, signed)
    resampled = sorted(_mean([_again(one, draw) for one in links], signed) for _ in range(RESAMPLES))
    low, high = resampled[int(0.025 * RESAMPLES)], resampled[int(0.975 * RESAMPLES) - 1]
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _mean(links: Sequence[torch.Tensor], signed: bool) -> float:
    means = [float(values.mean()) for values in links]
    return sum(means if signed else map(abs, means)) / len(means)


def _again(values: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    return values[torch.randint(len(values), (len(values),), generator=draw)]


def _real_images(inputs: Inputs) -> torch.Tensor:
    data = inputs.held_out or inputs.data
    return to_unit_interval(data.batch(torch.arange(min(POOL, len(data)))))


if __name__ == "__main__":
    sys.exit(run(main))

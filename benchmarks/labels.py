"""How fast is the label side, and how does it grow with the graph?

    python benchmarks/labels.py [--rows 10000000] [--plot label-growth.png]

Rows sampled from CelebA's own law (graph celeba, nine nodes) and from one fitted on celeba-all (40 nodes), on all
cores; the time of that fit, to as many rows (of coins) as CelebA's table has; a million unit-level counterfactuals, on
one core; and how sampling and one exact query grow with nodes and in-degree, on random graphs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from causalcf.cli.command import run
from causalcf.data.faces.units import celeba_scm
from causalcf.errors import IntractableError
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.io.threads import available_cores
from causalcf.labels import LabelSCM, fit_label_scm

CELEBA_ROWS = 202_599
UNITS = 4096
NODES, PARENTS = (5, 9, 15, 25, 40), (1, 2, 4, 6)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the label side.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a picture of the growth")
    options = parser.parse_args()
    table = Table("what", "figure")
    _sampling(table, options.rows)
    _counterfactuals(table)
    growth = {parents: [_grown(nodes, parents) for nodes in NODES] for parents in PARENTS}
    for parents, rows in growth.items():
        for nodes, (sampled, query) in zip(NODES, rows, strict=True):
            said = "refused: too large" if query is None else f"a query {query * 1000:,.1f} ms"
            table.add_row(f"{nodes} nodes, {parents} parents", f"{sampled / 1e6:.1f} million rows/s; {said}")
    Console(width=100).print(table)
    if options.plot is not None:
        _draw(growth, options.plot)


def _sampling(table: Table, rows: int) -> None:
    torch.set_num_threads(available_cores())
    law, draw = celeba_scm(), torch.Generator().manual_seed(0)
    seconds = _seconds(lambda: law.sample(rows, generator=draw))
    table.add_row(f"{rows:,} rows of celeba", f"{seconds:.1f} s, {rows / seconds / 1e6:.1f} million rows/s")
    graph = load_graph("celeba-all")
    labels = torch.rand(CELEBA_ROWS, len(graph.nodes), generator=draw).round().to(torch.int8)
    start = time.perf_counter()
    fitted = fit_label_scm(graph, labels)
    table.add_row(f"celeba-all (40 nodes) fitted to {CELEBA_ROWS:,} rows", f"{time.perf_counter() - start:.1f} s")
    seconds = _seconds(lambda: fitted.sample(1_000_000, generator=draw))
    table.add_row("1,000,000 rows of celeba-all", f"{seconds:.2f} s, {1 / seconds:.2f} million rows/s")


def _counterfactuals(table: Table) -> None:
    """A million unit-level counterfactual probabilities, from as many units as are asked together, on one core."""
    torch.set_num_threads(1)
    law = celeba_scm()
    units = law.sample(UNITS, generator=torch.Generator().manual_seed(0))
    event = {"Narrow_Eyes": 1}
    asked = {
        "do Young=0, s=1": ("do", {"Young": 0}, 1.0),
        "observe Mustache=1, s=.53": ("observe", {"Mustache": 1}, 0.53),
    }
    for name, (mode, what, stickiness) in asked.items():
        ask = partial(law.counterfactual_probabilities, event, units, stickiness=stickiness, **{mode: what})
        seconds = _seconds(ask)
        table.add_row(f"1,000,000 counterfactual probabilities, {name}, one core", f"{1e6 / UNITS * seconds:.1f} s")
    torch.set_num_threads(available_cores())


def _grown(nodes: int, parents: int) -> tuple[float, float | None]:
    """Rows/s sampled from a random graph, and the seconds of one exact query; None where it is refused."""
    names = [f"X{i:02d}" for i in range(nodes)]
    draw = torch.Generator().manual_seed(nodes + 100 * parents)
    order = [torch.randperm(i, generator=draw)[:parents].tolist() for i in range(nodes)]
    edges = {name: [names[k] for k in chosen] for name, chosen in zip(names, order, strict=True)}
    scm = _random_scm(CausalGraph(edges))
    sampled = 200_000 / _seconds(lambda: scm.sample(200_000, generator=draw))
    try:
        return sampled, _seconds(lambda: scm.probability({names[-1]: 1}, given={names[0]: 1}))
    except IntractableError:
        return sampled, None


def _random_scm(graph: CausalGraph) -> LabelSCM:
    draw = torch.Generator().manual_seed(0)
    rows = torch.rand(20_000, len(graph.nodes), generator=draw).round().to(torch.int8)
    return fit_label_scm(graph, rows)


def _draw(growth: dict[int, list[tuple[float, float | None]]], out: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for parents, rows in growth.items():
        left.plot(NODES, [sampled / 1e6 for sampled, _ in rows], "o-", label=str(parents))
        known = [(n, query * 1000) for n, (_, query) in zip(NODES, rows, strict=True) if query is not None]
        right.plot([n for n, _ in known], [ms for _, ms in known], "o-")
    left.set(xlabel="nodes", ylabel="million rows sampled a second", yscale="log")
    right.set(xlabel="nodes", ylabel="ms for P(last | first), exactly", yscale="log")
    for axis in (left.yaxis, right.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    left.legend(title="parents")
    figure.savefig(out, dpi=120)


def _seconds(work: Callable[[], object]) -> float:
    """Of the second of two calls: the first may build what is kept."""
    work()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(run(main))

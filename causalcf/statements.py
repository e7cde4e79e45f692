"""Command `python -m causalcf.statements`: check statements for truth and conflicts.
The exit code is 1 if two statements conflict; `--json` prints the file, model and statements.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch

from .cli.command import run as run_command
from .cli.parser import Flags
from .data.celeba import celeba_tables
from .errors import ImpossibleWorldError, RunError, StatementError
from .graph.files import load_graph
from .graph.graph import CausalGraph, check_attributes
from .io.presets import preset_names
from .labels import LabelSCM, fit_label_scm
from .language.conflicts import Checked, check_statements, conflicts
from .language.lists import KIND, load_statements
from .language.modals import EPS
from .language.statement import Statement, Truth
from .language.statement_table import print_table, to_dict

DATA = ("faces", "celeba")

DESCRIPTION = """Are counterfactual statements true, and can they all be? Each is held against an exact label model.

statements: "If SOMEONE PREDICATE, PRONOUN might|would [not]|would probably|likely [not] PREDICATE", from a YAML file.
  P is the consequent's probability; "not so before" is the same among those of whom the consequent does not hold yet,
  where the statement leaves that open. Exit code 1: two statements conflict, whatever the model.
"""
EXAMPLES = """examples:
  python -m causalcf.statements celeba
  python -m causalcf.statements mine.yaml --graph graphs/celeba.yaml --stickiness .77
  python -m causalcf.statements celeba --run runs/latest --json
"""


@dataclass(frozen=True)
class StatementOptions:
    """Options of the statements command."""

    file: str
    graph: str = "celeba"
    data: str = "faces"
    data_root: str | None = None
    run: str | None = None
    stickiness: float = 1.0
    eps: float = EPS
    as_json: bool = False


def parse_options(arguments: Sequence[str]) -> StatementOptions:
    """Parse the arguments and check everything that needs no file to be loaded."""
    options = _parser().parse_checked(arguments, shares=("stickiness",))
    if not 0 <= options.eps < 0.5:
        raise StatementError(f"--eps is {options.eps:g}; it must lie in [0, .5)")
    if options.run is not None and (options.graph, options.data, options.data_root) != (None, None, None):
        raise StatementError("--run has a graph and labels of its own; leave out --graph, --data and --data-root")
    if options.data_root is not None and options.data != "celeba":
        raise StatementError("--data-root goes with --data celeba")
    if options.data == "celeba" and options.data_root is None:
        raise StatementError("--data celeba needs --data-root: the folder that holds CelebA's tables")
    return StatementOptions(
        file=options.file,
        graph=options.graph or "celeba",
        data=options.data or "faces",
        data_root=options.data_root,
        run=options.run,
        stickiness=options.stickiness,
        eps=options.eps,
        as_json=options.json,
    )


def _parser() -> Flags:
    parser = Flags(
        refuse=StatementError,
        prog="python -m causalcf.statements",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", metavar="FILE", help=f"a file of statements, or one of: {', '.join(preset_names(KIND))}")
    add("--graph", metavar="GRAPH", help="the causal graph: a file or a preset (celeba)")
    add("--data", choices=DATA, help="whose labels: those of faces, known exactly, or CelebA's, counted (faces)")
    add("--data-root", metavar="FOLDER", help="where CelebA's tables lie")
    add("--run", metavar="FOLDER", help="ask the label model of a trained run instead")
    sticky = "probability that a noise is kept (1)"
    add("--stickiness", type=float, default=1.0, metavar="S", help=sticky)
    add("--eps", type=float, default=EPS, metavar="E", help=f"the tolerance of might and would ({EPS:g})")
    add("--json", action="store_true", help="print JSON and nothing else")
    return parser


def label_model(graph: str, data: str, data_root: str | None = None) -> LabelSCM:
    """Fit a graph to a data set's labels: exact for faces, maximum likelihood for CelebA."""
    wanted = load_graph(graph)
    if data == "faces":
        from .data.faces import true_scm

        check_attributes(wanted, true_scm().graph.nodes, "data set 'faces'")
        return project(true_scm(), wanted)
    table, splits = celeba_tables(str(data_root))
    check_attributes(wanted, table.names, "data set 'celeba'")
    rows = [row for row, split in enumerate(splits) if split == "train"]
    columns = [table.names.index(node) for node in wanted.nodes]
    return fit_label_scm(wanted, torch.from_numpy(table.values[rows][:, columns]))


def run_model(folder: str) -> LabelSCM:
    """Return the label model of a trained run; RunError if the run has none."""
    from .runs.run import load_run

    run = load_run(folder, "cpu")
    if run.labels is None:
        raise RunError(f"{run.folder.name} is a dcgan run: it has no label model; ask --graph and --data instead")
    return run.labels


def project(true_scm: LabelSCM, graph: CausalGraph) -> LabelSCM:
    """Return the fit of a graph to infinitely many labels of a true SCM; that SCM on its own graph."""
    if {n: set(graph.parents(n)) for n in graph.nodes} == {
        n: set(true_scm.graph.parents(n)) for n in true_scm.graph.nodes
    }:
        return true_scm
    tables = {}
    for node in graph.nodes:
        parents = graph.parents(node)
        cells = [
            _one(true_scm, node, dict(zip(parents, cell, strict=True))) for cell in product((0, 1), repeat=len(parents))
        ]
        tables[node] = torch.tensor(cells, dtype=torch.float64).reshape((2,) * len(parents))
    return LabelSCM.from_probabilities(graph, tables)


def _one(true_scm: LabelSCM, node: str, given: dict[str, int]) -> float:
    try:
        return min(true_scm.probability({node: 1}, given=given), 1.0)
    except ImpossibleWorldError:
        return true_scm.probability({node: 1})


__all__ = ["Checked", "Statement", "Truth", "check_statements", "conflicts", "load_statements", "main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are checked."""
    options = parse_options(sys.argv[1:] if arguments is None else arguments)
    found = _check(options)
    if options.as_json:
        model = options.run or f"{options.data} on {options.graph}"
        head = {"file": options.file, "model": model, "stickiness": options.stickiness, "eps": options.eps}
        print(json.dumps({**head, "statements": list(map(to_dict, found))}, indent=2, allow_nan=False))
    else:
        from rich.console import Console

        print_table(found, options.eps, Console())
    return 1 if any(one.conflicts for one in found) else 0


def _check(options: StatementOptions) -> list[Checked]:

    if options.run is not None:
        scm = run_model(options.run)
    else:
        scm = label_model(options.graph, options.data, options.data_root)
    return check_statements(load_statements(options.file, scm.graph.nodes), scm, options.stickiness, options.eps)


if __name__ == "__main__":
    sys.exit(run_command(main))

"""Command `python -m causalcf.statements`: check statements for truth and conflicts.
The exit code is 1 if two statements conflict; `--json` prints the file, model and statements.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal

from .checks import option
from .cli.command import run as run_command
from .cli.parser import CommandOptions, parse_command
from .errors import ImpossibleWorldError, RunError, StatementError
from .graph.files import load_graph
from .graph.graph import CausalGraph, check_attributes
from .language.conflicts import check_statements, print_table, to_dict
from .language.lists import load_statements
from .language.modals import EPS

if TYPE_CHECKING:
    from .labels import LabelSCM

DESCRIPTION = """Are counterfactual statements true, and can all of them be true together? An exact label model decides.

statements: "If SOMEONE PREDICATE, PRONOUN might|would [not]|would probably|likely [not] PREDICATE", from a YAML file.
  P is the probability of the consequent. "not so before" is this probability among people for whom the consequent does
  not hold in the actual world; it is empty if the statement already says whether the consequent holds. The exit code is
  1 if two statements conflict. A conflict does not depend on the model.
"""
EXAMPLES = """examples:
  python -m causalcf.statements celeba
  python -m causalcf.statements mine.yaml --graph graphs/celeba.yaml --stickiness .77
  python -m causalcf.statements celeba --run runs/latest --json
"""


@dataclass(frozen=True)
class StatementOptions(CommandOptions):
    """Options of `python -m causalcf.statements`."""

    _error = StatementError
    file: str = option("", "a file of statements, or a preset such as celeba", name="file", metavar="FILE")
    graph: str | None = option(None, "causal graph: a YAML file or a preset; default: celeba", metavar="GRAPH")
    data: Literal["faces", "celeba"] | None = option(
        None, "data of the label model. faces (default): the exact law of rendered faces; celeba: fit to CelebA's table"
    )
    data_root: str | None = option(None, "folder of CelebA's tables", metavar="FOLDER")
    run: str | None = option(None, "use the label model of a trained run instead", metavar="RUN")
    stickiness: float = option(1.0, "probability that a noise is kept", low=0, high=1, metavar="S")
    eps: float = option(EPS, "tolerance of might and would", low=0, below=0.5, metavar="E")
    as_json: bool = option(False, "print JSON only", name="--json", action="store_true")


def parse_options(arguments: Sequence[str] | None) -> StatementOptions:
    """Parse the arguments and check everything that needs no file to be loaded."""
    options = parse_command(StatementOptions, arguments, "statements", DESCRIPTION, EXAMPLES)
    if options.run is not None and (options.graph, options.data, options.data_root) != (None, None, None):
        raise StatementError("--run has a graph and labels of its own; leave out --graph, --data and --data-root")
    if options.data_root is not None and options.data != "celeba":
        raise StatementError("--data-root goes with --data celeba")
    if options.data == "celeba" and options.data_root is None:
        raise StatementError("--data celeba needs --data-root: the folder that holds CelebA's tables")
    return replace(options, graph=options.graph or "celeba", data=options.data or "faces")


def label_model(graph: str, data: str, data_root: str | None = None) -> LabelSCM:
    """Fit a graph to a data set's labels: exact for faces, maximum likelihood for CelebA."""
    import torch

    from .data.celeba import celeba_tables
    from .labels import fit_label_scm

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
    """Return the label model in a run's checkpoint, without building networks; RunError if the run has none."""
    from .runs.directory import find_run, read_run, stored_weights

    place = find_run(folder)
    *_, scm = read_run(place, stored_weights(place))
    if scm is None:
        raise RunError(f"{place.name} is a dcgan run: it has no label model; ask --graph and --data instead")
    return scm


def project(true_scm: LabelSCM, graph: CausalGraph) -> LabelSCM:
    """Return the fit of a graph to infinitely many labels of a true SCM; that SCM on its own graph."""
    own, asked = ({node: set(one.parents(node)) for node in one.nodes} for one in (true_scm.graph, graph))
    if own == asked:
        return true_scm
    import torch

    from .labels import LabelSCM

    tables = {}
    for node in graph.nodes:
        parents = graph.parents(node)
        values = product((0, 1), repeat=len(parents))
        cells = [_probability(true_scm, node, dict(zip(parents, cell, strict=True))) for cell in values]
        tables[node] = torch.tensor(cells, dtype=torch.float64).reshape((2,) * len(parents))
    return LabelSCM.from_probabilities(graph, tables)


def _probability(true_scm: LabelSCM, node: str, given: dict[str, int]) -> float:
    try:
        return min(true_scm.probability({node: 1}, given=given), 1.0)
    except ImpossibleWorldError:
        return true_scm.probability({node: 1})


def main(arguments: list[str] | None = None) -> int:
    """Run the command; torch is imported only after the options are checked."""
    options = parse_options(arguments)
    if options.run is not None:
        scm = run_model(options.run)
    else:
        scm = label_model(str(options.graph), str(options.data), options.data_root)
    statements = load_statements(options.file, scm.graph.nodes)
    found = check_statements(statements, scm, options.stickiness, options.eps)
    if options.as_json:
        model = options.run or f"{options.data} on {options.graph}"
        head = {"file": options.file, "model": model, "stickiness": options.stickiness, "eps": options.eps}
        print(json.dumps({**head, "statements": list(map(to_dict, found))}, indent=2, allow_nan=False))
    else:
        from rich.console import Console

        print_table(found, options.eps, Console())
    return 1 if any(one.conflicts for one in found) else 0


if __name__ == "__main__":
    sys.exit(run_command(main))

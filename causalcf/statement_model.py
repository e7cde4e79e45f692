"""The label model that statements are held against: of faces' own law, of CelebA's table, or of a trained run."""

from __future__ import annotations

from itertools import product

import torch

from .data.celeba import celeba_tables
from .errors import ImpossibleWorldError, RunError
from .graph import CausalGraph, check_attributes
from .graph_io import load_graph
from .labels import LabelSCM, fit_label_scm


def label_model(graph: str, data: str, data_root: str | None = None) -> LabelSCM:
    """The maximum-likelihood label model of a data set on a graph.

    Args:
        graph: a file, or a preset's name.
        data: "faces", whose law is known, or "celeba", whose training labels are counted.
        data_root: where CelebA's tables lie; its images are not needed.

    Raises:
        GraphError: no such graph, or a node that is no attribute of the data.
        DataError: no tables.
    """
    wanted = load_graph(graph)
    if data == "faces":
        from .data.faces import law

        check_attributes(wanted, law().graph.nodes, "data set 'faces'")
        return project(law(), wanted)
    table, splits = celeba_tables(str(data_root))
    check_attributes(wanted, table.names, "data set 'celeba'")
    rows = [row for row, split in enumerate(splits) if split == "train"]
    columns = [table.names.index(node) for node in wanted.nodes]
    return fit_label_scm(wanted, torch.from_numpy(table.values[rows][:, columns]))


def run_model(folder: str) -> LabelSCM:
    """The label model of a trained run.

    Raises:
        RunError: no such run, or one without labels.
    """
    from .worlds.run import load_run

    run = load_run(folder, "cpu")
    if run.labels is None:
        raise RunError(f"{run.folder.name} is a dcgan run: it has no label model; ask --graph and --data instead")
    return run.labels


def project(law: LabelSCM, graph: CausalGraph) -> LabelSCM:
    """What fitting a graph to endlessly many labels drawn from a law would give; the law itself on its own graph.

    Where parents never occur so, a node has its marginal, as in `fit_label_scm`.
    """
    if {n: set(graph.parents(n)) for n in graph.nodes} == {n: set(law.graph.parents(n)) for n in law.graph.nodes}:
        return law
    tables = {}
    for node in graph.nodes:
        parents = graph.parents(node)
        cells = [
            _one(law, node, dict(zip(parents, cell, strict=True))) for cell in product((0, 1), repeat=len(parents))
        ]
        tables[node] = torch.tensor(cells, dtype=torch.float64).reshape((2,) * len(parents))
    return LabelSCM.from_probabilities(graph, tables)


def _one(law: LabelSCM, node: str, given: dict[str, int]) -> float:
    try:
        return min(law.probability({node: 1}, given=given), 1.0)
    except ImpossibleWorldError:
        return law.probability({node: 1})

"""Statements and label models for the properties."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from causalcf.graph.graph import CausalGraph
from causalcf.language.modals import MODALS
from causalcf.language.statement import Statement
from causalcf.language.vocabulary import CELEBA_ATTRIBUTES
from helpers.dags import listings
from helpers.label_oracles import Case, threshold_case

GRAIN = 8


def conditions(least: int, most: int, nodes: tuple[str, ...] = CELEBA_ATTRIBUTES) -> st.SearchStrategy[dict[str, int]]:
    names = st.lists(st.sampled_from(nodes), min_size=least, max_size=min(most, len(nodes)), unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: st.integers(0, 1) for name in chosen}))


def statements(nodes: tuple[str, ...] = CELEBA_ATTRIBUTES, most: int = 3) -> st.SearchStrategy[Statement]:
    """Over some labels, with up to `most` conditions in the antecedent and in the consequent."""
    modals, modes = st.sampled_from([*MODALS]), st.sampled_from(["do", "observe"])
    parts = (conditions(0, 4, nodes), conditions(1, most, nodes), modals, conditions(1, most, nodes), modes)
    return st.builds(Statement, *parts)


@st.composite
def models(draw: st.DrawFn, max_nodes: int = 4) -> Case:
    """Random models on random graphs of CelebA's attributes; impossible events are exactly impossible."""
    graph = CausalGraph(draw(listings(max_nodes, st.sampled_from(CELEBA_ATTRIBUTES))))
    tables = {}
    for node in graph.nodes:
        p = len(graph.parents(node))
        cells = draw(st.lists(st.integers(0, GRAIN), min_size=2**p, max_size=2**p))
        tables[node] = np.array(cells, dtype=float).reshape((2,) * p) / GRAIN
    return threshold_case(graph, tables)

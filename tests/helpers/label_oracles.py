"""Brute force: label laws and counterfactuals by listing every configuration and every atom of noise.

Nothing here uses the elimination, the twin network or the transitions under test. A node is a list of noise atoms:
weights (A,), and for each atom the bit it answers to each parent configuration (A, 2^p). A threshold node has one atom
for each interval between its probabilities, which is exact, and a response node one for each pool point.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from hypothesis import strategies as st
from scipy import stats

from causalcf.esm import DiscreteSCM
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, NeuralMechanism, ResponseMechanism
from causalcf.labels.evidence import configurations

ALPHA = 1e-5  # of every statistical test


@dataclass
class Atoms:
    weights: np.ndarray
    bits: np.ndarray

    @property
    def table(self) -> np.ndarray:
        return self.weights @ self.bits


@dataclass
class Case:
    graph: CausalGraph
    scm: LabelSCM
    atoms: dict[str, Atoms]

    def _repr_pretty_(self, printer, cycle) -> None:
        """A failing example in hypothesis' report, which would ask the graph for its constructor's argument."""
        listing = {node: self.graph.parents(node) for node in self.graph.nodes}
        bits = {node: (atoms.weights.tolist(), atoms.bits.tolist()) for node, atoms in self.atoms.items()}
        printer.text(f"Case({listing}, atoms={bits})")

    def joint(self, do=None) -> dict[tuple[int, ...], float]:
        """P(labels | do) of all 2^d configurations."""
        do, nodes, law = do or {}, self.graph.nodes, {}
        for cell in itertools.product((0, 1), repeat=len(nodes)):
            world, weight = dict(zip(nodes, cell, strict=True)), 1.0
            for node in nodes:
                one = self.atoms[node].table[number(world, self.graph.parents(node))]
                if node in do:
                    one = float(do[node])
                weight *= one if world[node] else 1.0 - one
            law[cell] = weight
        return law

    def probability(self, event, given=None, do=None) -> tuple[float, float]:
        """P(event and given | do), P(given | do)."""
        nodes, both, below = self.graph.nodes, 0.0, 0.0
        for cell, weight in self.joint(do).items():
            world = dict(zip(nodes, cell, strict=True))
            if holds(world, given or {}):
                below += weight
                both += weight * holds(world, event)
        return both, below

    @cached_property
    def model(self) -> DiscreteSCM:
        """The same model with its noise split into atoms: what the extended structural model says by definition."""
        distributions = {f"u{node}": dict(enumerate(atoms.weights)) for node, atoms in self.atoms.items()}
        return DiscreteSCM(distributions, {node: self._equation(node) for node in self.graph.nodes})

    def _equation(self, node: str):
        bits, parents = self.atoms[node].bits, self.graph.parents(node)
        return lambda v: int(bits[v[f"u{node}"], number(v, parents)])

    def pearl(self, event, facts, do) -> tuple[float, float]:
        """P(event under do, facts), P(facts), by abduction, action and prediction on every combination of atoms."""
        weights = np.ones(1)
        for node in self.graph.nodes:
            weights = np.kron(weights, self.atoms[node].weights)
        allowed = np.array([holds(world, facts) for world in self.worlds({})])
        hit = np.array([holds(world, event) for world in self.worlds(do)])
        return float(weights @ (allowed & hit)), float(weights @ allowed)

    def worlds(self, do) -> list[dict[str, int]]:
        """The labels under each combination of atoms, the last node's atom the fastest."""
        found = []
        for chosen in itertools.product(*(range(len(self.atoms[n].weights)) for n in self.graph.nodes)):
            world: dict[str, int] = {}
            for node, atom in zip(self.graph.nodes, chosen, strict=True):
                bit = int(self.atoms[node].bits[atom, number(world, self.graph.parents(node))])
                world[node] = do.get(node, bit)
            found.append(world)
        return found


def number(world: dict[str, int], parents: tuple[str, ...]) -> int:
    return int("".join(str(world[p]) for p in parents) or "0", 2)


def holds(world: dict[str, int], event) -> bool:
    return all(world[name] == value for name, value in event.items())


def threshold_atoms(table: np.ndarray) -> Atoms:
    cuts = np.unique(np.concatenate([[0.0, 1.0], table.reshape(-1)]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    return Atoms(np.diff(cuts), (middles[:, None] < table.reshape(-1)).astype(float))


def threshold_case(graph: CausalGraph, tables: dict[str, np.ndarray]) -> Case:
    atoms = {node: threshold_atoms(table) for node, table in tables.items()}
    return Case(graph, LabelSCM.from_probabilities(graph, tables), atoms)


def neural_case(graph: CausalGraph, seed: int) -> Case:
    """Networks of two hidden units with normal weights; their thresholds are read off all parent configurations."""
    g, mechanisms, atoms = torch.Generator().manual_seed(seed), {}, {}
    for node in graph.nodes:
        p = len(graph.parents(node))
        parts = (torch.randn(s, generator=g, dtype=torch.float64) for s in ((), (p,), (2, p), (2,), (2,)))
        mechanisms[node] = NeuralMechanism(*parts)
        atoms[node] = threshold_atoms(mechanisms[node].probability(configurations(p)).numpy())
    return Case(graph, LabelSCM(graph, mechanisms), atoms)


def response_case(graph: CausalGraph, bits: dict[str, np.ndarray]) -> Case:
    mechanisms = {node: ResponseMechanism(torch.from_numpy(b)) for node, b in bits.items()}
    atoms = {node: Atoms(np.full(b.shape[1], 1 / b.shape[1]), b.T.astype(float)) for node, b in bits.items()}
    return Case(graph, LabelSCM(graph, mechanisms), atoms)


@st.composite
def graphs(draw, max_nodes: int, max_parents: int) -> CausalGraph:
    """Random DAGs, listed in an order that is not the causal one, parents in any order."""
    names = draw(st.permutations("ABCDEF"[: draw(st.integers(1, max_nodes))]))
    listing = {}
    for i, name in enumerate(names):
        parents = draw(st.permutations(names[:i]))
        listing[name] = list(parents[: draw(st.integers(0, min(i, max_parents)))])
    return CausalGraph({name: listing[name] for name in draw(st.permutations(names))})


@st.composite
def cases(
    draw,
    max_nodes: int = 6,
    max_parents: int = 5,
    kinds=("threshold", "response"),
    points: int = 4,
    grain: int = 16,
) -> Case:
    """Random models; tables hold multiples of 1/grain, so that impossible events are exactly impossible."""
    kind = draw(st.sampled_from(kinds))
    graph = draw(graphs(max_nodes, max_parents))
    if kind == "neural":
        return neural_case(graph, draw(st.integers(0, 2**31)))
    numbers = {}
    for node in graph.nodes:
        p = len(graph.parents(node))
        if kind == "threshold":
            cells = draw(st.lists(st.integers(0, grain), min_size=2**p, max_size=2**p))
            numbers[node] = np.array(cells, dtype=float).reshape((2,) * p) / grain
        else:
            rows = draw(st.lists(st.integers(0, 2**points - 1), min_size=2**p, max_size=2**p))
            numbers[node] = np.array([[r >> k & 1 for k in range(points)] for r in rows], dtype=np.uint8)
    return (threshold_case if kind == "threshold" else response_case)(graph, numbers)


@st.composite
def events(draw, graph: CausalGraph, min_size: int = 0) -> dict[str, int]:
    names = draw(st.lists(st.sampled_from(graph.nodes), unique=True, min_size=min_size))
    return {name: draw(st.integers(0, 1)) for name in names}


@st.composite
def known_labels(draw, case: Case, complete: bool = False) -> dict[str, int]:
    """Some labels of a unit that can occur, or all of them."""
    nodes = case.graph.nodes
    unit = case.scm.sample(1, generator=torch.Generator().manual_seed(draw(st.integers(0, 2**31))))
    names = nodes if complete else draw(st.lists(st.sampled_from(nodes), unique=True))
    return {name: int(unit[0, nodes.index(name)]) for name in names}


def chi_square(counts: np.ndarray, expected: np.ndarray) -> float:
    """p-value of observed cell counts; cells expected less than 5 times are pooled, impossible ones must be empty."""
    counts, expected = np.asarray(counts, float).reshape(-1), np.asarray(expected, float).reshape(-1)
    if counts[expected <= 0].sum() > 0:
        return 0.0
    small = expected < 5
    observed, wanted = counts[~small], expected[~small]
    if small.any() and expected[small].sum() > 0:
        observed, wanted = np.append(observed, counts[small].sum()), np.append(wanted, expected[small].sum())
    if len(wanted) < 2:
        return 1.0
    return float(stats.chi2.sf(((observed - wanted) ** 2 / wanted).sum(), len(wanted) - 1))

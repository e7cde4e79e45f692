"""`LabelSCM`: structural causal model of binary labels on a causal graph, with exact answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..checks import check, check_choice, check_count, check_floats
from ..errors import CausalCFError, GraphError, ImpossibleWorldError, IntractableError, unknown
from ..graph.graph import CausalGraph
from ..io.untrusted import first_line
from ..randomness import fresh
from .bridges import Bridges
from .counterfactuals import CounterfactualQueries, actual_world, parent_indices
from .elimination import log_probability, sample_network
from .evidence import as_labels, assignment, check_agree, configurations, merge, units
from .interventions import Policy, split
from .mechanisms import Mechanism, NeuralMechanism, ResponseMechanism, TableMechanism

KINDS: dict[str, type[Mechanism]] = {m.kind: m for m in (TableMechanism, NeuralMechanism, ResponseMechanism)}


MAX_JOINT = 20  # labels in a joint table: 2^20 cells, 8 MiB


class LabelSCM(CounterfactualQueries, Bridges):
    """Structural causal model of binary labels.

    Labels are 0/1 in the order `graph.nodes`; dicts name attributes. Answers are on the CPU, probabilities in float64.
    Wherever a dict takes 0 or 1, it also takes an (n,) array with one value for each unit. `do` also takes
    interventions that set no value: `Soft`, `Stochastic`, `Conditional`.

    Given the noise, composition, effectiveness and reversibility (Galles and Pearl 1998) hold exactly, for all
    mechanisms. Threshold noise (tables and networks fitted by likelihood) is also monotone: an intervention that raises
    a label's probability never turns that label from 1 to 0. An adversarial label generator keeps the coupling that its
    network has learned. This coupling need not be monotone: labels alone do not determine it. From labels alone,
    without their noise, reversibility holds in distribution if the antecedent is a whole ancestral set, such as a root.

    Args:
        graph: the causal graph.
        mechanisms: node -> Mechanism, for every node, with parents in the order `graph.parents(node)`.

    Raises:
        GraphError: a missing mechanism, one of an unknown node, or one for another number of parents.

    Source: defined here; threshold noise and the twin-world queries as in Lucas and Kemp (2015).

    Examples:
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.75, "Bald": [0.1, 0.02]})
        >>> round(scm.probability({"Bald": 1}, do={"Young": 0}), 4)
        0.1
    """

    def __init__(self, graph: CausalGraph, mechanisms: Mapping[str, Mechanism]) -> None:
        check(isinstance(graph, CausalGraph), "graph", graph, "a CausalGraph", GraphError)
        sound = isinstance(mechanisms, Mapping) and all(isinstance(one, Mechanism) for one in mechanisms.values())
        check(sound, "mechanisms", mechanisms, "a mapping from nodes to mechanisms", GraphError)
        for node in mechanisms:
            if node not in graph.nodes:
                raise GraphError("mechanisms: " + unknown("attribute", node, graph.nodes))
        for node in graph.nodes:
            if node not in mechanisms:
                raise GraphError(f"mechanisms: {node!r} has none; give one for each of {', '.join(graph.nodes)}")
            wanted, found = len(graph.parents(node)), mechanisms[node].n_parents
            if wanted != found:
                raise GraphError(f"mechanisms: {node!r} needs one of {wanted} parents, not of {found}")
        self.graph = graph
        self._max_cells: int | None = None
        self.mechanisms: dict[str, Mechanism] = {node: mechanisms[node] for node in graph.nodes}
        self._ordered = list(self.mechanisms.values())
        self._parents = parent_indices(graph)

    @property
    def max_cells(self) -> int | None:
        """The largest table that an exact query may build, in cells of 8 bytes; None means 2^22."""
        return self._max_cells

    @max_cells.setter
    def max_cells(self, most: int | None) -> None:
        check(
            most is None or (type(most) is int and most >= 1), "max_cells", most, "a whole number, at least 1, or None"
        )
        self._max_cells = most

    @classmethod
    def from_probabilities(cls, graph: CausalGraph, probabilities: Mapping[str, Any]) -> LabelSCM:
        """Return the model with threshold noise on given tables.

        Args:
            graph: the causal graph.
            probabilities: node -> P(node=1 | parents): a number for a node without parents, else (names, array), where
                `names` are the parents in any order and the array has shape (2,)*len(parents), one axis for each name.
                An array alone has its axes in the order `graph.parents(node)`.

        Raises:
            GraphError: a node without a table, a parent that is unknown, missing or named twice, a table of another
                shape, or a value outside [0, 1].

        Examples:
            >>> graph = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"]})
            >>> bald = ("Young", "Male"), [[0.00027, 0.11263], [0.00013, 0.01946]]
            >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.7736, "Male": 0.4168, "Bald": bald})
            >>> round(scm.probability({"Bald": 1}, do={"Young": 0, "Male": 1}), 5)
            0.11263
        """
        check(isinstance(probabilities, Mapping), "probabilities", probabilities, "a mapping from nodes", GraphError)
        check(isinstance(graph, CausalGraph), "graph", graph, "a CausalGraph", GraphError)
        tables = {}
        for node, table in probabilities.items():
            parents = graph.parents(node)
            try:
                tables[node] = TableMechanism.of_parents(parents, table)
            except (CausalCFError, TypeError, ValueError, RuntimeError) as error:
                axes = f"(names, array), one axis of two for each of {', '.join(parents)}" if parents else "one number"
                raise GraphError(f"probabilities of {node!r}: {error}; expected {axes}") from error
        return cls(graph, tables)

    def probability(
        self, event: Mapping[str, Any], given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None
    ) -> float:
        """Return P(event | given, do), exactly. `given` conditions on the world after the intervention.

        Raises:
            CausalCFError: an unknown attribute or a value other than 0 and 1.
            ImpossibleWorldError: `given` has probability zero or contradicts `do`.
            IntractableError: a table would be too large; says which.

        Examples:
            >>> graph = CausalGraph({"Male": [], "Mustache": ["Male"]})
            >>> scm = LabelSCM.from_probabilities(graph, {"Male": 0.5, "Mustache": [0.0, 0.25]})
            >>> scm.probability({"Male": 1}, given={"Mustache": 1}), scm.probability({"Male": 1}, do={"Mustache": 1})
            (1.0, 0.5)
        """
        do, policies = split(self.graph, do)
        if policies:
            return self._under(policies).probability(event, given, do)
        asked = assignment(self.graph.nodes, "event", event)
        held, cut = self._world(given, do)
        if units(asked, held, cut) != 1:
            raise CausalCFError("probability takes one value for each attribute; ask for one unit at a time")
        fixed, possible = merge({**held, **cut}, asked, 1)
        network = actual_world(self._parents, self._ordered, set(cut))
        below = log_probability(network, {**held, **cut}, 1, self._name, self._max_cells)
        self._check_weight(below, "given", held)
        if not bool(possible):
            return 0.0
        above = log_probability(network, fixed, 1, self._name, self._max_cells)
        return float((above - below).exp().clamp(max=1.0))  # rounding may exceed 1 by 1e-15

    def sample(
        self,
        n: int,
        do: Mapping[str, Any] | None = None,
        given: Mapping[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Draw all labels exactly, given `given` after `do`. All n draws are returned.

        Variable elimination covers only the ancestors of `given` whose values are unknown; all other labels are sampled
        forwards. Where these ancestors are too many, rows are drawn forwards until `given` holds, at most 2^22 + 16 n.

        Args:
            n: number of units.
            do, given: {name: 0 or 1, or an (n,) array}.
            generator: source of randomness; if None, a new one is seeded by the operating system.

        Returns:
            (n, d) int8 tensor, columns in the order `graph.nodes`.

        Raises:
            as in `probability`.
        """
        check_count("n", n, least=0, each=len(self._ordered))
        do, policies = split(self.graph, do)
        if policies:
            return self._under(policies).sample(n, do, given, generator)
        held, cut = self._world(given, do)
        b = units(held, cut)
        if b not in (1, n):
            raise CausalCFError(f"sample: arrays of {b} values for {n} units; give one value a unit, or one for all")
        network = actual_world(self._parents, self._ordered, set(cut))
        draws = n if b == 1 else 1
        weight, values = sample_network(
            network, {**held, **cut}, b, draws, fresh(generator), self._name, self._max_cells
        )
        self._check_weight(weight, "given", held)
        return torch.stack([values[i].reshape(n) for i in range(len(self._ordered))], 1)

    def log_probability(self, labels: Any) -> torch.Tensor:
        """Return log P(labels) of each row of an (n, d) 0/1 array, (n,) float64; -inf where impossible."""
        labels = as_labels(labels, self.graph.nodes)
        total = torch.zeros(len(labels), dtype=torch.float64)
        for i, mechanism in enumerate(self._ordered):
            p = mechanism.probability(labels[:, self._parents[i]])
            total += torch.where(labels[:, i].bool(), p, 1.0 - p).log()
        return total

    def joint(self, do: Mapping[str, Any] | None = None) -> torch.Tensor:
        """Return the table of P(labels | do), (2,)*d float64, axes in the order `graph.nodes`.

        Raises:
            IntractableError: more than 20 labels.
            CausalCFError: an array of several values in `do`.
        """
        d = len(self._ordered)
        if d > MAX_JOINT:
            limit = f"the limit is 2^{MAX_JOINT}; draw rows by sample"
            raise IntractableError(f"the joint table over {d} labels has 2^{d} cells; {limit}")
        do, policies = split(self.graph, do)
        if policies:
            return self._under(policies).joint(do)
        _, cut = self._world(None, do)
        if units(cut) != 1:
            raise CausalCFError("joint takes one value for each attribute; ask for one unit at a time")
        table = torch.ones(1, dtype=torch.float64)
        for i, mechanism in enumerate(self._ordered):
            if i in cut:
                one = cut[i].double().expand(len(table))
            else:
                one = mechanism.probability(configurations(i)[:, self._parents[i]])
            table = torch.stack([table * (1.0 - one), table * one], 1).reshape(-1)
        return table.reshape((2,) * d)

    def sample_noise(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw all exogenous noise, (n, d) float64 in [0, 1)."""
        check_count("n", n, least=0, each=len(self._ordered))
        generator = fresh(generator)
        return torch.stack([m.sample_noise(n, generator) for m in self._ordered], 1)

    def respond(self, noise: torch.Tensor, do: Mapping[str, Any] | None = None) -> torch.Tensor:
        """Return the labels that (n, d) noise gives, (n, d) int8. `do` replaces the equations of the named labels."""
        check_floats("noise", noise, (None, len(self._ordered)), f"(n, {len(self._ordered)})")
        check(bool(((noise >= 0) & (noise < 1)).all()), "noise", noise, "in [0, 1)")
        do, policies = split(self.graph, do)
        if policies:
            return self._under(policies).respond(noise, do)
        _, cut = self._world(None, do)
        if units(cut) not in (1, len(noise)):
            raise CausalCFError(f"respond: arrays of {units(cut)} values for {len(noise)} units; give one a unit")
        labels = torch.empty(noise.shape, dtype=torch.int8)
        for i, mechanism in enumerate(self._ordered):
            labels[:, i] = cut[i] if i in cut else mechanism.respond(labels[:, self._parents[i]], noise[:, i])
        return labels

    def abduct(self, labels: Any, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw each unit's noise given all its labels, (n, d) float64; `respond` maps it back to the labels.

        Raises:
            ImpossibleWorldError: labels of probability zero; names the attribute.
        """
        labels, generator = as_labels(labels, self.graph.nodes), fresh(generator)
        columns = []
        for i, (node, mechanism) in enumerate(self.mechanisms.items()):
            try:
                columns.append(mechanism.abduct(labels[:, i], labels[:, self._parents[i]], generator))
            except ImpossibleWorldError as error:
                raise ImpossibleWorldError(f"{node}, {error}") from None
        return torch.stack(columns, 1)

    def to_state(self) -> dict[str, Any]:
        """Return the model as tensors, strings and numbers for a checkpoint; `from_state` restores it exactly."""
        nodes = {node: list(self.graph.parents(node)) for node in self.graph.nodes}
        return {
            "graph": {"name": self.graph.name, "description": self.graph.description, "nodes": nodes},
            "mechanisms": {node: m.to_state() for node, m in self.mechanisms.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LabelSCM:
        """Rebuild the model from the result of `to_state`.

        Raises:
            CausalCFError: an invalid state.
        """
        try:
            graph = state["graph"]
            mechanisms = {}
            for node, part in state["mechanisms"].items():
                kind = check_choice("kind of mechanism", part.get("kind"), KINDS)
                mechanisms[node] = KINDS[kind].from_state(dict(part))
            return cls(CausalGraph(graph["nodes"], graph["name"], graph["description"]), mechanisms)
        except CausalCFError:
            raise
        except Exception as error:  # anything may stand anywhere in it
            raise CausalCFError(f"the state is not one that to_state gives: {first_line(error)}") from error

    def _under(self, policies: Mapping[int, Policy]) -> LabelSCM:
        """Return the model after interventions that set no label."""
        mechanisms = dict(self.mechanisms)
        for i, policy in policies.items():
            mechanisms[self.graph.nodes[i]] = self._changed(i, policy)
        found = LabelSCM(self.graph, mechanisms)
        found._max_cells = self._max_cells
        return found

    def _world(
        self, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None
    ) -> tuple[dict[int, torch.Tensor], dict[int, torch.Tensor]]:
        held, cut = assignment(self.graph.nodes, "given", given), assignment(self.graph.nodes, "do", do)
        units(held, cut)
        check_agree(self.graph.nodes, "given and do", held, cut)
        return {i: v for i, v in held.items() if i not in cut}, cut

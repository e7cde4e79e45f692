"""Exact counterfactuals of a `LabelSCM` under the extended structural model (Lucas and Kemp, 2015).
The twin network has P(v, v*) = prod_i P(v_i | pa_i) [s r_i(v*_i | v_i, pa_i, pa*_i) + (1 - s) P(v*_i | pa*_i)].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ..checks import check_count, is_share
from ..errors import CausalCFError, ImpossibleWorldError, IntractableError
from ..graph.graph import CausalGraph
from ..randomness import fresh
from .elimination import Conditional, Evidence, log_probability, sample_network
from .evidence import as_labels, assignment, check_agree, describe, first_true, merge, units
from .interventions import Policy, Soft, changed, coupled, split
from .mechanisms import Mechanism


def parent_indices(graph: CausalGraph) -> list[tuple[int, ...]]:
    """Return, for each node, the positions of its parents in `graph.nodes`."""
    position = {node: i for i, node in enumerate(graph.nodes)}
    return [tuple(position[p] for p in graph.parents(node)) for node in graph.nodes]


def actual_world(
    parents: Sequence[tuple[int, ...]], mechanisms: Sequence[Mechanism], do: set[int]
) -> list[Conditional]:
    """Return the actual world's conditionals in topological order, without the nodes set by do."""
    return [
        Conditional(i, parents[i], m.probability, m.respond, m.whole_table)
        for i, m in enumerate(mechanisms)
        if i not in do
    ]


def twin_world(
    parents: Sequence[tuple[int, ...]],
    mechanisms: Sequence[Mechanism],
    do: set[int],
    stickiness: float,
    policies: Mapping[int, tuple[Policy, Mechanism]] | None = None,
) -> tuple[list[Conditional], list[int]]:
    """Return both worlds' conditionals in topological order, and each node's counterfactual variable.
    `policies` are interventions that set no value, with the mechanism that they put in place.
    """
    changes = policies or {}
    d = len(mechanisms)
    star: list[int] = []
    copies: list[Conditional] = []
    for i, mechanism in enumerate(mechanisms):
        above = tuple(star[p] for p in parents[i])
        if stickiness == 1 and i not in do and i not in changes and above == parents[i]:
            star.append(i)
            continue
        star.append(d + i)
        if i in do:
            continue
        if i in changes:
            policy, new = changes[i]
            if isinstance(policy, Soft) and stickiness > 0:
                moved = partial(coupled, mechanism, new, stickiness)
                copies.append(Conditional(d + i, (i, *parents[i], *above), moved))
            else:
                copies.append(Conditional(d + i, above, new.probability, new.respond, new.whole_table))
        elif stickiness == 0:
            copies.append(Conditional(d + i, above, mechanism.probability, mechanism.respond, mechanism.whole_table))
        else:
            sticky = partial(mechanism.sticky, stickiness)
            whole = partial(mechanism.whole_table, stickiness)
            copies.append(Conditional(d + i, (i, *parents[i], *above), sticky, None, whole))
    return actual_world(parents, mechanisms, set()) + copies, star


@dataclass(frozen=True)
class _Twin:
    """Checked counterfactual query on the twin network."""

    network: list[Conditional]
    star: list[int]  # each node's counterfactual variable
    facts: dict[int, torch.Tensor]
    antecedent: dict[int, torch.Tensor]  # do and observe together
    evidence: dict[int, torch.Tensor]  # facts and antecedent together
    n: int
    stickiness: float


class CounterfactualQueries:
    """Base class of `LabelSCM` with its counterfactual queries."""

    graph: CausalGraph
    _max_cells: int | None
    _ordered: list[Mechanism]
    _parents: list[tuple[int, ...]]

    def counterfactual_probability(
        self,
        event: Mapping[str, Any],
        facts: Mapping[str, Any],
        do: Mapping[str, Any] | None = None,
        observe: Mapping[str, Any] | None = None,
        stickiness: float = 1.0,
    ) -> float:
        """Return P(event* | facts, do*, observe*), exactly, for one unit whose known labels are `facts`.

        Args:
            event: counterfactual labels asked about.
            facts: known labels of the actual world. The others are summed over.
            do: labels set by intervention in the counterfactual world; also `Soft`, `Stochastic` or `Conditional`.
            observe: labels observed in the counterfactual world, whose equations stay intact. `do` may be given too.
            stickiness: probability that a noise is kept, in [0, 1]. With `do`, 1 is Pearl's counterfactual.

        Raises:
            CausalCFError: an unknown attribute, a value other than 0 and 1, or a stickiness outside [0, 1].
            ImpossibleWorldError: facts of probability zero, or an antecedent that is impossible together with them.
            IntractableError: too many unknown labels; says which table was too large.

        Source: Lucas and Kemp (2015); the form for binary threshold noise is defined here.

        Examples:
            >>> from causalcf.graph import CausalGraph
            >>> from causalcf.labels import LabelSCM
            >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
            >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.75, "Bald": [0.1, 0.02]})
            >>> round(scm.counterfactual_probability({"Bald": 1}, {"Young": 0, "Bald": 1}, do={"Young": 1}), 4)
            0.2
        """
        answers = self.counterfactual_probabilities(event, facts, do, observe, stickiness)
        if len(answers) != 1:
            raise CausalCFError("counterfactual_probability is for one unit; see counterfactual_probabilities")
        return float(answers)

    def counterfactual_probabilities(
        self,
        event: Mapping[str, Any],
        facts: Any,
        do: Mapping[str, Any] | None = None,
        observe: Mapping[str, Any] | None = None,
        stickiness: float = 1.0,
    ) -> torch.Tensor:
        """Return `counterfactual_probability` of n units at once.

        Args:
            event, do, observe: {name: 0 or 1, or an (n,) array with one value for each unit}.
            facts: an (n, d) 0/1 array of all labels in the order `graph.nodes`, or {name: 0 or 1, or an (n,) array}.
            stickiness: in [0, 1].

        Returns:
            (n,) float64.

        Raises:
            as in `counterfactual_probability`; the error names the first unit that it concerns.
        """
        asked = assignment(self.graph.nodes, "event", event)
        # Abduction and action in one: the twin network shares its noises, and do cuts its counterfactual equations.
        twin = self._twin(facts, do, observe, stickiness, asked)
        # Prediction: P(event*, facts, antecedent*) / P(facts, antecedent*).
        event_star = {twin.star[i]: v for i, v in asked.items()}
        both, agree = merge(twin.evidence, event_star, twin.n)
        below = log_probability(twin.network, twin.evidence, twin.n, self._name, self._max_cells)
        self._check_antecedent(twin, below)
        above = log_probability(twin.network, both, twin.n, self._name, self._max_cells)
        return torch.where(agree, (above - below).exp().clamp(max=1.0), 0.0)  # rounding may exceed 1 by 1e-15

    def counterfactual(
        self,
        labels: Any,
        do: Mapping[str, Any] | None = None,
        observe: Mapping[str, Any] | None = None,
        stickiness: float = 1.0,
        draws: int = 1,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Draw the counterfactual labels of n units, exactly.

        Args:
            labels: the units' known labels: an (n, d) 0/1 array of all of them in the order `graph.nodes`, or {name: 0
                or 1, or an (n,) array}. Unknown labels are averaged over.
            do, observe: {name: 0 or 1, or an (n,) array with one value for each unit}.
            stickiness: in [0, 1].
            draws: number of independent draws m for each unit.
            generator: source of randomness; if None, a new one is seeded by the operating system.

        Returns:
            (n, m, d) int8 tensor.

        Raises:
            as in `counterfactual_probabilities`.
        """
        twin = self._twin(labels, do, observe, stickiness, {})  # abduction and action
        check_count("draws", draws, each=twin.n * len(twin.star))
        # Prediction: one draw of all unknown labels of both worlds, given the evidence.
        weight, values = sample_network(
            twin.network, twin.evidence, twin.n, draws, fresh(generator), self._name, self._max_cells
        )
        self._check_antecedent(twin, weight)
        return torch.stack([values[v] for v in twin.star], -1)

    def _twin(
        self,
        facts: Any,
        do: Mapping[str, Any] | None,
        observe: Mapping[str, Any] | None,
        stickiness: float,
        event: Evidence,
    ) -> _Twin:
        nodes = self.graph.nodes
        if not is_share(stickiness):
            raise CausalCFError(f"stickiness={stickiness!r}: expected a number in [0, 1]")
        if hasattr(facts, "columns"):  # a DataFrame: its columns are named
            facts = {str(name): facts[name] for name in facts.columns}
        if isinstance(facts, Mapping):
            known = assignment(nodes, "facts", facts)
        else:
            known = dict(enumerate(as_labels(facts, nodes).unbind(1)))
        do, policies = split(self.graph, do)
        changes = {i: (policy, self._changed(i, policy)) for i, policy in policies.items()}
        cut, seen = assignment(nodes, "do", do), assignment(nodes, "observe", observe)
        n = units(known, cut, seen, event)
        check_agree(nodes, "do and observe", cut, seen)
        network, star = twin_world(self._parents, self._ordered, set(cut), float(stickiness), changes)
        antecedent = {**seen, **cut}
        evidence, agree = merge(known, {star[i]: v for i, v in antecedent.items()}, n)
        twin = _Twin(network, star, known, antecedent, evidence, n, float(stickiness))
        with suppress(IntractableError):  # drawing them will tell
            self._check_weight(log_probability(network, known, n, self._name, self._max_cells), "facts", known)
        self._check_antecedent(twin, agree.double().log())
        return twin

    def _changed(self, i: int, policy: Policy) -> Mechanism:
        node = self.graph.nodes[i]
        return changed(node, self.graph.parents(node), self._ordered[i], policy)

    def _check_weight(self, weight: torch.Tensor, what: str, evidence: Evidence) -> None:
        """Check that evidence is possible in every unit, from its (n,) log probability."""
        row = first_true(~weight.isfinite())
        if row is not None:
            shown = describe(self.graph.nodes, evidence, row) + (f" (unit {row})" if len(weight) > 1 else "")
            raise ImpossibleWorldError(f"{what} {shown}: an event of probability zero; ask about other labels")

    def _check_antecedent(self, twin: _Twin, weight: torch.Tensor) -> None:
        row = first_true(~weight.isfinite())
        if row is not None:
            known = describe(self.graph.nodes, twin.facts, row)
            shown = describe(self.graph.nodes, twin.antecedent, row) + (f" (unit {row})" if twin.n > 1 else "")
            text = f"the counterfactual {shown} has probability zero beside the facts {known}"
            raise ImpossibleWorldError(f"{text}; set it by do{', or lower the stickiness' if twin.stickiness else ''}")

    def _name(self, variable: int) -> str:
        """Return a variable's name for errors; a star marks a counterfactual copy."""
        d = len(self.graph.nodes)
        return self.graph.nodes[variable] if variable < d else self.graph.nodes[variable - d] + "*"

"""Exact counterfactuals of a `LabelSCM` under the extended structural model (Lucas and Kemp, 2015).

Each noise of the actual world is kept with probability s (`stickiness`) and else redrawn. `do` cuts equations in the
counterfactual copy alone; `observe` keeps them and conditions jointly on the facts and on the copy. Everything is a
query on the twin network of `worlds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..arguments import check_count, is_share
from ..errors import CausalCFError, ImpossibleWorldError
from .assignments import assignment, check_agree, describe, merge, units
from .cells import as_labels
from .elimination import Conditional, Evidence, log_probability, sample_network
from .randomness import fresh
from .worlds import twin_world

if TYPE_CHECKING:
    from ..graph import CausalGraph
    from .mechanisms import Mechanism


@dataclass(frozen=True)
class _Twin:
    """One counterfactual question on the twin network, checked."""

    network: list[Conditional]
    star: list[int]  # each node's counterfactual variable
    facts: dict[int, torch.Tensor]
    antecedent: dict[int, torch.Tensor]  # do and observe, on counterfactual variables
    evidence: dict[int, torch.Tensor]  # facts and antecedent together
    n: int


class CounterfactualQueries:
    """The counterfactual half of `LabelSCM`."""

    graph: CausalGraph
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
        """P(event* | facts, do*, observe*), exact, for one unit whose known labels are `facts`.

        Args:
            event: counterfactual labels asked about.
            facts: known labels of the actual world; the others are summed over.
            do: labels set by intervention in the counterfactual world.
            observe: labels found in the counterfactual world, its equations intact; may be given together with `do`.
            stickiness: probability that a noise is kept, in [0, 1]; 1 with `do` is Pearl's counterfactual.

        Raises:
            CausalCFError: an unknown attribute, a value other than 0 and 1, a stickiness outside [0, 1].
            ImpossibleWorldError: facts of probability zero, or an antecedent that cannot hold together with them.
            IntractableError: too many unknown labels; says which table was too large.

        Source: Lucas and Kemp (2015); for binary threshold noise derived in `worlds.py`.

        Example:
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
        """`counterfactual_probability` for n units at once.

        Args:
            event, do, observe: {name: 0 or 1, or an (n,) array with one value for each unit}.
            facts: an (n, d) 0/1 array of all labels in the order `graph.nodes`, or {name: 0 or 1, or an (n,) array}.
            stickiness: in [0, 1].

        Returns:
            (n,) float64.

        Raises:
            as in `counterfactual_probability`; the error tells the first unit it is about.
        """
        asked = assignment(self.graph.nodes, "event", event)
        twin = self._twin(facts, do, observe, stickiness, asked)
        event_star = {twin.star[i]: v for i, v in asked.items()}
        both, agree = merge(twin.evidence, event_star, twin.n)
        below = log_probability(twin.network, twin.evidence, twin.n, self._name)
        self._refuse(twin, below, "antecedent", twin.antecedent)
        return torch.where(agree, (log_probability(twin.network, both, twin.n, self._name) - below).exp(), 0.0)

    def counterfactual(
        self,
        labels: Any,
        do: Mapping[str, Any] | None = None,
        observe: Mapping[str, Any] | None = None,
        stickiness: float = 1.0,
        draws: int = 1,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Exact draws of the counterfactual labels of n units.

        Args:
            labels: the units' known labels: an (n, d) 0/1 array of all of them in the order `graph.nodes`, or {name: 0
                or 1, or an (n,) array}; unknown ones are averaged over.
            do, observe: {name: 0 or 1, or an (n,) array with one value for each unit}.
            stickiness: in [0, 1].
            draws: number of independent draws m for each unit.
            generator: source of randomness; a new one is seeded by the operating system where None.

        Returns:
            (n, m, d) int8 tensor.

        Raises:
            as in `counterfactual_probabilities`.
        """
        twin = self._twin(labels, do, observe, stickiness, {})
        check_count("draws", draws, each=twin.n * len(twin.star))
        weight, values = sample_network(twin.network, twin.evidence, twin.n, draws, fresh(generator), self._name)
        self._refuse(twin, weight, "antecedent", twin.antecedent)
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
        if isinstance(facts, Mapping):
            known = assignment(nodes, "facts", facts)
        else:
            known = dict(enumerate(as_labels(facts, nodes).unbind(1)))
        cut, seen = assignment(nodes, "do", do), assignment(nodes, "observe", observe)
        n = units(known, cut, seen, event)
        check_agree(nodes, "do and observe", cut, seen)
        network, star = twin_world(self._parents, self._ordered, set(cut), float(stickiness))
        antecedent = {star[i]: v for i, v in {**seen, **cut}.items()}
        evidence, agree = merge(known, antecedent, n)
        twin = _Twin(network, star, known, antecedent, evidence, n)
        self._refuse(twin, log_probability(network, known, n, self._name), "facts", known)
        if not bool(agree.all()):
            self._refuse(twin, agree.double().log(), "antecedent", antecedent)
        return twin

    def _refuse(self, twin: _Twin, weight: torch.Tensor, what: str, evidence: Evidence) -> None:
        impossible = ~weight.isfinite()
        if not bool(impossible.any()):
            return
        row = int(impossible.int().argmax())
        back = {v: i for i, v in enumerate(twin.star)} if what == "antecedent" else {}
        shown = describe(self.graph.nodes, {back.get(v, v): value for v, value in evidence.items()}, row)
        unit = f" (unit {row})" if twin.n > 1 else ""
        if what == "facts":
            raise ImpossibleWorldError(f"facts {shown}{unit}: an event of probability zero")
        known = describe(self.graph.nodes, twin.facts, row)
        raise ImpossibleWorldError(f"the counterfactual {shown}{unit} has probability zero beside the facts {known}")

    def _name(self, variable: int) -> str:
        """A variable's name in errors, the counterfactual copies marked by a star."""
        d = len(self.graph.nodes)
        return self.graph.nodes[variable] if variable < d else self.graph.nodes[variable - d] + "*"

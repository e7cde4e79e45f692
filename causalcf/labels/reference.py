"""What the causal model itself answers, exactly, for units whose labels are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .scm import LabelSCM


@dataclass(frozen=True)
class Reference:
    """The label model that counterfactual images are held against.

    Args:
        scm: the label model; it may have more labels than are looked at.
        nodes: the d labels looked at, in the order of all columns here.
        kind: "truth", where the data's own law is known, or "fitted", under an assumed graph.
    """

    scm: LabelSCM
    nodes: tuple[str, ...]
    kind: str

    @property
    def told(self) -> str:
        """What stands behind the reference, in a sentence."""
        if self.kind == "truth":
            return "The reference is the truth: the causal law that these faces were rendered from."
        return (
            f"The reference is a label model fitted to the data under an assumed graph ({self.scm.graph.name}): it is "
            "as right as that graph; see the graph fit."
        )

    def sample(self, n: int, given: Mapping[str, int] | None, generator: torch.Generator) -> Tensor:
        """(n, d) int8 labels of n units, given some of them."""
        return self._columns(self.scm.sample(n, given=given, generator=generator))

    def answer(
        self, facts: Tensor, antecedent: Mapping[str, Tensor], mode: str, stickiness: float
    ) -> tuple[Tensor, Tensor]:
        """P(label* = 1 | facts, antecedent*) of every unit and label.

        Args:
            facts: (n, d) 0/1.
            antecedent: label -> (n,) 0/1, one value for each unit.
            mode: "do" or "observe".
            stickiness: in [0, 1].

        Returns:
            (n,) booleans: whether facts and antecedent have positive probability; and (n, d) float64, NaN where not.

        Source: Lucas and Kemp (2015), exact.
        """
        names = list(antecedent)
        questions = torch.cat([facts.long(), *(antecedent[name].long()[:, None] for name in names)], 1)
        unique, place = torch.unique(questions, dim=0, return_inverse=True)
        cells, values = unique[:, : len(self.nodes)], unique[:, len(self.nodes) :]
        possible = self._possible(cells, dict(zip(names, values.unbind(1), strict=True)), mode, stickiness)
        answers = torch.full((len(unique), len(self.nodes)), torch.nan, dtype=torch.float64)
        if bool(possible.any()):
            known = self._facts(cells[possible])
            supposed = {mode: dict(zip(names, values[possible].unbind(1), strict=True))}
            for column, name in enumerate(self.nodes):
                asked = self.scm.counterfactual_probabilities({name: 1}, known, **supposed, stickiness=stickiness)
                answers[possible, column] = asked
        return possible[place], answers[place]

    def expect(
        self, facts: Tensor, antecedent: Mapping[str, int], consequent: Mapping[str, int], mode: str, stickiness: float
    ) -> Tensor:
        """P(consequent* | facts, antecedent*) of every unit: all of the consequent together.

        Args:
            facts: (n, d) 0/1.
            antecedent, consequent: label -> 0 or 1, the same for all units.
            mode: "do" or "observe".
            stickiness: in [0, 1].

        Returns:
            (n,) float64, NaN where facts and antecedent cannot be together.

        Source: Lucas and Kemp (2015), exact.
        """
        cells, place = torch.unique(facts.long(), dim=0, return_inverse=True)
        asked = {name: torch.full((len(cells),), value) for name, value in antecedent.items()}
        possible = self._possible(cells, asked, mode, stickiness)
        answers = torch.full((len(cells),), torch.nan, dtype=torch.float64)
        if bool(possible.any()):
            supposed = {mode: {name: values[possible] for name, values in asked.items()}}
            known = self._facts(cells[possible])
            answers[possible] = self.scm.counterfactual_probabilities(
                consequent, known, **supposed, stickiness=stickiness
            )
        return answers[place]

    def _possible(self, cells: Tensor, antecedent: Mapping[str, Tensor], mode: str, stickiness: float) -> Tensor:
        """Which rows of facts can be, and can be together with their antecedent."""
        facts = [self.scm.probability(dict(zip(self.nodes, row, strict=True))) > 0 for row in cells.tolist()]
        possible = torch.tensor(facts)
        if mode == "observe" and bool(possible.any()):
            event = {name: value[possible] for name, value in antecedent.items()}
            known = self._facts(cells[possible])
            possible[possible.clone()] = self.scm.counterfactual_probabilities(event, known, stickiness=stickiness) > 0
        return possible

    def _facts(self, cells: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.nodes, cells.unbind(1), strict=True))

    def _columns(self, labels: Tensor) -> Tensor:
        return labels[:, [self.scm.graph.nodes.index(name) for name in self.nodes]]

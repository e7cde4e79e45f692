"""Exact answers of the label model for units with known labels, the reference for evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .scm import LabelSCM


@dataclass(frozen=True)
class Reference:
    """Label model that images are compared with: the true SCM ("truth") or one fitted ("fitted")."""

    scm: LabelSCM
    nodes: tuple[str, ...]
    kind: str

    @property
    def description(self) -> str:
        """Return one sentence that says where the reference comes from."""
        if self.kind == "truth":
            return "The reference is the truth: the causal law that these faces were rendered from."
        return (
            f"The reference is a label model fitted to the data under an assumed graph ({self.scm.graph.name}): it is "
            "as right as that graph; see the graph fit."
        )

    def sample(self, n: int, given: Mapping[str, int] | None, generator: torch.Generator) -> Tensor:
        """Draw (n, d) int8 labels of n units, given some labels."""
        return self._columns(self.scm.sample(n, given=given, generator=generator))

    def answer(
        self, facts: Tensor, antecedent: Mapping[str, Tensor], mode: str, stickiness: float
    ) -> tuple[Tensor, Tensor]:
        """Return which units are possible, (n,) bool, and P(label* = 1 | facts, antecedent*), (n, d) or NaN."""
        names = list(antecedent)
        questions = torch.cat([facts.long(), *(antecedent[name].long()[:, None] for name in names)], 1)
        unique, place = torch.unique(questions, dim=0, return_inverse=True)
        cells, values = unique[:, : len(self.nodes)], unique[:, len(self.nodes) :]
        possible = self._possible(cells, dict(zip(names, values.unbind(1), strict=True)), mode, stickiness)
        answers = torch.full((len(unique), len(self.nodes)), torch.nan, dtype=torch.float64)
        if bool(possible.any()):
            known = self._facts(cells[possible])
            intervention = {mode: dict(zip(names, values[possible].unbind(1), strict=True))}
            for column, name in enumerate(self.nodes):
                asked = self.scm.counterfactual_probabilities({name: 1}, known, **intervention, stickiness=stickiness)
                answers[possible, column] = asked
        return possible[place], answers[place]

    def expect(
        self, facts: Tensor, antecedent: Mapping[str, int], consequent: Mapping[str, int], mode: str, stickiness: float
    ) -> Tensor:
        """Return P(consequent* | facts, antecedent*) of each unit, (n,) float64, NaN where impossible."""
        cells, place = torch.unique(facts.long(), dim=0, return_inverse=True)
        asked = {name: torch.full((len(cells),), value) for name, value in antecedent.items()}
        possible = self._possible(cells, asked, mode, stickiness)
        answers = torch.full((len(cells),), torch.nan, dtype=torch.float64)
        if bool(possible.any()):
            intervention = {mode: {name: values[possible] for name, values in asked.items()}}
            known = self._facts(cells[possible])
            answers[possible] = self.scm.counterfactual_probabilities(
                consequent, known, **intervention, stickiness=stickiness
            )
        return answers[place]

    def _possible(self, cells: Tensor, antecedent: Mapping[str, Tensor], mode: str, stickiness: float) -> Tensor:
        """Return which rows of facts are possible, alone and together with their antecedent."""
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

"""Exact answers of the label model for units with known labels, the reference for evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        labels = self.scm.sample(n, given=given, generator=generator)
        return labels[:, [self.scm.graph.nodes.index(name) for name in self.nodes]]

    def answer(
        self, facts: Tensor, antecedent: Mapping[str, Tensor], mode: str, stickiness: float
    ) -> tuple[Tensor, Tensor]:
        """Return which units are possible, (n,) bool, and P(label* = 1 | facts, antecedent*), (n, d) or NaN."""
        return self._ask([{name: 1} for name in self.nodes], facts, antecedent, mode, stickiness)

    def expect(
        self, facts: Tensor, antecedent: Mapping[str, int], consequent: Mapping[str, int], mode: str, stickiness: float
    ) -> Tensor:
        """Return P(consequent* | facts, antecedent*) of each unit, (n,) float64, NaN where impossible."""
        asked = {name: torch.full((len(facts),), value) for name, value in antecedent.items()}
        return self._ask([consequent], facts, asked, mode, stickiness)[1][:, 0]

    def _ask(
        self,
        events: Sequence[Mapping[str, int]],
        facts: Tensor,
        antecedent: Mapping[str, Tensor],
        mode: str,
        stickiness: float,
    ) -> tuple[Tensor, Tensor]:
        """Ask each distinct question once: which units are possible, and (n, events) probabilities."""
        questions = torch.cat([facts.long(), *(values.long()[:, None] for values in antecedent.values())], 1)
        unique, place = torch.unique(questions, dim=0, return_inverse=True)
        cells, values = unique[:, : len(self.nodes)], unique[:, len(self.nodes) :]
        rows = [self.scm.probability(dict(zip(self.nodes, row, strict=True))) > 0 for row in cells.tolist()]
        possible = torch.tensor(rows, dtype=torch.bool)
        answers = torch.full((len(unique), len(events)), torch.nan, dtype=torch.float64)

        def possible_ones() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
            known = dict(zip(self.nodes, cells[possible].unbind(1), strict=True))
            return known, dict(zip(antecedent, values[possible].unbind(1), strict=True))

        if mode == "observe" and bool(possible.any()):
            known, asked = possible_ones()
            possible[possible.clone()] = self.scm.counterfactual_probabilities(asked, known, stickiness=stickiness) > 0
        if bool(possible.any()):
            known, asked = possible_ones()
            for column, event in enumerate(events):
                answers[possible, column] = self.scm.counterfactual_probabilities(
                    event, known, **{mode: asked}, stickiness=stickiness
                )
        return possible[place], answers[place]

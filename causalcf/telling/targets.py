"""What the label model says of the units of a group, exactly; each combination of facts is asked about once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..labels import LabelSCM
from ..labels.reference import Reference
from .questions import Question

Facts = tuple[int, ...]


@dataclass
class Targets:
    """P(label* = 1) and P(consequent*) of units whose labels are known.

    Args:
        law: the label model under the causal graph, edges and all.
        nodes: the d labels, in the order of all columns.
        stickiness: in [0, 1].
    """

    law: LabelSCM
    nodes: Sequence[str]
    stickiness: float
    known: dict[tuple[str, Facts], Tensor] = field(default_factory=dict)
    most: int = 2**16  # answers that are kept; 40 labels have 2^40 facts

    def __call__(self, question: Question, facts: Tensor) -> Tensor:
        """(m, d + c) float32: of every label, then of the consequent of each statement; NaN where facts cannot be.

        Args:
            question: what is supposed.
            facts: (m, d) 0/1.
        """
        rows = [tuple(row) for row in facts.tolist()]
        new = [row for row in dict.fromkeys(rows) if (question.name, row) not in self.known]
        if new:
            answers = self._ask(question, torch.tensor(new, dtype=torch.int8))
            self.known.update({(question.name, row): answer for row, answer in zip(new, answers, strict=True)})
        found = torch.stack([self.known[question.name, row] for row in rows])
        for key in list(self.known)[: max(0, len(self.known) - self.most)]:  # those asked about first
            del self.known[key]
        return found

    def before(self, question: Question, name: str) -> float:
        """P(consequent of a statement | given) in the actual world, in [0, 1]."""
        return self.law.probability(question.statements[name].consequent, given=question.query.given)

    def _ask(self, question: Question, facts: Tensor) -> Tensor:
        query, reference = question.query, Reference(self.law, tuple(self.nodes), "fitted")
        antecedent = {name: torch.full((len(facts),), value) for name, value in query.antecedent.items()}
        _, labels = reference.answer(facts, antecedent, query.mode, self.stickiness)
        consequents = [
            reference.expect(facts, query.antecedent, statement.consequent, query.mode, self.stickiness)[:, None]
            for statement in question.statements.values()
        ]
        return torch.cat([labels, *consequents], 1).float()

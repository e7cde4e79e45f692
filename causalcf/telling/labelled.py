"""Groups for a generator with labels: labels by the label model's ESM, exactly, and image noise by the same kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, StatementError
from ..labels import LabelSCM
from ..noise import uniform_noise
from ..worlds.samplers import esm_cf_sampler
from .group import Group, Read
from .questions import Question

POOL = 4096  # pairs of labels drawn of each question; they depend on no network


class LabelledSource:
    """Draws units as given, and their counterfactuals.

    Args:
        scm: the run's label model.
        noise_dim: k.
        stickiness: of labels and image noise alike.
        questions: that will be asked.
        random: for the labels; image noise is drawn from the generator that `draw` is given.

    Raises:
        StatementError: a question about nobody, by this label model; names the statements.
    """

    looks = False
    proposed = accepted = 0

    def __init__(
        self, scm: LabelSCM, noise_dim: int, stickiness: float, questions: Sequence[Question], random: torch.Generator
    ) -> None:
        self.noise_dim, self.stickiness = noise_dim, stickiness
        self.pools = {question.name: _pool(scm, question, stickiness, random) for question in questions}

    def search(
        self, question: Question, noise: Tensor, seen: Callable[[], Tensor], read: Read, random: torch.Generator
    ) -> None:
        """Nothing: labels are drawn, not looked for."""

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group:
        """m units."""
        labels, supposed = self.pools[question.name]
        rows = torch.randint(len(labels), (m,), generator=random)
        noise = uniform_noise(m, self.noise_dim, random)
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        return Group(rows, noise, labels[rows], moved, supposed[rows])

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """The labels that the images were generated from; they hold for every unit."""
        return group.labels, torch.ones(len(group.labels), dtype=torch.bool)

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


def _pool(scm: LabelSCM, question: Question, stickiness: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    given, antecedent, mode = question.query.given, question.query.antecedent, question.query.mode
    supposed: dict[str, Any] = {mode: antecedent}
    try:
        scm.counterfactual_probability({}, given, **supposed, stickiness=stickiness)  # refuses what cannot be
        labels = scm.sample(POOL, given=given, generator=random)
        if mode == "observe":  # joint conditioning: who can be seen so more easily is met more often
            ease = scm.counterfactual_probabilities(antecedent, labels, stickiness=stickiness)
            labels = labels[torch.multinomial(ease, POOL, replacement=True, generator=random)]
        return labels, scm.counterfactual(labels, **supposed, stickiness=stickiness, generator=random)[:, 0]
    except ImpossibleWorldError as error:
        raise StatementError(f"{question.name}: this run's label model cannot be asked: {error}") from None

"""Groups for a generator without labels: noise whose images were seen to be as given, and then as supposed.

    units   noise of training's own images that the classifier sees as given
    pairs   (z, z*): z* drawn by ESM around a unit's z, and kept where the classifier sees the antecedent

Kept pairs follow the ESM's joint law given facts and antecedent, for the generator as it was. A group is the newest of
them: mostly pairs that this turn found, because a generator learns the answers of pairs it is shown again and again by
heart, and those of no others. Where an antecedent is rare, older pairs fill the group, so that training does not stall;
as the generator moves on, those whose images no longer show what they should are dropped when they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..labels.cells import matching
from ..worlds.samplers import esm_cf_sampler
from .group import Group, Read
from .questions import Question

UNITS, PAIRS = 1024, 512  # kept of each question, the newest
PROPOSALS = 4  # a turn, for each unit of a group: most of it is new where a quarter of the noises show the antecedent


class ReplaySource:
    """Draws units and counterfactuals from what was found so far.

    Args:
        nodes: the d labels, in the order of the columns that the classifier reads.
        noise_dim: k.
        stickiness: of each coordinate of the noise, below 1.
        size: units in a group.
        questions: that will be asked.
    """

    looks = True

    def __init__(
        self, nodes: Sequence[str], noise_dim: int, stickiness: float, size: int, questions: Sequence[Question]
    ) -> None:
        self.nodes, self.stickiness, self.proposals = tuple(nodes), stickiness, PROPOSALS * size
        self.questions = {question.name: question for question in questions}
        nothing = torch.zeros(0, noise_dim)
        self.units = dict.fromkeys(self.questions, nothing)
        self.pairs = dict.fromkeys(self.questions, (nothing, nothing))
        self.proposed = self.accepted = 0

    def search(
        self, question: Question, noise: Tensor, seen: Callable[[], Tensor], read: Read, random: torch.Generator
    ) -> None:
        """Remembers training's own noise whose images are as given, of every question, and proposes pairs for one."""
        self.watch(noise, seen())
        self.propose(question, read, random)

    def watch(self, noise: Tensor, seen: Tensor) -> None:
        """Remembers noise whose images are as given.

        Args:
            noise: (n, k), on the CPU.
            seen: (n, d) int8 labels seen in its images.
        """
        for name, question in self.questions.items():
            found = noise[matching(seen, self.nodes, question.query.given)]
            self.units[name] = torch.cat([self.units[name], found])[-UNITS:]

    def propose(self, question: Question, read: Read, random: torch.Generator) -> None:
        """Another turn of proposals.

        Args:
            question: whose pairs are looked for.
            read: sees labels in images of noise, by the generator as it is now.
            random: of the draws.
        """
        units = self.units[question.name]
        if not len(units):
            return
        before, before_moved = self.pairs[question.name]
        noise = units[torch.randint(len(units), (self.proposals,), generator=random)]
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        shows = matching(read(moved), self.nodes, question.query.antecedent)
        self.pairs[question.name] = (
            torch.cat([before, noise[shows]])[-PAIRS:],
            torch.cat([before_moved, moved[shows]])[-PAIRS:],
        )
        self.proposed, self.accepted = self.proposed + len(noise), self.accepted + int(shows.sum())

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """The newest m of the pairs found so far; None while there are fewer than a quarter of that."""
        noise, moved = self.pairs[question.name]
        if len(noise) < m / 4:
            return None
        rows = torch.arange(len(noise))[-m:]
        nothing = torch.zeros(len(rows), 0, dtype=torch.int8)
        return Group(rows, noise[rows], nothing, moved[rows], nothing)

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """What is seen in the actual images; pairs that no longer show what is given and supposed are forgotten."""
        assert seen is not None
        query = question.query
        holds = matching(seen, self.nodes, query.given) & matching(moved, self.nodes, query.antecedent)
        keep = torch.ones(len(self.pairs[question.name][0]), dtype=torch.bool)
        keep[group.rows[~holds]] = False
        noise, moved_noise = self.pairs[question.name]
        self.pairs[question.name] = noise[keep], moved_noise[keep]
        return seen, holds

    def state(self) -> dict[str, Any]:
        pairs = {name: list(pair) for name, pair in self.pairs.items()}
        return {"units": dict(self.units), "pairs": pairs, "counts": [self.proposed, self.accepted]}

    def restore(self, state: dict[str, Any]) -> None:
        self.units = {name: noise.cpu() for name, noise in state["units"].items()}
        self.pairs = {name: (pair[0].cpu(), pair[1].cpu()) for name, pair in state["pairs"].items()}
        self.proposed, self.accepted = state["counts"]

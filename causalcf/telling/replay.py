"""Groups for a generator without labels: noise whose images were seen to be as given, and then as supposed.

    units   noise of training's own images that the classifier sees as given
    pairs   (z, z*): z* drawn by ESM around a unit's z, and kept where the classifier sees the antecedent

Kept pairs follow the ESM's joint law given facts and antecedent, for the generator as it was. A group is drawn from
them again and again, so that a rare antecedent does not stall training; as the generator moves on, pairs whose images
no longer show what they should are dropped when they are drawn, and each turn proposes new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..worlds.samplers import esm_cf_sampler
from .group import Group
from .questions import Question

Read = Callable[[Tensor], Tensor]  # (n, k) noise to (n, d) int8 labels seen in its images

UNITS, PAIRS = 1024, 512  # kept of each question, the newest
PROPOSALS = 32  # a turn; twice as many while there are too few pairs for a group


class ReplaySource:
    """Draws units and counterfactuals from what was found so far.

    Args:
        nodes: the d labels, in the order of the columns that the classifier reads.
        noise_dim: k.
        stickiness: of each coordinate of the noise, below 1.
        questions: that will be asked.
    """

    def __init__(self, nodes: Sequence[str], noise_dim: int, stickiness: float, questions: Sequence[Question]) -> None:
        self.nodes, self.stickiness = tuple(nodes), stickiness
        self.questions = {question.name: question for question in questions}
        nothing = torch.zeros(0, noise_dim)
        self.drawn = torch.zeros(0, dtype=torch.int64)
        self.units = dict.fromkeys(self.questions, nothing)
        self.pairs = dict.fromkeys(self.questions, (nothing, nothing))
        self.proposed = self.accepted = 0

    def watch(self, noise: Tensor, seen: Tensor) -> None:
        """Remembers noise whose images are as given.

        Args:
            noise: (n, k), on the CPU.
            seen: (n, d) int8 labels seen in its images.
        """
        for name, question in self.questions.items():
            found = noise[self.fits(seen, question.query.given)]
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
        n = PROPOSALS if len(before) >= PROPOSALS else 2 * PROPOSALS
        noise = units[torch.randint(len(units), (n,), generator=random)]
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        shows = self.fits(read(moved), question.query.antecedent)
        self.pairs[question.name] = (
            torch.cat([before, noise[shows]])[-PAIRS:],
            torch.cat([before_moved, moved[shows]])[-PAIRS:],
        )
        self.proposed, self.accepted = self.proposed + n, self.accepted + int(shows.sum())

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """Up to m of the pairs found so far; None while there are fewer than a quarter of that."""
        noise, moved = self.pairs[question.name]
        if len(noise) < m / 4:
            return None
        rows = torch.randperm(len(noise), generator=random)[:m]
        nothing = torch.zeros(len(rows), 0, dtype=torch.int8)
        self.drawn = rows
        return Group(noise[rows], nothing, moved[rows], nothing)

    def confirm(self, question: Question, seen: Tensor, seen_moved: Tensor) -> Tensor:
        """(m,) which of the units drawn last still are as given and as supposed; the others are forgotten.

        Args:
            seen, seen_moved: (m, d) int8 labels seen in their actual and counterfactual images.
        """
        query = question.query
        holds = self.fits(seen, query.given) & self.fits(seen_moved, query.antecedent)
        noise, moved = self.pairs[question.name]
        keep = torch.ones(len(noise), dtype=torch.bool)
        keep[self.drawn[~holds]] = False
        self.pairs[question.name] = noise[keep], moved[keep]
        return holds

    def fits(self, seen: Tensor, wanted: Mapping[str, int]) -> Tensor:
        """(n,) whether labels are as wanted."""
        fits = torch.ones(len(seen), dtype=torch.bool)
        for name, value in wanted.items():
            fits &= seen[:, self.nodes.index(name)] == value
        return fits

    def state(self) -> dict[str, Any]:
        pairs = {name: list(pair) for name, pair in self.pairs.items()}
        return {"units": dict(self.units), "pairs": pairs, "counts": [self.proposed, self.accepted]}

    def restore(self, state: dict[str, Any]) -> None:
        self.units = {name: noise.cpu() for name, noise in state["units"].items()}
        self.pairs = {name: (pair[0].cpu(), pair[1].cpu()) for name, pair in state["pairs"].items()}
        self.proposed, self.accepted = state["counts"]

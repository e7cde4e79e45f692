"""Who is asked: questions for groups, and sources of units with one counterfactual each.
Statements with the same given, antecedent and mode share one question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import ImpossibleWorldError, StatementError
from ..graph.graph import CausalGraph
from ..labels import LabelSCM
from ..labels.evidence import matching
from ..language.conflicts import refuse_unsettable
from ..language.query import Query
from ..language.statement import Statement
from ..randomness import uniform_noise
from ..worlds.samplers import esm_cf_sampler

# (n, k) noise and the generator's labels (n, g) to (n, d) int8 labels seen in the images, as the generator is now
Read = Callable[[Tensor, Tensor], Tensor]
POOL = 4096  # pairs of labels drawn of each question; they depend on no network
UNITS, PAIRS = 1024, 512  # kept of each question, the newest
PROPOSALS = 4  # a turn, for each unit of a group: most of it is new where a quarter of the noises show the antecedent


@dataclass(frozen=True)
class Question:
    """Query with its statements and its fixed labels, which must match the label model."""

    name: str
    query: Query
    statements: Mapping[str, Statement]
    kept: tuple[str, ...]
    weight: float


def questions_of(
    statements: Mapping[str, Statement],
    graph: CausalGraph,
    keep_weight: float,
    null_weight: float,
    mode: str | None = None,
) -> list[Question]:
    """Return the questions of the statements in order, then the null questions."""
    about: dict[str, dict[str, Statement]] = {}
    for name, statement in statements.items():
        asked = replace(statement, mode=mode or statement.mode)
        about.setdefault(_key(asked.query), {})[name] = asked
    found = [_question(named, graph, keep_weight) for named in about.values()]
    if null_weight:
        same = (replace(question.query, given=question.query.antecedent) for question in found)
        antecedents = {_key(null): null for null in same}
        found += [Question(f"null: {key}", null, {}, graph.nodes, null_weight) for key, null in antecedents.items()]
    return found


def _question(named: dict[str, Statement], graph: CausalGraph, weight: float) -> Question:
    query = next(iter(named.values())).query
    moved = {below for name in query.antecedent for below in graph.descendants(name)} - set(query.antecedent)
    said = {label for statement in named.values() for label in statement.consequent}
    kept = tuple(node for node in graph.nodes if node not in moved | said)
    return Question(" and ".join(named), query, named, kept, weight)


def _key(query: Query) -> str:
    """Return a key that does not depend on the order of the conditions."""
    parts = [
        ", ".join(f"{name}={value}" for name, value in sorted(part.items())) for part in (query.given, query.antecedent)
    ]
    return f"{query.mode} {parts[1]} given {parts[0] or 'nothing'}"


@dataclass(frozen=True)
class Group:
    """Units with noise (m, k) and labels (m, d) int8, actual and counterfactual; d is 0 without labels."""

    rows: Tensor
    noise: Tensor
    labels: Tensor
    moved: Tensor
    intervention: Tensor


class LabelledSource:
    """Source that samples labels, noise and counterfactuals; raises if a query is impossible."""

    looks = False  # whether the conditions must be classified from images
    proposed = accepted = 0

    def __init__(
        self, scm: LabelSCM, noise_dim: int, stickiness: float, questions: Sequence[Question], random: torch.Generator
    ) -> None:
        self.noise_dim, self.stickiness = noise_dim, stickiness
        self.pools = {question.name: _pool(scm, question, stickiness, random) for question in questions}

    def search(
        self, question: Question, noise: Tensor, seen: Callable[[], Tensor], read: Read, random: torch.Generator
    ) -> None:
        """Do nothing: labels are sampled directly."""

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group:
        """Draw m units."""
        labels, intervention = self.pools[question.name]
        rows = torch.randint(len(labels), (m,), generator=random)
        noise = uniform_noise(m, self.noise_dim, random)
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        return Group(rows, noise, labels[rows], moved, intervention[rows])

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Return (m, d) int8 facts, the labels that generated the images, and (m,) whether each unit matches: all."""
        return group.labels, torch.ones(len(group.labels), dtype=torch.bool)

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


def _pool(scm: LabelSCM, question: Question, stickiness: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    given, antecedent, mode = question.query.given, question.query.antecedent, question.query.mode
    intervention: dict[str, Any] = {mode: antecedent}
    _refuse_impossible(scm, question, stickiness)
    if mode == "observe" and stickiness == 1:  # nothing changes: who is seen so is so already
        labels = scm.sample(POOL, given={**given, **antecedent}, generator=random)
        return labels, labels
    labels = scm.sample(POOL, given=given, generator=random)
    if mode == "observe":  # joint conditioning: who can be seen so more easily is met more often
        ease = scm.counterfactual_probabilities(antecedent, labels, stickiness=stickiness)
        labels = labels[torch.multinomial(ease, POOL, replacement=True, generator=random)]
    return labels, scm.counterfactual(labels, **intervention, stickiness=stickiness, generator=random)[:, 0]


def _refuse_impossible(scm: LabelSCM, question: Question, stickiness: float) -> None:
    """Refuse a question that the label model gives probability zero, as far as it has the labels given."""
    query = question.query
    asked: dict[str, Any] = {query.mode: query.antecedent}
    try:
        scm.counterfactual_probability({}, _part_of(scm, query.given), **asked, stickiness=stickiness)
    except ImpossibleWorldError as error:
        raise StatementError(f"{question.name}: this run's label model cannot be asked: {error}") from None


def _part_of(scm: LabelSCM, given: Mapping[str, int]) -> dict[str, int]:
    """Return the conditions on labels that the label model has."""
    return {name: value for name, value in given.items() if name in scm.graph}


class ReplaySource:
    """Replay buffer of noise units and ESM counterfactual pairs; `stickiness` must be below 1."""

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
        """Store matching noise for all questions; propose pairs for one. `seen` and `read` give (n, d) int8 labels."""
        self.watch(noise, seen())
        self.propose(question, read, random)

    def watch(self, noise: Tensor, seen: Tensor) -> None:
        """Store noise (n, k) whose int8 labels `seen` (n, d) match the given conditions."""
        for name, question in self.questions.items():
            found = noise[matching(seen, self.nodes, question.query.given)]
            self.units[name] = torch.cat([self.units[name], found])[-UNITS:]

    def propose(self, question: Question, read: Read, random: torch.Generator) -> None:
        """Propose ESM counterfactuals of a question's units; keep those that show the antecedent."""
        units = self.units[question.name]
        if not len(units):
            return
        before, before_moved = self.pairs[question.name]
        noise = units[torch.randint(len(units), (self.proposals,), generator=random)]
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        shows = matching(read(moved, moved[:, :0]), self.nodes, question.query.antecedent)
        self.pairs[question.name] = (
            torch.cat([before, noise[shows]])[-PAIRS:],
            torch.cat([before_moved, moved[shows]])[-PAIRS:],
        )
        self.proposed, self.accepted = self.proposed + len(noise), self.accepted + int(shows.sum())

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """Return the newest m pairs; None while there are fewer than m / 4."""
        noise, moved = self.pairs[question.name]
        if len(noise) < m / 4:
            return None
        rows = torch.arange(len(noise))[-m:]
        nothing = torch.zeros(len(rows), 0, dtype=torch.int8)
        return Group(rows, noise[rows], nothing, moved[rows], nothing)

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Return the labels of the actual images; drop pairs that no longer match."""
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


class PartlyLabelledSource:
    """Source for a generator that is given some of the labels; the others are read from its images.

    A unit is a person whose image shows what is given. The antecedent sets labels that the generator is given.
    """

    looks = True

    def __init__(
        self,
        scm: LabelSCM,
        nodes: Sequence[str],
        noise_dim: int,
        stickiness: float,
        size: int,
        questions: Sequence[Question],
    ) -> None:
        self.scm, self.nodes, self.noise_dim, self.stickiness = scm, tuple(nodes), noise_dim, stickiness
        self.columns = [self.nodes.index(name) for name in scm.graph.nodes]
        self.proposals = PROPOSALS * size
        for question in questions:
            refuse_unsettable(question.statements, scm.graph.nodes)
            _refuse_impossible(scm, question, stickiness)
        nothing = torch.zeros(0, noise_dim), torch.zeros(0, len(self.columns), dtype=torch.int8)
        self.units = {question.name: nothing for question in questions}
        self.proposed = self.accepted = 0

    def search(
        self, question: Question, noise: Tensor, seen: Callable[[], Tensor], read: Read, random: torch.Generator
    ) -> None:
        """Propose people with the given labels of the generator; keep those whose images show the rest."""
        labels = self.scm.sample(self.proposals, given=_part_of(self.scm, question.query.given), generator=random)
        noise = uniform_noise(len(labels), self.noise_dim, random)
        shows = self._matches(question, self._facts(read(noise, labels), labels))
        old_noise, old_labels = self.units[question.name]
        found = torch.cat([old_noise, noise[shows]])[-PAIRS:], torch.cat([old_labels, labels[shows]])[-PAIRS:]
        self.units[question.name] = found
        self.proposed, self.accepted = self.proposed + len(noise), self.accepted + int(shows.sum())

    def draw(self, question: Question, m: int, random: torch.Generator) -> Group | None:
        """Return the newest m people and their counterfactuals; None while there are fewer than m / 4."""
        noise, labels = (part[-m:] for part in self.units[question.name])
        if len(noise) < m / 4:
            return None
        do = question.query.antecedent
        after = self.scm.counterfactual(labels, do=do, stickiness=self.stickiness, generator=random)[:, 0]
        moved = esm_cf_sampler(noise, 1, self.stickiness, generator=random)[:, 0]
        rows = torch.arange(len(self.units[question.name][0]))[-m:]
        return Group(rows, noise, labels, moved, after)

    def confirm(self, question: Question, group: Group, seen: Tensor | None, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Return the labels of the actual images; drop people whose images no longer show what is given."""
        assert seen is not None
        facts = self._facts(seen, group.labels)
        holds = self._matches(question, facts)
        keep = torch.ones(len(self.units[question.name][0]), dtype=torch.bool)
        keep[group.rows[~holds]] = False
        noise, labels = self.units[question.name]
        self.units[question.name] = noise[keep], labels[keep]
        return facts, holds

    def _facts(self, seen: Tensor, labels: Tensor) -> Tensor:
        """Return the labels seen in images, those of the generator as it was given them."""
        return seen.index_copy(1, torch.tensor(self.columns), labels.to(seen.dtype))

    def _matches(self, question: Question, facts: Tensor) -> Tensor:
        return matching(facts, self.nodes, question.query.given)

    def state(self) -> dict[str, Any]:
        units = {name: list(pair) for name, pair in self.units.items()}
        return {"units": units, "counts": [self.proposed, self.accepted]}

    def restore(self, state: dict[str, Any]) -> None:
        self.units = {name: (pair[0].cpu(), pair[1].cpu()) for name, pair in state["units"].items()}
        self.proposed, self.accepted = state["counts"]


Source = LabelledSource | PartlyLabelledSource | ReplaySource

"""Interventions of a suite: labels set, shifted, drawn or ruled, asked of approaches with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import CausalCFError, QueryError, unknown
from ..labels.interventions import Conditional, Policy, Soft, Stochastic
from ..language.lists import check_keys
from ..language.query import zeros_and_ones
from ..language.wording import describe
from ..randomness import generator_of
from ..runs.counterfactual import labelled_counterfactual
from ..statistics.rates import Rate
from .approaches import LabelledApproach, in_order
from .flips import picture_name, save_pairs
from .session import Session


@dataclass(frozen=True)
class Intervention:
    """What is done to people with labels `given`: labels set to 0 or 1, or changed by a policy."""

    given: Mapping[str, int]
    do: Mapping[str, int | Policy]

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse labels that a graph lacks."""
        for name in (*self.given, *self.do):
            if name not in nodes:
                raise QueryError(unknown("label", name, nodes))

    def __str__(self) -> str:
        done = ", and ".join(_said(name, value) for name, value in self.do.items())
        return f"Given {describe(dict(self.given))}, what if {done}?"


def _said(name: str, value: int | Policy) -> str:
    if isinstance(value, Soft):
        return f"the probability of {name} were moved by {value.shift:+g}"
    if isinstance(value, Stochastic):
        return f"{name} were drawn with probability {value.probability:g}"
    if isinstance(value, Conditional):
        return f"{name} were 1 exactly where {value.rule}"
    return f"{name} were set to {value}"


@dataclass(frozen=True)
class AllHold:
    """Rule of a conditional intervention: 1 where all these labels have these values, else 0."""

    where: Mapping[str, int]

    def __call__(self, **parents: int) -> int:
        for name in self.where:
            if name not in parents:
                raise QueryError(f"{name} is no cause of this label; its causes: {', '.join(parents) or 'none'}")
        return int(all(parents[name] == value for name, value in self.where.items()))

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.where.items())


POLICIES: Mapping[str, Callable[[Any], Policy]] = {
    "soft": Soft,
    "stochastic": Stochastic,
    "conditional": lambda where: Conditional(AllHold(zeros_and_ones("conditional", where))),
}


def interventions_of(trees: Any) -> dict[str, Intervention]:
    """Return the interventions under a suite's key, by name."""
    if not isinstance(trees, dict):
        raise QueryError(f"interventions: expected a mapping from names to interventions, not {trees!r}")
    found = {}
    for name, tree in trees.items():
        try:
            check_keys(tree, ("given", "do"), "an intervention", QueryError)
            changes = tree.get("do")
            if not isinstance(changes, dict) or not changes:
                raise QueryError("do: expected labels, and what is done to them")
            do = {label: _change(label, value) for label, value in changes.items()}
            found[str(name)] = Intervention(zeros_and_ones("given", tree.get("given") or {}), do)
        except CausalCFError as error:
            raise QueryError(f"interventions, {name}: {error}") from None
    return found


def _change(label: str, value: Any) -> int | Policy:
    if not isinstance(value, dict):
        return zeros_and_ones("do", {label: value})[label]
    if len(value) != 1:
        raise QueryError(f"{label}: expected one of {', '.join(POLICIES)}, not {value!r}")
    ((kind, amount),) = value.items()
    if kind not in POLICIES:
        raise QueryError(f"{label}: " + unknown("intervention", str(kind), list(POLICIES)))
    return POLICIES[kind](amount)


def ask_intervention(folder: Path, session: Session, name: str, asked: Intervention, faces: int) -> dict[str, Any]:
    """Do this to `faces` faces of one approach, as an entry of the report's questions.

    The expected rates are the reference's exact answers for the same people, at the approach's stickiness. The images
    follow the run's own label model.
    """
    approach, judge = session.approach, session.judge
    common: dict[str, Any] = {"name": name, "question": str(asked), "approach": approach.name}
    nothing: dict[str, Any] = {"seen": [], "antecedent": None, "picture": None}
    if not isinstance(approach, LabelledApproach) or approach.mode != "do":
        return {**common, **nothing, "error": f"{approach.name} is not asked: it sets no labels by do"}
    scm, s, do = approach.scm, approach.stickiness, dict(asked.do)
    draw = generator_of(session.settings.seed, "intervention", name)

    def generate(unit: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        return approach.asked.generate(noise, labels)

    try:
        worlds = approach.actual(faces, asked.given, draw)
        units = replace(worlds, labels=in_order(worlds.labels, approach.nodes, scm.graph.nodes))
        found = labelled_counterfactual(scm, generate, units, do, None, s, s, 1, draw)
        facts = dict(zip(approach.nodes, worlds.labels.unbind(1), strict=True))
        expected = [
            session.reference.scm.counterfactual_probabilities({label: 1}, facts, do=do, stickiness=s)
            for label in approach.nodes
        ]
    except CausalCFError as error:
        return {**common, **nothing, "error": str(error)}
    images = found.images[:, 0]
    before, after = judge.read(worlds.images), judge.read(images)
    seen = [
        {
            "label": label,
            "before": Rate(int(before[:, i].sum()), faces).to_dict(),
            "after": Rate(int(after[:, i].sum()), faces).to_dict(),
            "expected": float(expected[i].mean()),
        }
        for i, label in enumerate(approach.nodes)
    ]
    picture = picture_name("intervention", approach.name, name)
    rows = (~(found.labels[:, 0] != units.labels).any(1)).to(torch.int8).argsort(stable=True)  # who changes comes first
    pairs = worlds.images[rows], images[rows], before[rows], after[rows]
    save_pairs(folder / picture, *pairs, approach.nodes, f"{asked} Those who change come first.")
    return {**common, "seen": seen, "antecedent": None, "picture": picture, "error": None}

"""Interventions of a suite: labels are set, or follow another law, in approaches with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..errors import CausalCFError, QueryError, unknown
from ..graph.graph import CausalGraph
from ..labels.interventions import Conditional, Policy, Soft, Stochastic
from ..language.lists import check_keys
from ..language.query import zeros_and_ones
from ..language.wording import describe
from ..randomness import generator_of
from ..statistics.rates import Rate
from .approaches import Approach, in_order
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

    def check_causes(self, graph: CausalGraph) -> None:
        """Refuse a rule by labels that are no causes of the label that it decides."""
        for label, value in self.do.items():
            for name in value.rule.where if isinstance(value, Conditional) and isinstance(value.rule, AllHold) else ():
                if name not in graph.parents(label):
                    causes = ", ".join(graph.parents(label)) or "none"
                    raise QueryError(f"{name} is no cause of {label}; its causes are {causes}")

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
        return int(all(parents[name] == value for name, value in self.where.items()))

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.where.items())


POLICIES: Mapping[str, Callable[[Any], Policy]] = {
    "soft": Soft,
    "stochastic": Stochastic,
    "conditional": lambda where: Conditional(AllHold(_some(zeros_and_ones("conditional", where)))),
}


def _some(where: dict[str, int]) -> dict[str, int]:
    if not where:
        raise QueryError("conditional is empty; it must name causes and their values")
    return where


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
    follow the run's own label model. People whom one of both models gives probability zero are left out, and counted.
    """
    approach, judge = session.approach, session.judge
    common: dict[str, Any] = {"name": name, "question": str(asked), "approach": approach.name}
    nothing: dict[str, Any] = {"seen": [], "antecedent": None, "picture": None}
    if why := _not_asked(approach, asked):
        return {**common, **nothing, "error": why}
    scm, law, s, do = approach.scm, session.reference.scm, approach.stickiness, dict(asked.do)
    draw = generator_of(session.settings.seed, "intervention", name)

    try:
        worlds = approach.actual(faces, asked.given, draw)
        own, theirs = (in_order(worlds.labels, approach.nodes, one.graph.nodes) for one in (scm, law))
        possible = scm.log_probability(own).isfinite() & law.log_probability(theirs).isfinite()
        rows = possible.nonzero()[:, 0]
        if not len(rows):
            return {**common, **nothing, "error": f"all of {faces} faces have facts of probability zero"}
        worlds = worlds.select(rows)
        units = replace(worlds, labels=own[rows])
        found = approach.by_labels(units, do, None, draw)
        facts = dict(zip(law.graph.nodes, theirs[rows].unbind(1), strict=True))
        expected = [
            law.counterfactual_probabilities({label: 1}, facts, do=do, stickiness=s) for label in approach.nodes
        ]
    except CausalCFError as error:
        return {**common, **nothing, "error": str(error)}
    images, n = found.images[:, 0], len(rows)
    before, after = judge.read(worlds.images), judge.read(images)
    seen = [
        {
            "label": label,
            "before": Rate(int(before[:, i].sum()), n).to_dict(),
            "after": Rate(int(after[:, i].sum()), n).to_dict(),
            "expected": float(expected[i].mean()),
        }
        for i, label in enumerate(approach.nodes)
    ]
    picture = picture_name("intervention", approach.name, name)
    first = (found.labels[:, 0] == units.labels).all(1).to(torch.int8).argsort(stable=True)  # who changes comes first
    pairs = worlds.images[first], images[first], before[first], after[first]
    save_pairs(folder / picture, *pairs, approach.nodes, f"{asked} Those who change come first.")
    lost = f"of {faces} faces {faces - n} have facts of probability zero" if n < faces else None
    return {**common, "seen": seen, "antecedent": None, "picture": picture, "error": lost}


def _not_asked(approach: Approach, asked: Intervention) -> str:
    """Return why an approach is not asked, or ""."""
    if approach.asked.labels is None:
        return f"{approach.name} has no labels that could be changed"
    if approach.mode != "do":
        return f"{approach.name} is asked by observe, and this is an intervention"
    own = approach.scm.graph.nodes
    strangers = [name for name in asked.do if name not in own]
    return f"{strangers[0]} cannot be changed: the generator is given {', '.join(own)} alone" if strangers else ""

"""Axioms of counterfactuals, measured on images: composition, effectiveness, reversibility, minimality; and diversity.

Names and tests follow Galles and Pearl (1998) and Monteiro et al. (2023). Pixels are compared as floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..classifiers.estimate import NO_UNITS, Estimate
from ..graph import CausalGraph
from ..seeds import generator_of, seed_of
from ..worlds.counterfactual import Worlds
from .approaches import Approach
from .diversity import diversity
from .effectiveness import Rate
from .features import judge_features
from .flips import Flip
from .intervals import mean_intervals
from .judge import Judge
from .pixels import pixel_change, unrelated_change

FEW = 200  # units that are asked twice
DRAWS = 4  # for diversity


@dataclass(frozen=True)
class Flipped:
    """What axioms ask of the flip of one cause: labels of all r units, images of a few.

    Args:
        was, asked: (r,) and (r, d) labels before the flip, of the cause alone, and after; `asked` is None for an
            approach without labels.
        shown: (r,) whether the judge sees the cause flipped.
        seen_before, seen_after: (r, d) as judged.
        changes: (r,) how far each image moved.
        few: the flip of the first units, images and all.
    """

    was: Tensor
    asked: Tensor | None
    shown: Tensor
    seen_before: Tensor
    seen_after: Tensor
    changes: Tensor
    few: Flip

    @classmethod
    def of(cls, found: Flip, nodes: Sequence[str]) -> Flipped:
        """Of one flip among those of all nodes."""
        column, few = nodes.index(found.cause), found.first(FEW // len(nodes) + 1)
        was, shown = found.actual.labels[:, column], found.shown(column)
        return cls(was, found.drawn.labels, shown, found.seen_before, found.seen_after, found.changes, few)

    def __len__(self) -> int:
        return len(self.was)


def axioms(
    approach: Approach,
    judge: Judge,
    graph: CausalGraph,
    worlds: Worlds,
    flips: Mapping[str, Flipped],
    cells: Tensor,
    seed: int,
) -> dict[str, Any]:
    """All axioms of an approach, JSON-ready.

    Args:
        approach: what is asked.
        judge: reads the images.
        graph: tells descendants.
        worlds: actual worlds.
        flips: cause -> what came of flipping it, of every label of the graph.
        cells: (m, d) the label combinations seen in the data.
        seed: of the draws made here.
    """
    few = _first(worlds, FEW)
    changes = torch.cat([f.changes for f in flips.values()])
    yardstick = unrelated_change(worlds.images)
    return {
        "composition": composition(approach, few, seed),
        "effectiveness": effectiveness(approach, flips, cells),
        "reversibility": reversibility(approach, judge, flips, yardstick, seed),
        "minimality": {
            "non_descendants": _non_descendants(graph, approach, flips),
            "pixels": mean_estimate(changes / yardstick, seed, "minimality"),
        },
        "diversity": _diversity(approach, judge, few, seed).to_dict(),
    }


def composition(approach: Approach, worlds: Worlds, seed: int) -> dict[str, Any]:
    """How far an empty antecedent moves the image: 0 for a generator at stickiness 1."""
    found = approach.counterfactual(worlds, {}, generator_of(seed, approach.kind, "composition"))
    change = pixel_change(worlds.images[found.rows], found.images)
    return {"pixels": mean_estimate(change, seed, "composition")}


def effectiveness(approach: Approach, flips: Mapping[str, Flipped], cells: Tensor) -> dict[str, Any]:
    """How often the judge sees the counterfactual labels: pooled counts over all images, never a mean of batches.

    With labels, all of them, and apart for combinations seen in the data and unseen. Without, the flip alone: the judge
    must see it, before and after (`Flip.shown`).
    """
    if not approach.has_labels:
        hits = {cause: Rate(int(f.shown.sum()), len(f)) for cause, f in flips.items()}
        return {"all": _pooled(hits.values()), "seen": None, "unseen": None, "labels": _rates(hits)}
    known = {tuple(cell) for cell in cells.tolist()}
    asked = torch.cat([f.asked for f in flips.values() if f.asked is not None])
    right = torch.cat([f.seen_after for f in flips.values()]) == asked
    seen = torch.tensor([tuple(row) in known for row in asked.tolist()], dtype=torch.bool)
    labels = {name: Rate(int(right[:, i].sum()), len(right)) for i, name in enumerate(approach.nodes)}
    parts = {"all": right, "seen": right[seen], "unseen": right[~seen]}
    return {**{k: Rate(int(v.sum()), v.numel()).to_dict() for k, v in parts.items()}, "labels": _rates(labels)}


def reversibility(
    approach: Approach, judge: Judge, flips: Mapping[str, Flipped], yardstick: float, seed: int
) -> dict[str, Any]:
    """Flip a cause and flip it back: how far the image is from where it began, as a share of two different people's
    distance, and how often all judged labels are back."""
    moved, back = [], []
    for cause, flipped in flips.items():
        found = flipped.few
        if not len(found):
            continue
        was = flipped.was[: len(found)]
        there = found.drawn.worlds(found.seen_after if found.drawn.labels is None else found.drawn.labels)
        again = approach.counterfactual(there, {cause: was}, generator_of(seed, approach.kind, cause, "back"))
        before = found.actual.images[again.rows]
        moved.append(pixel_change(before, again.images))
        back.append((judge.read(again.images) == found.seen_before[again.rows]).all(1))
    if not moved:
        return {"pixels": None, "labels": None}
    returned = torch.cat(back)
    return {
        "pixels": mean_estimate(torch.cat(moved) / yardstick, seed, "reversibility"),
        "labels": Rate(int(returned.sum()), len(returned)).to_dict(),
    }


def _non_descendants(graph: CausalGraph, approach: Approach, flips: Mapping[str, Flipped]) -> dict[str, Any] | None:
    """How often the judge sees a non-descendant changed by an intervention; an observation may change all."""
    if approach.mode != "do":
        return None
    changed = n = 0
    for cause, found in flips.items():
        others = [i for i, name in enumerate(approach.nodes) if name != cause and name not in graph.descendants(cause)]
        changed += int((found.seen_after[:, others] != found.seen_before[:, others]).sum())
        n += len(found) * len(others)
    return Rate(changed, n).to_dict()


def _diversity(approach: Approach, judge: Judge, worlds: Worlds, seed: int) -> Estimate:
    """Of the draws for one unit, its first label flipped."""
    units = len(worlds) // DRAWS
    repeated = Worlds(*(part[:units].repeat_interleave(DRAWS, 0) for part in vars(worlds).values()))
    antecedent = {approach.nodes[0]: 1 - repeated.labels[:, 0]}
    found = approach.counterfactual(repeated, antecedent, generator_of(seed, approach.kind, "diversity"))
    counts = torch.bincount(found.rows // DRAWS, minlength=units)
    whole = counts[found.rows // DRAWS] == DRAWS
    features = judge_features(judge.classifier, found.images[whole])
    return diversity(features.view(-1, DRAWS, features.shape[1]), generator_of(seed, "diversity"))


def mean_estimate(values: Tensor, *names: object) -> dict[str, float | None]:
    """The mean of independent units' values and its interval, JSON-ready."""
    if len(values) < 2:
        return NO_UNITS.to_dict()
    draw = np.random.default_rng(seed_of(*names))
    (interval,) = mean_intervals(values.double().numpy()[None], draw, bounds=(0.0, 1.0))
    return Estimate(float(values.double().mean()), interval.low, interval.high).to_dict()


def _pooled(rates: Any) -> dict[str, float | None]:
    rates = list(rates)
    return Rate(sum(rate.hits for rate in rates), sum(rate.n for rate in rates)).to_dict()


def _rates(rates: Mapping[str, Rate]) -> dict[str, Any]:
    return {name: rate.to_dict() for name, rate in rates.items()}


def _first(worlds: Worlds, n: int) -> Worlds:
    return Worlds(worlds.noise[:n], worlds.labels[:n], worlds.images[:n])

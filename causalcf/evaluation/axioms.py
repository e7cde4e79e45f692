"""Axioms of counterfactuals, measured on images: composition, effectiveness, reversibility, minimality; and diversity.

Names and tests follow Galles and Pearl (1998) and Monteiro et al. (2023). Pixels are compared as floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..classifiers.estimate import NO_UNITS
from ..graph import CausalGraph
from ..seeds import generator_of
from ..worlds.counterfactual import Worlds
from .approaches import Approach
from .diversity import diversity
from .features import judge_features
from .flips import Flip
from .judge import Judge
from .pixels import pixel_change, unrelated_change
from .unit_rates import as_share, over_units

FEW = 200  # units that are asked twice
DRAWS = 4  # for diversity


@dataclass(frozen=True)
class Flipped:
    """What axioms ask of the flip of one cause: labels of all r units that have a counterfactual, images of a few.

    Args:
        asked: units asked.
        rows: (r,) which of these have a counterfactual.
        labels: (r, d) labels after the flip; None for an approach without labels.
        shown: (r,) whether the judge sees the cause flipped.
        seen_before, seen_after: (r, d) as judged.
        changes: (r,) how far each image moved.
        few: the flip of a few units, images and all.
        few_asked: how many these are; `few` has those that have a counterfactual.
    """

    asked: int
    rows: Tensor
    labels: Tensor | None
    shown: Tensor
    seen_before: Tensor
    seen_after: Tensor
    changes: Tensor
    few: Flip
    few_asked: int

    @classmethod
    def of(cls, found: Flip, nodes: Sequence[str]) -> Flipped:
        """Of one flip among those of all nodes, for each of which a few other units are kept."""
        column, many = nodes.index(found.cause), min(FEW // len(nodes) + 1, found.asked)
        few = torch.arange(column * many, (column + 1) * many) % found.asked
        seen = found.shown(column), found.seen_before, found.seen_after
        return cls(found.asked, found.drawn.rows, found.drawn.labels, *seen, found.changes, found.only(few), many)

    def __len__(self) -> int:
        return len(self.rows)


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
    yardstick = unrelated_change(worlds.images)
    return {
        "composition": composition(approach, few, seed),
        "effectiveness": effectiveness(approach, flips, cells, seed),
        "reversibility": reversibility(approach, judge, flips, yardstick, seed),
        "minimality": minimality(graph, approach, flips, yardstick, seed),
        "diversity": _diversity(approach, judge, few, seed),
    }


def composition(approach: Approach, worlds: Worlds, seed: int) -> dict[str, Any]:
    """How far an empty antecedent moves the image: 0 for a generator at stickiness 1."""
    found = approach.counterfactual(worlds, {}, generator_of(seed, approach.kind, "composition"))
    change = pixel_change(worlds.images[found.rows], found.images)
    return {"pixels": over_units(found.rows, change, 1, len(worlds), seed, "composition")}


def effectiveness(approach: Approach, flips: Mapping[str, Flipped], cells: Tensor, seed: int) -> dict[str, Any]:
    """How often the judge sees the counterfactual labels: pooled counts over all images, never a mean of batches.

    With labels, all of them, and apart for combinations seen in the data and unseen; it is not known which of these
    would have come of flips that have no counterfactual. Without labels, the flip alone: the judge must see it, before
    and after (`Flip.shown`). `flipped` is the flip alone for both, to compare them by.
    """
    units, asked = torch.cat([f.rows for f in flips.values()]), sum(f.asked for f in flips.values())
    names = seed, "effectiveness"
    flipped = over_units(units, torch.cat([f.shown for f in flips.values()]), 1, asked, *names)
    if not approach.has_labels:
        labels = {cause: over_units(f.rows, f.shown, 1, f.asked, *names, cause) for cause, f in flips.items()}
        return {"all": flipped, "flipped": flipped, "seen": None, "unseen": None, "labels": labels}
    known = {tuple(cell) for cell in cells.tolist()}
    expected = torch.cat([f.labels for f in flips.values() if f.labels is not None])
    right = torch.cat([f.seen_after for f in flips.values()]) == expected
    seen = torch.tensor([tuple(row) in known for row in expected.tolist()], dtype=torch.bool)

    def part(name: str, rows: Tensor, asked: int | None) -> dict[str, Any]:
        return over_units(units[rows], right[rows].sum(1), right.shape[1], asked, *names, name)

    return {
        "all": part("all", torch.ones_like(seen), asked),
        "flipped": flipped,
        "seen": part("seen", seen, None),
        "unseen": part("unseen", ~seen, None),
        "labels": {
            name: over_units(units, right[:, i], 1, asked, *names, name) for i, name in enumerate(approach.nodes)
        },
    }


def reversibility(
    approach: Approach, judge: Judge, flips: Mapping[str, Flipped], yardstick: float, seed: int
) -> dict[str, Any]:
    """Flip a cause and flip it back: how far the image is from where it began, as a share of two different people's
    distance, and how often all judged labels are back."""
    units, moved, back = [torch.zeros(0, dtype=torch.long)], [torch.zeros(0).double()], [torch.zeros(0).bool()]
    for cause, flipped in flips.items():
        found = flipped.few
        if not len(found):
            continue
        was = found.actual.labels[:, approach.nodes.index(cause)]
        there = found.drawn.worlds(found.seen_after if found.drawn.labels is None else found.drawn.labels)
        again = approach.counterfactual(there, {cause: was}, generator_of(seed, approach.kind, cause, "back"))
        if not len(again.rows):
            continue
        units.append(found.drawn.rows[again.rows])
        moved.append(pixel_change(found.actual.images[again.rows], again.images))
        back.append((judge.read(again.images) == found.seen_before[again.rows]).all(1))
    counted, asked, names = torch.cat(units), sum(f.few_asked for f in flips.values()), (seed, "reversibility")
    pixels = over_units(counted, torch.cat(moved), 1, asked, *names)
    return {"pixels": as_share(pixels, yardstick), "labels": over_units(counted, torch.cat(back), 1, asked, *names)}


def minimality(
    graph: CausalGraph, approach: Approach, flips: Mapping[str, Flipped], yardstick: float, seed: int
) -> dict[str, Any]:
    """How much a flip changes: judged labels that do not descend from the cause, and pixels, as a share."""
    units, asked = torch.cat([f.rows for f in flips.values()]), sum(f.asked for f in flips.values())
    changes = torch.cat([f.changes for f in flips.values()])
    return {
        "non_descendants": _non_descendants(graph, approach, flips, seed),
        "pixels": as_share(over_units(units, changes, 1, asked, seed, "minimality"), yardstick),
    }


def _non_descendants(
    graph: CausalGraph, approach: Approach, flips: Mapping[str, Flipped], seed: int
) -> dict[str, Any] | None:
    """How often the judge sees a non-descendant changed by an intervention; an observation may change all."""
    if approach.mode != "do":
        return None
    units, changed, trials, asked = [], [], [], 0
    for cause, found in flips.items():
        others = [i for i, name in enumerate(approach.nodes) if name != cause and name not in graph.descendants(cause)]
        if not others:
            continue
        units.append(found.rows)
        changed.append((found.seen_after[:, others] != found.seen_before[:, others]).sum(1))
        trials.append(torch.full_like(found.rows, len(others)))
        asked += found.asked
    if not units:
        return None
    return over_units(torch.cat(units), torch.cat(changed), torch.cat(trials), asked, seed, "non-descendants")


def _diversity(approach: Approach, judge: Judge, worlds: Worlds, seed: int) -> dict[str, Any]:
    """Of the draws for one unit, its first label flipped; a unit that lacks one of its draws is left out."""
    units = len(worlds) // DRAWS
    repeated = Worlds(*(part[:units].repeat_interleave(DRAWS, 0) for part in vars(worlds).values()))
    antecedent = {approach.nodes[0]: 1 - repeated.labels[:, 0]}
    found = approach.counterfactual(repeated, antecedent, generator_of(seed, approach.kind, "diversity"))
    counts = torch.bincount(found.rows // DRAWS, minlength=units)
    whole = counts[found.rows // DRAWS] == DRAWS
    n, estimate = int(whole.sum()) // DRAWS, NO_UNITS
    if n:
        features = judge_features(judge.classifier, found.images[whole])
        estimate = diversity(features.view(-1, DRAWS, features.shape[1]), generator_of(seed, "diversity"))
    return {**estimate.to_dict(), "n": n, "units": n, "answered": n, "asked": units}


def _first(worlds: Worlds, n: int) -> Worlds:
    return Worlds(worlds.noise[:n], worlds.labels[:n], worlds.images[:n])

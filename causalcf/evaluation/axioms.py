"""Axioms of counterfactuals measured on images, and diversity.
They follow Galles and Pearl (1998) and Monteiro et al. (2023). Pixels are compared as floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import bootstrap
from torch import Tensor

from ..errors import CausalCFError
from ..graph.graph import CausalGraph
from ..randomness import generator_of
from ..runs.counterfactual import Worlds
from ..statistics.rates import NO_UNITS, Estimate, as_share, over_units
from .approaches import Approach
from .flips import Flip, pixel_change, unrelated_change
from .judge import Judge, judge_features

RESAMPLES = 2000
BLOCK = 256  # rows of distances, and resamples, held at a time
FEW = 200  # units that are asked twice
DRAWS = 4  # for diversity


def diversity(features: Tensor, generator: torch.Generator) -> Estimate:
    """Return distance within units over distance between units, of (n, m, f) features, with interval."""
    if not bool(features.isfinite().all()):
        raise CausalCFError("features have values that are not finite")
    n = len(features)
    if n < 2:
        return NO_UNITS
    within, between = within_units(features), between_units(features)
    yardstick = between.sum() / (n * (n - 1))
    if yardstick == 0:
        return NO_UNITS

    def ratio(drawn: np.ndarray, axis: int) -> np.ndarray:
        """Compute the ratio of each resample; if all its units are alike, use the full sample's divisor."""
        count = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(float)
        pairs = count.sum(1) ** 2 - (count**2).sum(1)
        apart = ((count @ between) * count).sum(1) / np.maximum(pairs, 1)
        return within[drawn].mean(axis) / np.where(apart > 0, apart, yardstick)

    units, rng = (np.arange(n),), np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    how: dict[str, Any] = {"batch": BLOCK, "vectorized": True, "method": "percentile", "rng": rng}
    found = bootstrap(units, ratio, n_resamples=RESAMPLES, **how).confidence_interval
    return Estimate(float(within.mean() / yardstick), float(found.low), float(found.high))


def within_units(draws: Tensor) -> np.ndarray:
    """Return the (n,) mean distance between two different draws of a unit, of (n, m, f) features."""
    m = draws.shape[1]
    # Without matrix products, in which equal draws would not be exactly 0 apart.
    apart = torch.cdist(draws, draws, compute_mode="donot_use_mm_for_euclid_dist")
    return (apart.sum((1, 2)) / (m * (m - 1))).numpy()


def between_units(draws: Tensor) -> np.ndarray:
    """Return (n, n) mean distances between draws of two units, 0 on the diagonal, of (n, m, f) features."""
    n, m, _ = draws.shape
    everyone, blocks = draws.flatten(0, 1), draws.split(max(1, BLOCK // m))
    rows = [torch.cdist(part.flatten(0, 1), everyone).view(-1, m, n, m).mean((1, 3)) for part in blocks]
    return torch.cat(rows).fill_diagonal_(0).numpy()


@dataclass(frozen=True)
class Flipped:
    """What the axioms need of one cause's flip: labels of all r units, images of a few."""

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
        """Summarize a flip; each cause keeps the images of a different small set of units."""
        column, many = nodes.index(found.cause), min(FEW // len(nodes) + 1, found.asked)
        few = torch.arange(column * many, (column + 1) * many) % found.asked
        seen = found.shown(column), found.seen_before, found.seen_after
        return cls(found.asked, found.drawn.rows, found.drawn.labels, *seen, found.changes, found.only(few), many)


def axioms(
    approach: Approach,
    judge: Judge,
    graph: CausalGraph,
    worlds: Worlds,
    flips: Mapping[str, Flipped],
    cells: Tensor,
    seed: int,
) -> dict[str, Any]:
    """Measure all axioms of an approach, JSON-ready."""
    few = worlds.select(torch.arange(min(FEW, len(worlds))))
    yardstick = unrelated_change(worlds.images)
    return {
        "composition": composition(approach, few, seed),
        "effectiveness": effectiveness(approach, flips, cells, seed),
        "reversibility": reversibility(approach, judge, flips, yardstick, seed),
        "minimality": minimality(graph, approach, flips, yardstick, seed),
        "diversity": _diversity(approach, judge, few, seed),
    }


def composition(approach: Approach, worlds: Worlds, seed: int) -> dict[str, Any]:
    """Measure the pixel change under an empty antecedent; 0 for a generator at stickiness 1."""
    found = approach.counterfactual(worlds, {}, generator_of(seed, approach.kind, "composition"))
    change = pixel_change(worlds.images[found.rows], found.images)
    return {"pixels": over_units(found.rows, change, 1, len(worlds), seed, "composition")}


def effectiveness(approach: Approach, flips: Mapping[str, Flipped], cells: Tensor, seed: int) -> dict[str, Any]:
    """Measure how often the judge reads the counterfactual labels; counts are pooled over all images."""
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
    """Flip a cause and flip it back; measure the distance from the start and the labels restored."""
    units, moved, back = [torch.zeros(0, dtype=torch.long)], [torch.zeros(0).double()], [torch.zeros(0).bool()]
    for cause, flipped in flips.items():
        found = flipped.few
        if not len(found):
            continue
        was = found.actual.labels[:, approach.nodes.index(cause)]
        labels = found.seen_after if found.drawn.labels is None else found.drawn.labels
        there = Worlds(found.drawn.noise, labels, found.drawn.images)
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
    """Measure how much a flip changes: labels of non-descendants, and pixels as a share."""
    units, asked = torch.cat([f.rows for f in flips.values()]), sum(f.asked for f in flips.values())
    changes = torch.cat([f.changes for f in flips.values()])
    return {
        "non_descendants": _non_descendants(graph, approach, flips, seed),
        "pixels": as_share(over_units(units, changes, 1, asked, seed, "minimality"), yardstick),
    }


def _non_descendants(
    graph: CausalGraph, approach: Approach, flips: Mapping[str, Flipped], seed: int
) -> dict[str, Any] | None:
    """Measure how often a do-intervention changes a non-descendant; None for observe."""
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
    """Measure diversity over draws with the first label flipped; incomplete units are left out."""
    units = len(worlds) // DRAWS
    repeated = worlds.select(torch.arange(units).repeat_interleave(DRAWS))
    antecedent = {approach.nodes[0]: 1 - repeated.labels[:, 0]}
    found = approach.counterfactual(repeated, antecedent, generator_of(seed, approach.kind, "diversity"))
    counts = torch.bincount(found.rows // DRAWS, minlength=units)
    whole = counts[found.rows // DRAWS] == DRAWS
    n, estimate = int(whole.sum()) // DRAWS, NO_UNITS
    if n:
        features = judge_features(judge.classifier, found.images[whole])
        estimate = diversity(features.view(-1, DRAWS, features.shape[1]), generator_of(seed, "diversity"))
    return {**estimate.to_dict(), "n": n, "units": n, "answered": n, "asked": units}

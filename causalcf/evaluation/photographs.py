"""What becomes of photographs: how well each way of abduction draws them again, and whether a flipped label then shows.
With the residual it is what a user sees; without, what encoder and generator are worth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data.faces.person import LABELS
from ..data.faces.units import Units, counterfactual, sample_units
from ..data.images import ImageData, to_unit_interval
from ..errors import CausalCFError, IntractableError
from ..labels.evidence import configurations
from ..pictures.sheets import save_sheet
from ..randomness import generator_of
from ..runs.abduction import METHODS
from ..runs.counterfactual import Worlds, with_residual
from ..runs.run import Run
from ..statistics.rates import Rate, mean_estimate, over_units
from .approaches import in_order
from .judge import Judge, judge_features
from .similarity import after_cycles, feature_distance, structural_similarity

CYCLES = 10
FEWEST = 20  # photographs of which an effect is measured
OTHERS = 99  # photographs among which a person is looked for
MOST_PARENTS = 12  # of a child whose effects are measured: the table of its causes has 2^12 rows
TUNED = 50  # photographs that are tuned, seconds each
SHOWN = 10  # photographs of each kind in a sheet


@dataclass(frozen=True)
class Photographs:
    """Photographs (n, 3, 64, 64) in [0, 1] with (n, d) labels; `units` are the true ones of rendered faces."""

    images: Tensor
    labels: Tensor
    units: Units | None = None

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: Tensor) -> Photographs:
        """Return the photographs at (m,) rows."""
        return Photographs(self.images[rows], self.labels[rows], None if self.units is None else self.units[rows])


def held_out_photographs(data: ImageData, nodes: tuple[str, ...], n: int, seed: int) -> Photographs:
    """Draw photographs that no training saw: of rendered faces new units, else held-out images."""
    draw = generator_of(seed, "photographs")
    if data.name == "faces":
        units = sample_units(n, draw)
        return Photographs(units.images(), in_order(units.labels, LABELS, nodes), units)
    rows = torch.randperm(len(data), generator=draw)[:n]
    return Photographs(to_unit_interval(data.batch(rows)), data.select(nodes)[rows])


def measure_photographs(
    run: Run,
    judge: Judge,
    photographs: Photographs,
    seed: int,
    picture: Callable[[str], Path] | None = None,
    methods: Sequence[str] = METHODS,
) -> dict[str, Any]:
    """Measure each of the `methods` of abduction that the run has, with the residual and without: JSON-ready, by way.

    The labels of the photographs are in the judge's order.

    Photographs whose labels the run's label model says are impossible are left out, and counted. `picture` gives the
    file of a sheet for each method: the photographs that are drawn again best, in the middle, and worst.
    """
    found: dict[str, Any] = {}
    asked, nodes = len(photographs), run.graph.nodes
    photographs = replace(photographs, labels=in_order(photographs.labels, judge.nodes, nodes))
    judge = replace(judge, classifier=judge.classifier.select(nodes))
    if run.labels is not None:
        photographs = photographs.select(run.labels.log_probability(photographs.labels).isfinite().nonzero()[:, 0])
    if len(photographs) < 2:
        raise CausalCFError(f"the label model excludes the labels of {asked - len(photographs)} of {asked} photographs")
    people = _People(judge, photographs, seed)
    for method in methods:
        if method == "encoder" and run.encoder is None:
            continue
        n = min(TUNED, len(photographs)) if method == "tune" else len(photographs)
        start = time.perf_counter()
        labels = photographs.labels[:n] if run.labels is not None else None
        worlds = run.abduct(photographs.images[:n], labels, method, generator_of(seed, "abduction", method))
        seconds = (time.perf_counter() - start) / n
        for name, shown in ((method, worlds), (f"{method}, no residual", worlds.without_residual())):
            found[name] = {"photographs": n, "left out: impossible labels": asked - len(photographs)}
            found[name]["seconds a photograph"] = seconds
            found[name] |= _measures(run, people, shown, seed, name)
        if picture is not None:
            save_drawn_again(picture(method), photographs.images[:n], worlds.without_residual().images)
            found[method]["picture"] = picture(method).name
    return found


def save_drawn_again(path: Path, photographs: Tensor, drawn: Tensor) -> None:
    """Write the photographs that are drawn again best, in the middle and worst, each above its drawing."""
    order = (drawn - photographs).square().flatten(1).mean(1).argsort()
    n, few = len(order), min(SHOWN, len(order))
    middle = (n - few) // 2
    rows: list[tuple[str, Tensor]] = []
    for title, some in (("best", order[:few]), ("middle", order[middle : middle + few]), ("worst", order[n - few :])):
        rows += [(title, photographs[some]), ("drawn again", drawn[some].clamp(0, 1))]
    save_sheet(path, rows)


def _measures(run: Run, people: _People, worlds: Worlds, seed: int, way: str) -> dict[str, Any]:
    n, names = len(worlds), people.judge.nodes
    photographs, labels = people.photographs.images[:n], people.photographs.labels[:n]
    found: dict[str, Any] = {}
    bare = worlds.residual is None or not bool(worlds.residual.any())
    if bare:  # with the residual the photograph comes back exactly
        found |= _drawn_again(people.judge, worlds.images, photographs)
    if way.startswith("encoder") and bare:
        found[f"L1 after {CYCLES} null interventions, of 255"] = mean_estimate(
            after_cycles(lambda seen: _again(run, seen, worlds.labels), photographs, CYCLES)
        ).to_dict()

    def rate(name: str, right: Tensor) -> None:
        """Pool (n, d) answers; the interval is over photographs."""
        found[name] = over_units(torch.arange(n), right.sum(1), right.shape[1], n, seed, way, name)

    drawn = people.judge.probabilities(worlds.images)
    before, was = people.judge.read(photographs), people.judge.above_base_rates(drawn)
    rate("null intervention: labels kept", was == before)
    if run.labels is None:
        return found
    same, shown, pixels, truths, beside, back = [], [], [], [], [], []
    effects: dict[str, Any] = {}
    for column, name in enumerate(names):
        wanted = 1 - labels[:, column]
        images, flipped = _under(run, worlds, name, wanted, seed)
        after = people.judge.probabilities(images)
        read = people.judge.above_base_rates(after)
        shown.append((read[:, column], wanted))
        others = [i for i, node in enumerate(names) if node not in run.graph.descendants(name) and i != column]
        beside.append((read == before)[:, others])
        # Of the flip alone, not of drawing again.
        effects |= _effects(run, name, wanted, labels, {"seen": read - was, "mean probability": after - drawn})
        if way.startswith("encoder"):
            back.append(_reversed(run, worlds, images, flipped))
        features = people.features(images)
        same.append(people.found_again(features))
        if people.true:
            pixels.append((images - people.true[name].images[:n]).abs().flatten(1).mean(1))
            truths.append((features - people.true[name].features[:n]).norm(dim=1) / people.apart)
    if kept := [one for one in beside if one.shape[1]]:
        rate("labels kept that nothing changes", torch.cat(kept, 1))
    if back:
        apart = [(images - photographs).abs().flatten(1).mean(1) for images in back]
        found["L1 after a flip and back, of 255"] = mean_estimate(255 * torch.stack(apart).mean(0)).to_dict()
    rate("person found again, rank 1", torch.stack(same, 1))
    found["photographs to find the person among"] = people.others.shape[1] + 1
    if people.true:
        ceiling = torch.stack([people.found_again(one.features[:n]) for one in people.true.values()], 1)
        rate("of the true counterfactual, the same", ceiling)
        found["pixels from the true counterfactual, of 255"] = mean_estimate(
            255 * torch.stack(pixels).mean(0)
        ).to_dict()
        found["features from it, of two people alike"] = mean_estimate(torch.stack(truths).mean(0)).to_dict()
    for name, (seen, wanted) in zip(names, shown, strict=True):
        found[f"flips shown, {name}"] = Rate(int((seen == wanted).sum()), n).to_dict()
        ones, of_both = int((seen & wanted).sum()), int(seen.sum() + wanted.sum())
        found[f"F1, {name}"] = 2 * ones / of_both if of_both else None
    return found | effects


def _drawn_again(judge: Judge, images: Tensor, photographs: Tensor) -> dict[str, Any]:
    """Compare photographs with what is drawn of them."""
    squares = (images - photographs).square().flatten(1).mean(1)
    measures = {
        "PSNR, dB": -10 * squares.clamp(min=1e-10).log10(),
        "SSIM": structural_similarity(images, photographs),
        "L1, of 255": 255 * (images - photographs).abs().flatten(1).mean(1),
        "feature distance": feature_distance(judge.classifier, images, photographs),
    }
    return {name: mean_estimate(values).to_dict() for name, values in measures.items()}


def _again(run: Run, images: Tensor, labels: Tensor) -> Tensor:
    """Return what the encoder and the generator make of images, without residual."""
    given = None if run.labels is None else labels
    return run.abduct(images, given, "encoder").without_residual().images


def _reversed(run: Run, worlds: Worlds, images: Tensor, labels: Tensor) -> Tensor:
    """Return counterfactual images (n, 3, h, w) with labels (n, d), abducted anew and drawn with the labels of before.

    These are what flipping back gives: the noise of the labels is the same in both worlds (reversibility).
    """
    there = run.abduct(images, labels, "encoder")
    if worlds.residual is None or not bool(worlds.residual.any()):
        there = there.without_residual()
    every = torch.arange(len(images))
    return with_residual(there, every, there.noise, run.generate(there.noise, worlds.labels))


def _effects(run: Run, cause: str, values: Tensor, labels: Tensor, changes: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return for each child of a flipped cause its `changes` (n, d), and the one that the label model expects.

    The photographs are those whose other parents of the child leave most to the cause: of Young -> Bald, men.
    """
    found: dict[str, Any] = {}
    scm = run.labels
    assert scm is not None
    nodes = list(scm.graph.nodes)
    for child in scm.graph.children(cause):
        parents = scm.graph.parents(child)
        if len(parents) > MOST_PARENTS:
            continue
        cells = configurations(len(parents))
        p, on = scm.mechanisms[child].probability(cells), cells[:, parents.index(cause)] == 1
        others = [i for i, parent in enumerate(parents) if parent != cause]
        best = (p[on] - p[~on]).abs().argmax()
        held = {parents[i]: int(cells[on][best, i]) for i in others}
        rows = torch.stack([labels[:, nodes.index(n)] == v for n, v in held.items()]).all(0) if held else values >= 0
        if int(rows.sum()) < FEWEST:
            continue
        column, said = nodes.index(child), "".join(f", {n} = {v}" for n, v in held.items())
        try:
            expected = scm.counterfactual_probabilities({child: 1}, labels[rows], do={cause: values[rows]})
        except IntractableError:
            continue
        name = f"{cause} flipped{said}: effect on {child}"
        turned = 2.0 * values[rows] - 1  # effects of 1 instead of 0
        moves = {what: change[rows, column].double() for what, change in changes.items()}
        for what, moved in {**moves, "expected": expected - labels[rows, column]}.items():
            found[f"{name}, {what}"] = mean_estimate(turned * moved).to_dict()
    return found


def _under(run: Run, worlds: Worlds, name: str, values: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return (n, 3, h, w) images and (n, d) labels under do(name = values), with all noise kept."""
    images, labels = torch.empty_like(worlds.images), torch.empty_like(worlds.labels)
    for value in (0, 1):
        rows = (values == value).nonzero()[:, 0]
        if len(rows):
            draw = generator_of(seed, "flips", name, value)
            drawn = run.counterfactual(worlds.select(rows), do={name: value}, generator=draw)
            images[rows], labels[rows] = drawn.images[:, 0], drawn.labels[:, 0]
    return images, labels


@dataclass(frozen=True)
class _True:
    """True counterfactual images of one label flipped, and what the judge sees in them."""

    images: Tensor
    features: Tensor


class _People:
    """Whom photographs show, by the judge's features without the directions in which it reads labels."""

    def __init__(self, judge: Judge, photographs: Photographs, seed: int) -> None:
        self.judge, self.photographs = judge, photographs
        linear = [module for module in judge.classifier.network.modules() if isinstance(module, nn.Linear)][-1]
        self.labels = torch.linalg.qr(linear.weight.detach().double().cpu().T).Q
        self.own = self.features(photographs.images)
        self.others = _alike(photographs.labels, seed)
        self.apart = float((self.own - self.own[self.others[:, 0]]).norm(dim=1).mean())
        self.true: dict[str, _True] = {}
        if photographs.units is not None:
            for column, name in enumerate(judge.nodes):
                flipped = {name: 1 - photographs.labels[:, column]}
                images = counterfactual(photographs.units, flipped).images()
                self.true[name] = _True(images, self.features(images))

    def features(self, images: Tensor) -> Tensor:
        found = judge_features(self.judge.classifier, images)
        return found - (found @ self.labels) @ self.labels.T

    def found_again(self, features: Tensor) -> Tensor:
        """Return (n,): each is nearer to its own photograph than to all the others."""
        n = len(features)
        own = (features - self.own[:n]).norm(dim=1)
        others = (features[:, None] - self.own[self.others[:n]]).norm(dim=2)
        return own < others.amin(1)


def _alike(labels: Tensor, seed: int) -> Tensor:
    """Return (n, m) other rows for each, those with the most labels in common first; ties by chance."""
    n = len(labels)
    common = (labels[:, None] == labels[None]).sum(2).double()
    common += torch.rand(n, n, generator=generator_of(seed, "others")).double() / 2
    common.fill_diagonal_(-1)
    return common.topk(min(OTHERS, n - 1), dim=1).indices

"""What becomes of photographs: how well each way of abduction draws them again, and whether a flipped label then shows.
With the residual it is what a user sees; without, what encoder and generator are worth.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import norm
from torch import Tensor, nn

from ..classifiers.classifier import AttributeClassifier
from ..data.faces.person import LABELS
from ..data.faces.units import Units, counterfactual, sample_units
from ..data.images import ImageData, to_unit_interval
from ..randomness import generator_of
from ..runs.abduction import METHODS
from ..runs.counterfactual import Worlds
from ..runs.run import Run
from ..statistics.rates import Estimate, Rate
from .approaches import in_order
from .judge import Judge, judge_features

OTHERS = 99  # photographs among which a person is looked for
TUNED = 50  # photographs that are tuned, seconds each


@dataclass(frozen=True)
class Photographs:
    """Photographs (n, 3, 64, 64) in [0, 1] with (n, d) labels; `units` are the true ones of rendered faces."""

    images: Tensor
    labels: Tensor
    units: Units | None = None

    def __len__(self) -> int:
        return len(self.images)

    def first(self, n: int) -> Photographs:
        return Photographs(self.images[:n], self.labels[:n], None if self.units is None else self.units[:n])


def held_out_photographs(data: ImageData, nodes: tuple[str, ...], n: int, seed: int) -> Photographs:
    """Draw photographs that no training saw: of rendered faces new units, else held-out images."""
    draw = generator_of(seed, "photographs")
    if data.name == "faces":
        units = sample_units(n, draw)
        return Photographs(units.images(), in_order(units.labels, LABELS, nodes), units)
    rows = torch.randperm(len(data), generator=draw)[:n]
    return Photographs(to_unit_interval(data.batch(rows)), data.select(nodes)[rows])


def measure_photographs(run: Run, judge: Judge, photographs: Photographs, seed: int) -> dict[str, Any]:
    """Measure each way of abduction that the run has, with the residual and without: JSON-ready, by way."""
    found: dict[str, Any] = {}
    for method in METHODS:
        if method == "encoder" and run.encoder is None:
            continue
        asked = photographs.first(TUNED) if method == "tune" else photographs
        start = time.perf_counter()
        labels = asked.labels if run.labels is not None else None
        worlds = run.abduct(asked.images, labels, method, generator_of(seed, "abduction", method))
        seconds = (time.perf_counter() - start) / len(asked)
        for name, shown in ((method, worlds), (f"{method}, no residual", worlds.without_residual())):
            found[name] = {"photographs": len(asked), "seconds a photograph": seconds}
            found[name] |= _measures(run, judge, asked, shown, seed)
    return found


def _measures(run: Run, judge: Judge, photographs: Photographs, worlds: Worlds, seed: int) -> dict[str, Any]:
    names, real = judge.nodes, judge.read(photographs.images)
    person = _Person(judge.classifier, photographs, seed)
    found: dict[str, Any] = {}
    if worlds.residual is None or not bool(worlds.residual.any()):  # with it the photograph comes back exactly
        apart = (worlds.images - photographs.images).square().flatten(1).mean(1)
        found["PSNR, dB"] = _mean(-10 * apart.clamp(min=1e-10).log10()).to_dict()
    null = judge.read(worlds.images)
    found["null intervention: labels kept"] = Rate(int((null == real).sum()), real.numel()).to_dict()
    same, pixels, truths, ceiling = [], [], [], []
    hits = dict.fromkeys(names, (0, 0, 0, 0))
    if run.labels is None:
        return found
    for column, name in enumerate(names):
        wanted = 1 - photographs.labels[:, column]
        images = _under(run, worlds, name, wanted, seed)
        seen = judge.read(images)[:, column]
        hits[name] = _confusion(seen, wanted)
        features = person.features(images)
        same.append(person.first(features))
        if photographs.units is not None:
            true = counterfactual(photographs.units, {name: wanted}).images()
            pixels.append((images - true).abs().flatten(1).mean(1))
            of_true = person.features(true)
            truths.append((features - of_true).norm(dim=1) / person.apart)
            ceiling.append(person.first(of_true))
    found["person found again, rank 1"] = Rate(int(torch.stack(same).sum()), len(names) * len(worlds)).to_dict()
    if truths:
        of_all = Rate(int(torch.stack(ceiling).sum()), len(names) * len(worlds))
        found["of the true counterfactual, the same"] = of_all.to_dict()
        found["pixels from the true counterfactual, of 255"] = _mean(255 * torch.stack(pixels).mean(0)).to_dict()
        found["features from it, of two people alike"] = _mean(torch.stack(truths).mean(0)).to_dict()
    for name, (true_ones, false_ones, true_zeros, false_zeros) in hits.items():
        shown, n = true_ones + true_zeros, true_ones + false_ones + true_zeros + false_zeros
        found[f"flips shown, {name}"] = Rate(shown, n).to_dict()
        of_ones = 2 * true_ones + false_ones + false_zeros
        found[f"F1, {name}"] = 2 * true_ones / of_ones if of_ones else None
    return found


def _under(run: Run, worlds: Worlds, name: str, values: Tensor, seed: int) -> Tensor:
    """Return (n, 3, h, w) images under do(name = values), with all noise kept."""
    images = torch.empty_like(worlds.images)
    for value in (0, 1):
        rows = (values == value).nonzero()[:, 0]
        if len(rows):
            asked: Mapping[str, int] = {name: value}
            drawn = run.counterfactual(worlds.select(rows), do=asked, generator=generator_of(seed, "flips", name))
            images[rows] = drawn.images[:, 0]
    return images


def _confusion(seen: Tensor, wanted: Tensor) -> tuple[int, int, int, int]:
    """Return true ones, false ones, true zeros and false zeros."""
    pairs: Sequence[tuple[int, int]] = ((1, 1), (1, 0), (0, 0), (0, 1))
    counts = [int(((seen == one) & (wanted == other)).sum()) for one, other in pairs]
    return counts[0], counts[1], counts[2], counts[3]


def _mean(values: Tensor) -> Estimate:
    spread = float(values.double().std()) if len(values) > 1 else math.nan
    reach, mean = float(norm.ppf(0.975)) * spread / math.sqrt(len(values)), float(values.double().mean())
    return Estimate(mean, mean - reach, mean + reach)


class _Person:
    """Whom an image shows, by the judge's features without the directions in which labels are read."""

    def __init__(self, classifier: AttributeClassifier, photographs: Photographs, seed: int) -> None:
        self.classifier = classifier
        linear = [module for module in classifier.network.modules() if isinstance(module, nn.Linear)][-1]
        self.labels = torch.linalg.qr(linear.weight.detach().double().cpu().T).Q
        self.own = self.features(photographs.images)
        self.others = _alike(photographs.labels, seed)
        between = (self.own[:, None] - self.own[self.others]).norm(dim=2)
        self.apart = float(between[:, 0].mean())

    def features(self, images: Tensor) -> Tensor:
        found = judge_features(self.classifier, images)
        return found - (found @ self.labels) @ self.labels.T

    def first(self, features: Tensor) -> Tensor:
        """Return (n,): each is nearer to its own photograph than to all the others."""
        own = (features - self.own).norm(dim=1)
        others = (features[:, None] - self.own[self.others]).norm(dim=2)
        return own < others.amin(1)


def _alike(labels: Tensor, seed: int) -> Tensor:
    """Return (n, m) other rows for each, those with the most labels in common first; ties by chance."""
    n = len(labels)
    common = (labels[:, None] == labels[None]).sum(2).double()
    common += torch.rand(n, n, generator=generator_of(seed, "others")).double() / 2
    common.fill_diagonal_(-1)
    return common.topk(min(OTHERS, n - 1), dim=1).indices

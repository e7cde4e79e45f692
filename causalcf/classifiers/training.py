"""Training of one classifier: AdamW on a one-cycle schedule, EMA weights, loss weights against class imbalance, early
stopping on the held-out loss after calibration (Berta, Holzmüller, Jordan, Bach 2025: refine, then calibrate).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..data.augment import DRAWS, draw_noise_strength, varied, with_noise
from ..data.images import to_symmetric
from ..errors import CausalCFError
from ..networks.precision import autocast
from ..networks.readers import build_network
from .classifier import CHUNK, AttributeClassifier, fit_calibration, raw_logits
from .recipe import ClassifierRecipe
from .splits import Split

AVERAGED_STEPS = 20  # the average looks back over one step in so many of the whole training
EVALUATIONS = 20  # over the whole training
MAX_UNEVEN = 20.0  # the weights of an attribute's two values differ by no more than this factor
WARM_UP = 0.2  # of the training, until the rate is at its peak


def base_rates(labels: Tensor) -> Tensor:
    """Return the rate of 1 of each attribute, (d,) float64, shrunk slightly towards 0.5, never 0 or 1."""
    return (labels.double().sum(0) + 0.5) / (len(labels) + 1)


@dataclass(frozen=True)
class Weighting:
    """Loss weights of the two values of each attribute, (d,) float64; their mean over the data is 1."""

    ones: Tensor
    zeros: Tensor

    @property
    def shift(self) -> Tensor:
        """Return what the weights add to the log-odds that minimise the loss, (d,) float64."""
        return (self.ones / self.zeros).log()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the weighted cross-entropy, (n, d), unreduced."""
        ones, zeros = self.ones.to(logits), self.zeros.to(logits)
        weight = zeros + (ones - zeros) * labels
        return weight * binary_cross_entropy_with_logits(logits, labels, reduction="none")


def weighting(rates: Tensor, balance: float) -> Weighting:
    """Return weights with ratio ((1 - rate) / rate)^balance, clamped to [1/20, 20]."""
    ratio = ((1 - rates) / rates).pow(balance).clamp(1 / MAX_UNEVEN, MAX_UNEVEN)
    mean = rates * ratio + (1 - rates)
    return Weighting(ratio / mean, 1 / mean)


@dataclass(frozen=True)
class Progress:
    """State of a training at one evaluation; losses in nats per label, the held-out loss calibrated."""

    images: int
    train_loss: float
    held_out_loss: float
    best: bool


class Choice:
    """Early stopping that keeps the weights with the lowest calibrated loss on held-out images."""

    def __init__(self, held_out: Split, attributes: Sequence[str], rates: Tensor, shift: Tensor) -> None:
        self.held_out, self.labels, self.rates, self.shift = held_out, held_out.labels(attributes), rates, shift
        self.least, self.worse_in_a_row = math.inf, 0
        self.best: nn.Module = nn.Identity()

    def consider(self, network: nn.Module, images: int, train_loss: float) -> Progress:
        """Evaluate a copy of the network and keep it if it is the best so far; refuse a non-finite loss."""
        network = copy.deepcopy(network).eval().requires_grad_(False)
        logits = classify_split(network, self.held_out, mirror=False)
        loss = fit_calibration(logits, self.labels, self.rates, self.shift).loss(logits, self.labels)
        if not (math.isfinite(loss) and math.isfinite(train_loss)):
            raise CausalCFError(f"training diverged by image {images:,}: a loss is not finite; lower learning_rate")
        best = loss < self.least
        self.worse_in_a_row = 0 if best else self.worse_in_a_row + 1
        if best:
            self.least, self.best = loss, network
        return Progress(images, train_loss, loss, best)


@torch.no_grad()
def classify_split(network: nn.Module, part: Split, mirror: bool) -> Tensor:
    """Return the network's own logits of a split's images, (n, d) float32 on the CPU."""
    device = next(network.parameters()).device
    read = []
    for index in torch.arange(len(part)).split(CHUNK):
        images = to_symmetric(part.pixels(index).to(device)).contiguous(memory_format=torch.channels_last)
        read.append(raw_logits(network, images, mirror).float().cpu())
    return torch.cat(read)


class Fit:
    """Network in training with its optimiser, schedule and EMA weights, norm statistics included."""

    def __init__(
        self, network: nn.Module, weights: Weighting, recipe: ClassifierRecipe, steps: int, precision: str
    ) -> None:
        rate, decay = recipe.learning_rate, recipe.weight_decay
        assert rate is not None and decay is not None
        self.network, self.weights, self.precision = network.train(), weights, precision
        self.device = next(network.parameters()).device
        matrices = [w for w in network.parameters() if w.ndim > 1]
        others = [w for w in network.parameters() if w.ndim <= 1]  # norms and biases are not drawn towards 0
        groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, rate, fused=True)
        warm_up = 0.25 if steps * WARM_UP == 1 else WARM_UP  # torch divides by the steps of warm-up less one
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=steps, pct_start=warm_up)
        kept = max(0.0, 1 - AVERAGED_STEPS / steps)
        self._averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(kept), use_buffers=True)

    @property
    def average(self) -> nn.Module:
        """Return the network with the EMA weights."""
        return self._averaged.module

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Take one optimiser step on images in [-1, 1] and (n, d) float labels; return the detached loss."""
        with autocast(self.device, self.precision):
            logits = self.network(images)
        loss = self.weights.loss(logits.float(), labels).mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self._averaged.update_parameters(self.network)
        return loss.detach()


def train_classifier(
    recipe: ClassifierRecipe,
    train: Split,
    held_out: Split,
    attributes: Sequence[str],
    device: torch.device | str = "cpu",
    precision: str = "float32",
    on_step: Callable[[int], None] = lambda n: None,
    on_evaluation: Callable[[Progress], None] = lambda progress: None,
) -> AttributeClassifier:
    """Train a classifier on one split; stop and calibrate it on another, which must not score it."""
    recipe, device = recipe.resolved(), torch.device(device)
    assert recipe.images is not None and recipe.width is not None and recipe.dropout is not None
    assert recipe.network is not None and recipe.seed is not None
    labels = train.labels(attributes)
    rates = base_rates(labels)
    weights = weighting(rates, recipe.balance)
    choice = Choice(held_out, attributes, rates, weights.shift)
    steps = max(math.ceil(recipe.images / recipe.batch), 2)
    with _lent_random_state(recipe.seed, device):
        network = build_network(recipe.network, len(attributes), recipe.width, recipe.dropout).to(device)
        fit = Fit(network.to(memory_format=torch.channels_last), weights, recipe, steps, precision)
        batches = _batches(train, labels, recipe, device, torch.Generator().manual_seed(recipe.seed))
        losses: list[Tensor] = []
        for step in range(1, steps + 1):
            losses.append(fit.step(*next(batches)))
            on_step(recipe.batch)
            if step * EVALUATIONS // steps > (step - 1) * EVALUATIONS // steps:
                on_evaluation(choice.consider(fit.average, step * recipe.batch, float(torch.stack(losses).mean())))
                losses.clear()
                if choice.worse_in_a_row >= recipe.patience:
                    break
    # Calibrated on the logits that it will give, with those of mirror images averaged in.
    network, mirror = choice.best, held_out.data.flip
    calibration = fit_calibration(classify_split(network, held_out, mirror), choice.labels, rates, weights.shift)
    columns, names, architecture = tuple(range(len(attributes))), tuple(attributes), (recipe.network, recipe.width)
    return AttributeClassifier(names, network, columns, calibration, tuple(rates.tolist()), mirror, architecture)


def _batches(
    train: Split, labels: Tensor, recipe: ClassifierRecipe, device: torch.device, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield augmented images and labels without end; each epoch uses every row once."""
    waiting, n = torch.empty(0, dtype=torch.long), recipe.batch
    while True:
        while len(waiting) < n:
            waiting = torch.cat([waiting, torch.randperm(len(train), generator=generator)])
        rows, waiting = waiting[:n], waiting[n:]
        draws = torch.rand(n, DRAWS, generator=generator)
        images = varied(to_symmetric(train.pixels(rows).to(device)), train.data.flip, draws)
        if recipe.noise:
            images = with_noise(images, recipe.noise, draw_noise_strength(images.shape, generator))
        yield images.contiguous(memory_format=torch.channels_last), labels[rows].to(device, torch.float32)


@contextmanager
def _lent_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Seed PyTorch's global random state for initial weights and dropout; restore it afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)  # this device's alone: the others would not be given back
        yield

"""Training of one classifier: AdamW on a one-cycle schedule, EMA weights, early stopping, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..data.augment import DRAWS, draw_noise_strength, varied, with_noise
from ..data.images import to_symmetric
from ..networks.precision import autocast
from ..networks.readers import build_network
from .calibration import fit_calibration
from .classifier import AttributeClassifier
from .early_stopping import Choice, Progress, Weighting, base_rates, classify_split, weighting
from .recipe import ClassifierRecipe
from .splits import Split

AVERAGED_STEPS = 20  # the average looks back over one step in so many of the whole training
WARM_UP = 0.2  # of the training, until the rate is at its peak


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
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=steps, pct_start=WARM_UP)
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


EVALUATIONS = 20  # over the whole training


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
    return _calibrated(choice.best, recipe, held_out, tuple(attributes), rates, weights.shift)


def _calibrated(
    network: nn.Module,
    recipe: ClassifierRecipe,
    held_out: Split,
    attributes: tuple[str, ...],
    rates: Tensor,
    shift: Tensor,
) -> AttributeClassifier:
    """Calibrate the network on the logits it will give, with those of mirror images averaged in."""
    assert recipe.network is not None and recipe.width is not None
    mirror = held_out.data.flip
    logits = classify_split(network, held_out, mirror)
    calibration = fit_calibration(logits, held_out.labels(attributes), rates, shift)
    columns, architecture = tuple(range(len(attributes))), (recipe.network, recipe.width)
    return AttributeClassifier(attributes, network, columns, calibration, tuple(rates.tolist()), mirror, architecture)


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

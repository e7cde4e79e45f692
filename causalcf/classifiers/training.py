"""Trains one classifier: steps, evaluations on held-out images, the best weights kept, then calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..augment import DRAWS, varied
from ..data.images import to_symmetric
from ..grain import draw_grain, grained
from .calibration import fit_calibration
from .classifier import AttributeClassifier
from .fitting import Fit
from .networks import build_network
from .parts import Part
from .recipe import ClassifierRecipe
from .stopping import Choice, Progress, read_part
from .weighting import base_rates, weighting

EVALUATIONS = 20  # over the whole training


def train_classifier(
    recipe: ClassifierRecipe,
    train: Part,
    held_out: Part,
    attributes: Sequence[str],
    device: torch.device | str = "cpu",
    precision: str = "float32",
    on_step: Callable[[int], None] = lambda n: None,
    on_evaluation: Callable[[Progress], None] = lambda progress: None,
) -> AttributeClassifier:
    """A classifier trained on one part of the data, stopped and calibrated by another.

    Args:
        recipe: length, network, rates and seed; where the data come from, and where to train, is not read from it.
        train: the images learned from.
        held_out: images that choose the best weights and fit the calibration, and so cannot serve to score it.
        attributes: what it reads.
        device: where to train.
        precision: "bf16" or "float32", of the convolutions.
        on_step: called with the number of images of each step.
        on_evaluation: called at each evaluation.

    Returns:
        The classifier, on the device. PyTorch's global random state is as before.

    Raises:
        DataError: an unknown attribute.
        CausalCFError: the loss is no longer finite.
    """
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
    held_out: Part,
    attributes: tuple[str, ...],
    rates: Tensor,
    shift: Tensor,
) -> AttributeClassifier:
    """The classifier, calibrated on the logits that it will really give: those with mirror images averaged in."""
    assert recipe.network is not None and recipe.width is not None
    mirror = held_out.data.flip
    logits = read_part(network, held_out, mirror)
    calibration = fit_calibration(logits, held_out.labels(attributes), rates, shift)
    columns, architecture = tuple(range(len(attributes))), (recipe.network, recipe.width)
    return AttributeClassifier(attributes, network, columns, calibration, tuple(rates.tolist()), mirror, architecture)


def _batches(
    train: Part, labels: Tensor, recipe: ClassifierRecipe, device: torch.device, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Varied images and their labels without end; every row comes once before any comes again."""
    waiting, n = torch.empty(0, dtype=torch.long), recipe.batch
    while True:
        while len(waiting) < n:
            waiting = torch.cat([waiting, torch.randperm(len(train), generator=generator)])
        rows, waiting = waiting[:n], waiting[n:]
        draws = torch.rand(n, DRAWS, generator=generator)
        images = varied(to_symmetric(train.pixels(rows).to(device)), train.data.flip, draws)
        if recipe.grain:
            images = grained(images, recipe.grain, draw_grain(images.shape, generator))
        yield images.contiguous(memory_format=torch.channels_last), labels[rows].to(device, torch.float32)


@contextmanager
def _lent_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """PyTorch's layers draw their first weights and their dropout from its global state: ours for a while."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)  # this device's alone: the others would not be given back
        yield

"""The training loop: steps, and at each tick the checkpoint, then status and pictures.
Ticks change no weight or random state: a resumed run ends bit for bit the same (CPU, same threads).
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..constraints.constraint import StatementConstraint
from ..distributed.batch import average_over_processes
from ..distributed.group import anywhere, is_first
from ..errors import CausalCFError, RunError
from ..graph.graph import CausalGraph
from ..labels import LabelSCM
from ..networks.bundle import Networks, calibrate_batch_norm
from ..networks.precision import autocast
from ..randomness import uniform_noise
from ..runs.directory import check_moments, networks_of, save_checkpoint
from ..runs.recipe import Recipe
from .batches import Batches
from .began import BeganStep
from .step import TrainingStep

# Generated images on which batch norm's statistics of the averaged weights are measured, at least and at most: as many
# as a tick has, which ends with it.
CALIBRATION = (256, 2048)


class DivergedError(CausalCFError):
    """A loss or a weight that is no longer finite."""


@dataclass(frozen=True)
class Tick:
    """Mean losses since the last tick, and speed in images/s."""

    losses: dict[str, float]
    speed: float


@dataclass
class Training:
    """The whole state of a training, from which it can be resumed."""

    recipe: Recipe
    graph: CausalGraph
    scm: LabelSCM | None
    batches: Batches
    device: torch.device
    precision: str
    constraint: StatementConstraint | None = None
    step: int = 0
    seconds: float = 0.0
    tick: Tick | None = None
    random: torch.Generator = field(init=False)
    networks: Networks = field(init=False)

    def __post_init__(self) -> None:
        with torch.random.fork_rng(devices=[]):  # PyTorch initialises layers from its global state: lend it ours
            torch.default_generator.manual_seed(self.recipe.seed)  # the CPU's alone: CUDA's would not be given back
            self.networks = networks_of(self.recipe, 0 if self.scm is None else len(self.graph.nodes))
        self.networks.to(self.device).to(memory_format=torch.channels_last)
        self.random = torch.Generator().manual_seed(self.recipe.seed)
        nodes = self.graph.nodes
        kind = BeganStep if self.recipe.approach == "causalbegan" else TrainingStep
        self.update = kind(self.networks, self.recipe, self.device, self.precision, self.constraint, nodes)

    @property
    def images(self) -> int:
        """Return how many real images it has seen."""
        return self.step * self.recipe.batch

    @property
    def finished(self) -> bool:
        return self.images >= self.recipe.images

    def advance(self) -> dict[str, Tensor]:
        """Take one step and return its losses."""
        batch = self.batches(self.recipe.batch, self.random)
        losses = self.update(batch, self.step, self.random)
        self.step += 1
        return losses

    def calibrate(self) -> None:
        """Measure the batch-norm statistics of the EMA weights; the random state of training stays."""
        own = torch.Generator().manual_seed(self.recipe.seed)
        n = min(max(self.recipe.tick, CALIBRATION[0]), CALIBRATION[1])
        labels = self.batches.draw.generated(n, own)
        noise = uniform_noise(n, self.recipe.noise_dim, own)
        with autocast(self.device, self.precision):
            calibrate_batch_norm(self.networks.average, noise.to(self.device), labels.to(self.device))

    def state(self) -> dict[str, Any]:
        """Return all that resuming needs, as tensors and plain values."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "tick": None if self.tick is None else asdict(self.tick),
            "recipe": self.recipe.to_dict(),
            "labels": None if self.scm is None else self.scm.to_state(),
            "device": self.device.type,
            "precision": self.precision,
            "data_fingerprint": self.batches.data.fingerprint,
            "networks": self.networks.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.update.optimisers.items()},
            "random": self.random.get_state(),
            "telling": None if self.constraint is None else self.constraint.state(),
        }

    def save(self, folder: Path) -> None:
        """Write the checkpoint with calibrated EMA weights; only the first process writes."""
        if not is_first():
            return
        self.calibrate()
        save_checkpoint(folder, self.state(), self.recipe.keep)

    def restore(self, state: dict[str, Any], folder: Path, changed_data: bool = False) -> None:
        """Restore a run's checkpoint; other data than it was trained on need `changed_data`."""
        if state["data_fingerprint"] != self.batches.data.fingerprint and not changed_data:
            raise RunError(
                f"{folder} was trained on data {state['data_fingerprint']}, and the data found now is "
                f"{self.batches.data.fingerprint}: put the original images back, or start a new run; --resume goes on "
                "with these by --changed-data, and --init-from does not"
            )
        self.step, self.seconds = state["step"], state["seconds"]
        tick = state.get("tick")
        self.tick = None if tick is None else Tick(**tick)
        self.networks.load_state_dict(state["networks"])
        for name, optimiser in self.update.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
            check_moments(optimiser)
        self.random.set_state(state["random"].cpu())
        if self.constraint is not None and state.get("telling") is not None:
            self.constraint.restore(state["telling"])


Watcher = Callable[[Training, Tick], None]  # called at each tick, after its checkpoint


def train(
    training: Training, folder: Path, watchers: Sequence[Watcher], advance: Callable[[int], None] = lambda images: None
) -> bool:
    """Train to the end of the recipe or until interrupted; return whether it is finished."""
    with interruptible() as interrupted:
        while not training.finished and not anywhere(bool(interrupted)):
            training.tick = tick = _until_tick(training, advance, interrupted)
            _require_finite(training, tick, folder)
            training.save(folder)
            for watch in watchers:
                watch(training, tick)
    return training.finished


def next_tick(images: int, tick: int) -> int:
    """Return the images at the next tick: powers of two from 1024 up to `tick`, then its multiples."""
    if images >= tick:
        return (images // tick + 1) * tick
    return min(1 << max(10, images.bit_length()), tick)


def _until_tick(training: Training, advance: Callable[[int], None], interrupted: list[int]) -> Tick:
    """Take at least one step, until the next tick, the end or an interruption; return the tick."""
    due = min(next_tick(training.images, training.recipe.tick), training.recipe.images)
    sums: dict[str, Tensor] = {}
    start, first = time.perf_counter(), training.step
    while not sums or (training.images < due and not anywhere(bool(interrupted))):
        for name, value in training.advance().items():
            sums[name] = sums[name] + value if name in sums else value
        advance(training.recipe.batch)
    average_over_processes(list(sums.values()))
    steps = training.step - first
    losses = {name: (value / steps).item() for name, value in sums.items()}  # waits for the device
    elapsed = time.perf_counter() - start
    training.seconds += elapsed
    return Tick(losses, steps * training.recipe.batch / elapsed)


def _require_finite(training: Training, tick: Tick, folder: Path) -> None:
    tensors = training.networks.state_dict()
    for name, optimiser in training.update.optimisers.items():
        for number, memory in optimiser.state_dict()["state"].items():
            tensors |= {f"{key} of weight {number} in the optimiser of {name}": part for key, part in memory.items()}
    bad = [name for name, value in tick.losses.items() if not math.isfinite(value)]
    bad += [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if bad:
        raise DivergedError(
            f"training diverged: {bad[0]} is not finite at step {training.step}; the last good checkpoint is kept in "
            f"{folder}. Try a smaller learning_rate, or precision float32"
        )


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list, so that the current step ends; a second one raises."""
    received: list[int] = []
    on_main_thread = threading.current_thread() is threading.main_thread()  # only there can signals be handled
    kinds = (signal.SIGINT, signal.SIGTERM) if on_main_thread else ()
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def note(number: int, frame: object) -> None:
        if received:  # a second Ctrl-C does not wait
            raise KeyboardInterrupt
        received.append(number)

    try:
        for kind in kinds:
            signal.signal(kind, note)
        yield received
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)

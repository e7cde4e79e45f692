"""How fast is the CausalGAN step, beside the same step done plainly?

    python benchmarks/train_step.py [--width 64] [--batch 64] [--seconds 20]

"plain" is the textbook step in contiguous float32: for each player its own pass through every network it needs. "ours"
is `causalcf.training.step`: channels_last, the precision that `--precision auto` chooses here, and shared passes. Both
have the same losses, R1 every eighth step included; a step is the mean over such a round. Both are timed in turns in
one run, and the ratio is what counts. Beside them stand the floating point operations that each does a second (torch
counts those of its convolutions and matrix products) as a share of what a plain matrix product does in the same
precision; once over all of the step's time, once over what a profile says that these operations took themselves.

Then the step of a causalgan and of a dcgan with eval/statements/faces-true.yaml told and without, in the recipe's own
precision. The dcgan's is the dearest case: every noise counts as given and as supposed, so that no turn is passed over.
A step is the mean over a whole round of questions.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.cli.command import run
from causalcf.constraints.constraint import StatementConstraint
from causalcf.constraints.setup import constraint_with
from causalcf.constraints.sources import Group, Question, Read, ReplaySource
from causalcf.data.faces import true_scm
from causalcf.language.lists import load_statements
from causalcf.losses.adversarial import objective, squared_gradient_norm
from causalcf.losses.labels import anti_labeler_weight, label_cross_entropy
from causalcf.networks.bundle import Networks
from causalcf.networks.precision import choose_device, choose_precision
from causalcf.networks.readers import build_network
from causalcf.runs.directory import networks_of
from causalcf.runs.recipe import Recipe
from causalcf.training.batches import Batch
from causalcf.training.step import R1_EVERY, TrainingStep, total

LABELS = 9


class PlainStep:
    """CausalGAN's step as one would write it down: D, Labeler, Anti-Labeler, then G, each with passes of its own."""

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks, self.recipe, self.loss = networks, recipe, objective(recipe.objective)
        self.optimisers = {
            name: torch.optim.Adam(net.parameters(), recipe.learning_rate, betas=(0.5, 0.999))
            for name, net in networks.named_children()
            if name != "average"
        }

    def __call__(self, batch: Batch, step: int) -> None:
        nets = self.networks
        fake = nets.generator(batch.noise, batch.fake_labels).detach()
        real = nets.discriminator(batch.images, batch.labels)
        terms = self.loss.discriminator(real, nets.discriminator(fake, batch.fake_labels))
        self._descend("discriminator", total(terms) + self._r1(batch, step))
        self._descend("labeler", label_cross_entropy(nets.labeler(batch.images), batch.labels).mean())
        self._descend("anti_labeler", label_cross_entropy(nets.anti_labeler(fake), batch.fake_labels).mean())
        fake = nets.generator(batch.noise, batch.fake_labels)
        adversarial = total(self.loss.generator(real.detach(), nets.discriminator(fake, batch.fake_labels)))
        on_fake = label_cross_entropy(nets.labeler(fake), batch.fake_labels).mean()
        anti = label_cross_entropy(nets.anti_labeler(fake), batch.fake_labels).mean()
        weight = anti_labeler_weight(step * self.recipe.batch, self.recipe.anti_labeler_decay)
        self._descend("generator", adversarial + on_fake - weight * anti)

    def _r1(self, batch: Batch, step: int) -> torch.Tensor | float:
        if step % R1_EVERY:
            return 0.0
        images = batch.images.detach().requires_grad_()
        norm = squared_gradient_norm(self.networks.discriminator(images, batch.labels), images)
        return R1_EVERY * self.recipe.r1_weight / 2 * norm.mean()

    def _descend(self, name: str, loss: torch.Tensor) -> None:
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        loss.backward()
        self.optimisers[name].step()


def synthetic_batch(n: int, noise_dim: int, device: torch.device, memory_format: torch.memory_format) -> Batch:
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (2, n, LABELS), generator=draw, dtype=torch.int8).to(device)
    images = torch.rand(n, 3, 64, 64, generator=draw).mul(2).sub(1).to(device, memory_format=memory_format)
    return Batch(images, labels[0], torch.rand(n, noise_dim, generator=draw).to(device), labels[1])


def in_turns(steps: dict[str, Callable[[], object]], seconds: float, device: torch.device) -> dict[str, float]:
    """Median seconds of each step, timed alternately so that a noisy machine hits all alike."""

    def timed(step: Callable[[], object]) -> float:
        start = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    for step in steps.values():
        timed(step)
    times: dict[str, list[float]] = {name: [] for name in steps}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < 3:
        for name, step in steps.items():
            times[name].append(timed(step))
    return {name: statistics.median(values) for name, values in times.items()}


class EveryNoiseFits(ReplaySource):
    """A source that always finds a whole group: what its search costs, whatever an untrained generator shows."""

    def watch(self, noise: torch.Tensor, seen: torch.Tensor) -> None:
        self.units = dict.fromkeys(self.questions, noise)

    def propose(self, question: Question, read: Read, random: torch.Generator) -> None:
        units = self.units[question.name]
        noise = units[torch.randint(len(units), (self.proposals,), generator=random)]
        read(noise)
        self.pairs[question.name] = noise, noise

    def confirm(
        self, question: Question, group: Group, seen: torch.Tensor | None, moved: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert seen is not None
        return seen, torch.ones(len(seen), dtype=torch.bool)


def told(recipe: Recipe, device: torch.device, precision: str) -> StatementConstraint:
    """Statements told by an untrained classifier, which costs what a trained one costs."""
    names = true_scm().graph.nodes
    network = build_network("alexnet", len(names), 32).to(device, memory_format=torch.channels_last)
    network.eval().requires_grad_(False)
    plain = Calibration(torch.ones(len(names)), torch.zeros(len(names)))
    rates = (0.5,) * len(names)
    classifier = AttributeClassifier(names, network, tuple(range(len(names))), plain, rates, False, ("alexnet", 32))
    recipe = replace(recipe, statement_from=0)
    scm = None if recipe.approach == "dcgan" else true_scm()
    found = constraint_with(
        classifier, recipe, load_statements("faces-true"), true_scm(), scm, names, device, precision
    )
    if scm is None:
        found.source = EveryNoiseFits(names, recipe.noise_dim, recipe.stickiness, found.size, found.questions)
    return found


def overhead(recipe: Recipe, seconds: float, device: torch.device, precision: str) -> float:
    """How many times a step takes with statements what it takes without, over whole rounds of questions."""
    n_labels = 0 if recipe.approach == "dcgan" else LABELS
    batch = synthetic_batch(recipe.batch, recipe.noise_dim, device, torch.channels_last)
    batch = replace(batch, labels=batch.labels[:, :n_labels], fake_labels=batch.fake_labels[:, :n_labels])
    rounds: dict[str, Callable[[], object]] = {}
    length = recipe.statement_every * 8  # the questions of faces-true
    for name, telling in (("without", None), ("with", told(recipe, device, precision))):
        networks = networks_of(recipe, n_labels).to(device, memory_format=torch.channels_last)
        step = TrainingStep(networks, recipe, device, precision, telling)
        rounds[name] = lambda step=step: [step(batch, i, torch.Generator()) for i in range(length)]
    medians = in_turns(rounds, seconds, device)
    return medians["with"] / medians["without"]


class WholeModel(nullcontext[None]):
    """In the place of torch's tracker of modules: all is done by one."""

    parents = frozenset({"Global"})


def operations(steps: Callable[[], object]) -> int:
    """Floating point operations of some steps, forwards and backwards: their convolutions and matrix products.

    Those of modules are not told apart: the hooks by which torch would do so refuse `torch.autograd.grad` of a leaf.
    """
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = WholeModel()
    with counter:
        steps()
    return int(counter.get_total_flops())


def own_seconds(steps: Callable[[], object], device: torch.device) -> float:
    """What the operations that `operations` counts take themselves on the device, by a profile."""
    cuda = device.type == "cuda"
    kind = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kind.CPU, kind.CUDA] if cuda else [kind.CPU]) as profile:
        steps()
    events = [event for event in profile.key_averages() if re.fullmatch(r"aten::(.*conv.*|.*mm)", event.key)]
    return sum(event.self_device_time_total if cuda else event.self_cpu_time_total for event in events) / 1e6


def matrix_rate(dtype: torch.dtype, device: torch.device, n: int = 1024) -> float:
    """FLOP/s of an n x n matrix product, the best of many: what the machine can do when left alone."""
    a = torch.ones(n, n, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(40):
        start = time.perf_counter()
        a @ a
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the CausalGAN step against the same step done plainly.")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    device = choose_device(options.device)
    precision = choose_precision("auto", device)
    recipe = replace(Recipe(), width=options.width, labeler_width=options.width, batch=options.batch)
    torch.manual_seed(0)

    plain = PlainStep(networks_of(recipe, LABELS).to(device), recipe)
    kept = synthetic_batch(options.batch, recipe.noise_dim, device, torch.contiguous_format)
    rounds: dict[str, Callable[[], object]] = {
        "plain, contiguous float32": lambda: [plain(kept, i) for i in range(R1_EVERY)]
    }
    ours = synthetic_batch(options.batch, recipe.noise_dim, device, torch.channels_last)
    for kind in dict.fromkeys(["float32", precision]):
        networks = networks_of(recipe, LABELS).to(device, memory_format=torch.channels_last)
        step = TrainingStep(networks, recipe, device, kind)
        rounds[f"ours, channels_last {kind}"] = lambda step=step: [
            step(ours, i, torch.Generator()) for i in range(R1_EVERY)
        ]

    counts = {name: operations(steps) / R1_EVERY for name, steps in rounds.items()}
    print(f"width {options.width}, batch {options.batch}, {device.type}, {torch.get_num_threads()} threads")
    rates = {"float32": matrix_rate(torch.float32, device), "bf16": matrix_rate(torch.bfloat16, device)}
    for kind, rate in rates.items():
        print(f"matrix product {kind}: {rate / 1e9:.0f} GFLOP/s")
    alone = {name: own_seconds(steps, device) / R1_EVERY for name, steps in rounds.items()}
    medians = {name: time / R1_EVERY for name, time in in_turns(rounds, options.seconds, device).items()}
    slowest = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name}: {options.batch / median:.1f} images/s, {slowest / median:.2f} times plain")
        kind = name.split()[-1]
        for what, seconds in (("step", median), ("convolutions alone", alone[name])):
            rate = counts[name] / seconds
            share = f"{rate / rates[kind]:.0%} of the matrix product's in {kind}"
            print(f"    {what}: {counts[name] / 1e9:.1f} GFLOP, {rate / 1e9:.0f} GFLOP/s, {share}")
    for approach in ("causalgan", "dcgan"):
        ratio = overhead(replace(recipe, approach=approach), options.seconds, device, precision)
        print(f"{approach} with statements: {ratio:.2f} times the step without")


if __name__ == "__main__":
    sys.exit(run(main))

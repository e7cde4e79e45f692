"""What processes that train together say to each other in a step, how long it takes, and what more of them would give.

    python benchmarks/communication.py [--recipe faces] [--steps 20] [--bandwidth 1.25] [--latency 50]
    python benchmarks/communication.py --recipe faces-dcgan --width 64 --labeler-width 64 --steps 0    # counts

The bytes are counted from the networks of the recipe: four for each weight, whose gradients are averaged in one
message a network, and two numbers a channel of the generator's batch norm, forwards and backwards. With an encoder
the generator runs a second time, and one message has the norms of the two gradients. Then the step is timed by one
process with the whole batch and by two with half of it each, one thread each, over gloo on this machine; and the
messages alone.
What P machines would give is reckoned from one process's step and the network that is named: a ring all-reduce sends
2 (P - 1) / P times the bytes, and each message waits once for the latency.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from causalcf.cli.command import run
from causalcf.distributed.batch import own_share
from causalcf.networks.bundle import Networks
from causalcf.runs.directory import networks_of
from causalcf.runs.recipe import Recipe
from causalcf.train import parse_options
from causalcf.training.batches import Batch
from causalcf.training.experiment import graph_of
from causalcf.training.step import TrainingStep

FLAG = 8  # bytes: whether any process was asked to stop


@dataclass(frozen=True)
class Messages:
    """The numbers in each all-reduce of a step, float32."""

    gradients: dict[str, int]
    norms: tuple[int, ...]
    ratio: tuple[int, ...]  # the squared norms of the reconstruction's gradient and of the rest

    @property
    def sizes(self) -> list[int]:
        return [*self.gradients.values(), *self.norms, *self.ratio]

    @property
    def bytes(self) -> int:
        return 4 * sum(self.sizes) + FLAG

    @property
    def count(self) -> int:
        return len(self.sizes) + 1


def messages_of(networks: Networks) -> Messages:
    trained = {name: net for name, net in networks.named_children() if name != "average" and net is not None}
    gradients = {name: sum(weight.numel() for weight in net.parameters()) for name, net in trained.items()}
    norms = [2 * m.num_features for m in networks.generator.modules() if isinstance(m, nn.BatchNorm2d)]
    passes = 1 if networks.encoder is None else 2
    return Messages(gradients, tuple(passes * (norms + norms[::-1])), (2,) * (passes - 1))


def fresh_networks(recipe: Recipe) -> Networks:
    torch.manual_seed(0)
    return networks_of(recipe, n_labels(recipe))


def n_labels(recipe: Recipe) -> int:
    return 0 if recipe.approach == "dcgan" else len(graph_of(recipe).nodes)


def median_seconds(work: Callable[[], object], times: int) -> float:
    """Of a piece of work that has been done twice already."""
    found = []
    for _ in range(times + 2):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found[2:])


def time_step(recipe: Recipe, times: int) -> float:
    """Median seconds of this process's step on its share of the batch."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (recipe.batch, n_labels(recipe)), generator=draw, dtype=torch.int8)
    images = torch.rand(recipe.batch, 3, 64, 64, generator=draw) * 2 - 1
    noise = torch.rand(recipe.batch, recipe.noise_dim, generator=draw) * 2 - 1
    batch = Batch(
        own_share(images).contiguous(memory_format=torch.channels_last), *map(own_share, (labels, noise, labels))
    )
    networks = fresh_networks(recipe).to(memory_format=torch.channels_last)
    step = TrainingStep(networks, recipe, torch.device("cpu"), "float32")
    return median_seconds(lambda: step(batch, 1, draw), times)


def time_messages(recipe: Recipe, times: int) -> float:
    """Median seconds of all messages of a step, one after the other, with nothing computed."""
    buffers = [torch.zeros(size) for size in messages_of(fresh_networks(recipe)).sizes]
    return median_seconds(lambda: [dist.all_reduce(buffer) for buffer in buffers], times)


def by_one_of_two(rank: int, recipe: Recipe, times: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    found = time_step(recipe, times), time_messages(recipe, times)
    if rank == 0:
        torch.save(found, f"{folder}/found.pt")
    dist.barrier()
    dist.destroy_process_group()


def reckoned(image: float, share: float, processes: int, messages: Messages, bandwidth: float, wait: float) -> float:
    """How many times one process's images/s P processes give with `share` images each.

    Args:
        image: seconds that one process takes for an image.
        bandwidth: bytes/s.
        wait: seconds of a message.
    """
    sent = 2 * (processes - 1) / processes * messages.bytes / bandwidth + messages.count * wait
    return processes * share * image / (share * image + sent)


def main() -> None:
    parser = argparse.ArgumentParser(description="Count and time what processes say to each other in a step.")
    parser.add_argument("--recipe", default="faces")
    parser.add_argument("--width", type=int)
    parser.add_argument("--labeler-width", type=int)
    parser.add_argument("--batch", type=int, help="of all processes together")
    parser.add_argument("--steps", type=int, default=20, help="timed; 0: arithmetic alone")
    parser.add_argument("--bandwidth", type=float, default=1.25, help="of the network between machines, in GB/s")
    parser.add_argument("--latency", type=float, default=50.0, help="of a message between them, in microseconds")
    options = parser.parse_args()
    chosen = {name: getattr(options, name) for name in ("width", "labeler_width", "batch")}
    recipe = parse_options(["--recipe", options.recipe]).recipe
    recipe = replace(recipe, **{name: value for name, value in chosen.items() if value is not None})

    messages = messages_of(fresh_networks(recipe))
    print(f"width {recipe.width}, labeler_width {recipe.labeler_width}: {messages.count} messages a step")
    for name, count in messages.gradients.items():
        print(f"  gradients of {name}: {4 * count / 1e6:.2f} MB")
    print(f"  batch norm, {len(messages.norms)} messages: {4 * sum(messages.norms) / 1e6:.4f} MB")
    print(f"  in all {messages.bytes / 1e6:.2f} MB")
    if not options.steps:
        return

    torch.set_num_threads(1)
    one = time_step(recipe, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(by_one_of_two, (recipe, options.steps, folder), nprocs=2)
        two, alone = torch.load(f"{folder}/found.pt", weights_only=True)
    print(f"step of one process {1e3 * one:.0f} ms, of two {1e3 * two:.0f} ms: {one / two:.2f} times as fast")
    print(f"its messages alone, by two over gloo here, {1e3 * alone:.1f} ms: {alone / two:.0%} of their step")
    print(f"reckoned for {options.bandwidth:g} GB/s and {options.latency:g} us a message, in one process's images/s:")
    for p in (2, 4, 8, 16, 32):
        network = messages, 1e9 * options.bandwidth, 1e-6 * options.latency
        same, more = (reckoned(one / recipe.batch, share, p, *network) for share in (recipe.batch / p, recipe.batch))
        print(f"  {p:2} processes: {same:.1f} times with this batch, {more:.1f} with {p} times the batch")


if __name__ == "__main__":
    sys.exit(run(main))

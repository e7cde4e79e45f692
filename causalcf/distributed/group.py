"""The processes of one command: their numbers, work of the first process only, and agreement checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from ..errors import ProcessError, RecipeError

Made = TypeVar("Made")


def join(patience: timedelta | None = None) -> dist.Store:
    """Join the processes that torchrun started (gloo on CPU, nccl on CUDA); return their shared store."""
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://"))
    on_cuda = torch.cuda.is_available() and dist.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if on_cuda else "gloo"
    group = dist.PrefixStore("group", store)
    dist.init_process_group(backend, timeout=patience, store=group, rank=rank, world_size=count)
    return dist.PrefixStore("told", store)


def leave() -> None:
    """Leave the group after all have finished; do not call it after an error, as it waits for all."""
    wait()
    dist.destroy_process_group()


def size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number, from 0."""
    return dist.get_rank() if size() > 1 else 0


def local_rank() -> int:
    """Return this process's number on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_first() -> bool:
    """Return whether this process is the one that prints and writes."""
    return rank() == 0


def anywhere(here: bool) -> bool:
    """Return whether `here` is true in any process; all must call it. It does not wait for CUDA."""
    if size() == 1:
        return here
    flag = torch.tensor(int(here))
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag)


def wait() -> None:
    """Wait until every process has called this function."""
    anywhere(False)


def from_first(make: Callable[[], Made]) -> Made:
    """Call `make` in the first process only; return its result in all processes."""
    if size() == 1:
        return make()
    made = [make() if is_first() else None]
    dist.broadcast_object_list(made, src=0)
    return cast(Made, made[0])


@contextmanager
def first_of_machine_first() -> Iterator[None]:
    """Run the block first in the first process of each machine, then in the others."""
    if local_rank() > 0:
        wait()
    try:
        yield
    finally:
        if local_rank() == 0:
            wait()


def require_same(values: Mapping[str, Any]) -> None:
    """Check that all processes have the same values; a ProcessError names the process and the value."""
    if size() == 1:
        return
    found: list[Any] = [None] * size()
    dist.all_gather_object(found, dict(values))
    for number, theirs in enumerate(found):
        for name, value in found[0].items():
            if theirs[name] != value:
                raise ProcessError(f"process {number} has {name} {theirs[name]}, and process 0 has {value}")


def check_batch(batch: int) -> None:
    """Check that the batch size is a multiple of the number of processes."""
    if batch % size():
        raise RecipeError(
            f"batch is {batch}; it must be a multiple of {size()}, the number of processes that share it out"
        )


def own_device(name: str) -> str:
    """Return this process's device; with several processes each takes its own CUDA device, or the CPU."""
    if size() == 1:
        return name
    if name not in ("auto", "cpu", "cuda"):
        raise RecipeError(f"device is {name}; with several processes it must be auto, cpu or cuda: each takes its own")
    here = torch.cuda.device_count()
    if name == "cpu" or here == 0:
        return name
    if local_rank() >= here:
        raise RecipeError(
            f"there are {here} CUDA devices for more processes; start torchrun with --nproc-per-node {here}"
        )
    torch.cuda.set_device(local_rank())
    return f"cuda:{local_rank()}"

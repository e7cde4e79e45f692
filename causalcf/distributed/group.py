"""The processes of one command: who is first, what only the first does, and what all must agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from ..errors import ProcessError, RecipeError
from .environment import local_rank

Made = TypeVar("Made")


def join(patience: timedelta | None = None) -> dist.Store:
    """Joins the processes that torchrun started; gives the store of keys and values that they share.

    What lies in main memory goes by gloo, what lies on a CUDA device by nccl.

    Args:
        patience: how long one waits for another; None for torch's own, ten minutes or thirty.
    """
    from torch.distributed.rendezvous import rendezvous

    store, rank, count = next(rendezvous("env://"))
    on_cuda = torch.cuda.is_available() and dist.is_nccl_available()
    backend = "cpu:gloo,cuda:nccl" if on_cuda else "gloo"
    group = dist.PrefixStore("group", store)
    dist.init_process_group(backend, timeout=patience, store=group, rank=rank, world_size=count)
    return dist.PrefixStore("told", store)


def leave() -> None:
    """Parts when all have done their work; after an error nobody should, as it waits for all."""
    wait()
    dist.destroy_process_group()


def size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if size() > 1 else 0


def is_first() -> bool:
    """Whether this process is the one that prints and writes."""
    return rank() == 0


def anywhere(here: bool) -> bool:
    """Whether something is so in any process; all must ask, and all get the same answer.

    The flag is exchanged between processors by gloo: no CUDA device is waited for.
    """
    if size() == 1:
        return here
    flag = torch.tensor(int(here))
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    return bool(flag)


def wait() -> None:
    """Until every process has come to a wait of its own."""
    anywhere(False)


def from_first(make: Callable[[], Made]) -> Made:
    """What `make` gives in the first process, which alone calls it."""
    if size() == 1:
        return make()
    made = [make() if is_first() else None]
    dist.broadcast_object_list(made, src=0)
    return cast(Made, made[0])


@contextmanager
def first_of_machine_first() -> Iterator[None]:
    """The first process of each machine goes ahead, and the others find what it has made."""
    if local_rank() > 0:
        wait()
    yield
    if local_rank() == 0:
        wait()


def require_same(values: Mapping[str, Any]) -> None:
    """Refuses processes that would not train the same.

    Args:
        values: by name, what every process must have alike.

    Raises:
        ProcessError: one has something else than the first; says which process and what.
    """
    if size() == 1:
        return
    found: list[Any] = [None] * size()
    dist.all_gather_object(found, dict(values))
    for number, theirs in enumerate(found):
        for name, value in found[0].items():
            if theirs[name] != value:
                raise ProcessError(f"process {number} has {name} {theirs[name]}, and process 0 has {value}")


def check_batch(batch: int) -> None:
    """Refuses a batch that cannot be shared out evenly.

    Raises:
        RecipeError: it is no multiple of the number of processes.
    """
    if batch % size():
        raise RecipeError(
            f"batch is {batch}; it must be a multiple of {size()}, the number of processes that share it out"
        )


def own_device(name: str) -> str:
    """The device of this process: with several, each takes the CUDA device of its number on its machine, or the CPU.

    Args:
        name: as a recipe has it.

    Raises:
        RecipeError: it is one certain device, or there are fewer than processes here.
    """
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

"""Threads: independent items in several threads, and torch's threads for small tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

import torch

MAX_WORKERS = 8  # beyond this the interpreter lock, not the work, sets the pace

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """Yield (item, result) in order of completion from threads, with at most 2 * workers items pending."""
    todo = iter(items)
    running: dict[Future[Result], Item] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                for item in islice(todo, 2 * workers - len(running)):
                    running[pool.submit(function, item)] = item
                if not running:
                    return
                done = wait(running, return_when=FIRST_COMPLETED).done
                in_turn = [future for future in running if future in done]  # a set's order differs from run to run
                for future in sorted(in_turn, key=lambda one: one.exception() is not None):  # results, then errors
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: faster for small tensors, and independent of the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_parallel(work: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do work on each item, in as many threads as torch may use, at most 8; items are taken in order."""
    items = iter(items)
    first = list(islice(items, 2))
    threads = min(torch.get_num_threads(), MAX_WORKERS)

    def alone(item: Item) -> None:
        torch.set_num_threads(1)  # of the thread that this runs in
        work(item)

    if threads == 1 or len(first) < 2:
        for item in chain(first, items):
            work(item)
    else:
        for _ in in_threads(alone, chain(first, items), threads):
            pass

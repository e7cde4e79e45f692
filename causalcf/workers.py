"""Independent pieces of work in several threads, a bounded number at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

MOST_WORKERS = 8  # beyond this the interpreter lock, not the work, sets the pace

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """Apply a function to each item, in several threads.

    Threads, because decoding and array arithmetic release the interpreter lock: measured as fast as processes, while
    the function may be any closure and nothing is forked under a process that has torch loaded.

    Args:
        function: called with one item at a time in each thread.
        items: taken lazily; at most 2 * workers are under way or waiting to be taken from here.
        workers: number of threads, at least 1.

    Returns:
        An iterator over (item, result), in the order of finishing. Close it to cancel what has not begun.

    Raises:
        Whatever the function raises, when its turn comes; of several at once, the earliest item's. The rest is
        cancelled.

    Source: defined here.

    Example:
        >>> sorted(in_threads(abs, [-1, -2, 3], workers=2))
        [(-2, 2), (-1, 1), (3, 3)]
    """
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

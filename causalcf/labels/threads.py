"""Torch's threads, for work on small tensors: one, or several that each go their own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

import torch

from ..workers import MOST_WORKERS, in_threads

Work = TypeVar("Work")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: products of ten columns lose more to handing over than they gain.

    The result then does not depend on the machine's number of cores either.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_parallel(work: Callable[[Work], object], items: Iterable[Work]) -> None:
    """Do work on each item, as many at a time as torch may use threads, at most 8; one item alone needs no thread.

    Args:
        work: called with one item at a time in each thread, where torch itself uses no further ones.
        items: taken in this thread, lazily and in order.
    """
    items = iter(items)
    first = list(islice(items, 2))
    threads = min(torch.get_num_threads(), MOST_WORKERS)

    def alone(item: Work) -> None:
        torch.set_num_threads(1)  # of the thread that this runs in
        work(item)

    if threads == 1 or len(first) < 2:
        for item in chain(first, items):
            work(item)
    else:
        for _ in in_threads(alone, chain(first, items), threads):
            pass

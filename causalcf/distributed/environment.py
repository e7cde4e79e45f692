"""Process numbers that torchrun sets in the environment; read without importing torch."""

from __future__ import annotations

import os


def launched() -> int:
    """Return the number of processes that torchrun started; 1 without torchrun."""
    size = os.environ.get("WORLD_SIZE", "")
    return int(size) if "RANK" in os.environ and size.isdecimal() else 1


def launched_first() -> bool:
    """Return whether this is the first process or the only one."""
    return launched() == 1 or os.environ["RANK"] == "0"


def local_rank() -> int:
    """Return this process's number on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))

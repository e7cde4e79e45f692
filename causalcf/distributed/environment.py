"""What torchrun says in the environment; read without torch, so that a single process pays nothing for it."""

from __future__ import annotations

import os


def launched() -> int:
    """How many processes torchrun started; 1 without it."""
    size = os.environ.get("WORLD_SIZE", "")
    return int(size) if "RANK" in os.environ and size.isdecimal() else 1


def launched_first() -> bool:
    """Whether this is the first of them, or the only one."""
    return launched() == 1 or os.environ["RANK"] == "0"


def local_rank() -> int:
    """This process's number on its machine, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))

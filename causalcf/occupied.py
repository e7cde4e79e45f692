"""A run directory has one trainer at a time; another is told who is at work there."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bounded import read_json
from .errors import RunError, WriteError
from .files import write_atomically

LOCK, OWNER = "lock", "in-use.json"


@contextmanager
def occupying(folder: Path) -> Iterator[None]:
    """Holds a run directory for this process; the system lets go of it however the process ends.

    Raises:
        RunError: another process trains there; names it.
        WriteError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"{folder} is in use: {_owner(folder)} trains there. Wait for it, or stop it") from None
    except OSError as error:  # also where the file system knows no locks
        raise WriteError(f"cannot write in {folder}: {error.strerror or error}") from error
    try:
        owner = {"process": os.getpid(), "host": platform.node(), "command": sys.argv}
        write_atomically(folder / OWNER, json.dumps(owner).encode())
        yield
    finally:
        (folder / OWNER).unlink(missing_ok=True)
        lock.release()


def _owner(folder: Path) -> str:
    """Who holds the lock, in words."""
    try:
        owner = read_json(folder / OWNER)
        return f"process {owner['process']} on {owner['host']} ({' '.join(owner['command'])[:200]})"
    except (OSError, ValueError, LookupError, TypeError):  # it has only just taken it, or let go of it
        return "another process"

"""Files: written whole or not at all, hashed as cache keys, and locked so that one process trains in a run."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import RunError, WriteError
from .untrusted import read_json

if TYPE_CHECKING:
    from torch import nn


# What the system refuses because of where a program runs, not because of a mistake in it.
_REFUSALS = (
    *("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EFBIG"),
    *("EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY", "ENAMETOOLONG"),
)
_CODES = {getattr(errno, name) for name in _REFUSALS if hasattr(errno, name)}
_TEMPORARY = re.compile(r"\..+?\.(?:at-([\w-]*)\.)?(\d+)\.tmp")  # .<name>.at-<host>.<process>.tmp
_HOST = re.sub(r"[^\w-]+", "-", platform.node())[:60]
_DEAD = 24 * 3600  # seconds after which nobody writes a file any more
DIGITS = 16  # hexadecimal, of SHA-256
CHUNK = 2**20  # bytes read at a time
LOCK, OWNER = "lock", "in-use.json"


def temporary_beside(path: Path) -> Path:
    """Return this process's hidden temporary path beside `path`."""
    return path.with_name(f".{path.name}.at-{_HOST}.{os.getpid()}.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file that replaces `path` after it is written and flushed to disk."""
    temporary = temporary_beside(path)
    try:
        with _opened(temporary, path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = refusal(error)
        if reason is None:
            raise
        raise WriteError(f"cannot write {path}: {reason.strerror}") from error


def _opened(temporary: Path, path: Path) -> BinaryIO:
    try:
        return open(temporary, "wb")
    except OSError as error:  # also where there is no such folder
        raise WriteError(f"cannot write {path}: {error.strerror}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file atomically; raise a `WriteError` if it cannot be written."""
    with replacing(path) as file:
        file.write(content)


def link_atomically(path: Path, target: Path) -> None:
    """Make `path` a hard link to `target`, atomically; a copy where hard links are not supported."""
    temporary = temporary_beside(path)
    temporary.unlink(missing_ok=True)
    try:
        os.link(target, temporary)
    except OSError:  # FAT, some network drives
        with replacing(path) as file, open(target, "rb") as source:
            shutil.copyfileobj(source, file)
    else:
        os.replace(temporary, path)
        temporary.unlink(missing_ok=True)  # POSIX leaves both names where they were one file already


def clear_leftovers(folder: Path) -> list[str]:
    """Remove the temporary files in a folder that ended processes have left; return their names.

    Whether a process of another machine still runs cannot be known here: its files go once they are a day old.
    """
    gone = []
    for path in folder.iterdir():
        found = _TEMPORARY.fullmatch(path.name)
        if found and (_is_old(path) or (found[1] == _HOST and not _alive(int(found[2])))):
            path.unlink(missing_ok=True)
            gone.append(path.name)
    return gone


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > _DEAD
    except FileNotFoundError:  # another process was faster
        return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def refusal(error: BaseException | None) -> OSError | None:
    """Return the operating system's error behind `error`, such as a full disk; None if there is none."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error if error is not None and error.errno in _CODES else None


def of_weights(network: nn.Module) -> str:
    """Return the fingerprint of a network's parameters and buffers, on any device."""
    digest = hashlib.sha256()
    for name, weight in sorted(network.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:DIGITS]


def of_code(package: Path) -> str:
    """Return the fingerprint of the Python files under a folder, including their paths."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package).as_posix()}\0{of_file(file)}\0".encode())
    return digest.hexdigest()[:DIGITS]


def of_file(path: Path) -> str:
    """Return the fingerprint of a file's bytes: the first 16 digits that `sha256sum` prints."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()[:DIGITS]


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the run lock; the system releases it when the process ends, in whatever way."""
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
    """Return who holds the lock, in words."""
    try:
        owner = read_json(folder / OWNER)
        return f"process {owner['process']} on {owner['host']} ({' '.join(owner['command'])[:200]})"
    except (OSError, ValueError, LookupError, TypeError):  # it has only just taken it, or let go of it
        return "another process"

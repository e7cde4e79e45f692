"""Files written whole or not at all, whatever becomes of the process that writes them."""

from __future__ import annotations

import errno
import os
import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import WriteError

# What the system refuses because of where a program runs, not because of a mistake in it.
_REFUSALS = (
    *("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "ENOMEM"),
    *("EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY", "ENAMETOOLONG"),
)
_CODES = {getattr(errno, name) for name in _REFUSALS if hasattr(errno, name)}
_TEMPORARY = re.compile(r"\..+?\.(?:at-([\w-]*)\.)?(\d+)\.tmp")  # .<name>.at-<host>.<process>.tmp
_HOST = re.sub(r"[^\w-]+", "-", platform.node())[:60]
_DEAD = 24 * 3600  # seconds after which nobody writes a file any more


def temporary_beside(path: Path) -> Path:
    """Where what is to become `path` is written first: hidden, beside it, and this process's own."""
    return path.with_name(f".{path.name}.at-{_HOST}.{os.getpid()}.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write under a temporary name beside `path`; flushed to disk and renamed when all of it is written.

    Raises:
        WriteError: the disk is full or the folder cannot be written. What was at `path` is still there.
    """
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
    """Replaces a file whole; raises what `replacing` raises."""
    with replacing(path) as file:
        file.write(content)


def link_atomically(path: Path, target: Path) -> None:
    """Makes `path` another name of the file `target`, replaced whole; a copy where there are no hard links."""
    temporary = temporary_beside(path)
    temporary.unlink(missing_ok=True)
    try:
        os.link(target, temporary)
    except OSError:  # FAT, some network drives
        with replacing(path) as file, open(target, "rb") as source:
            while part := source.read(1 << 20):
                file.write(part)
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
    """The system's refusal behind an error, as of a full disk; None where there is none.

    Libraries that write through a file wrap it in errors of their own.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error if error is not None and error.errno in _CODES else None

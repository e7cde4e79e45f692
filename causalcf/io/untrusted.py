"""Untrusted input: files are read up to a size limit, and nothing in them is executed.
See docs/security.md.
"""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import CausalCFError, RunError

if TYPE_CHECKING:
    import torch

MAX_JSON = 2**24  # bytes; a thousand times a run's metadata
MAX_TICKS = 2**17  # of one run, each a line in its statistics
MAX_STATISTICS = MAX_TICKS * 2**11  # bytes of them
MAX_TENSORS = 2**31  # bytes of a checkpoint; four times one of the papers' size
MAX_PICKLE = 2**22  # bytes of its part that is no tensor, which names them; that of a run is 50 kB
MAX_PARTS = 100_000  # mappings, lists, tensors and values in it; a run's has 2,000
MAX_LEVELS = 16  # of lists and mappings within each other; a run's has 6


def _open_regular(path: Path) -> BinaryIO:
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for ever
        raise CausalCFError(f"{path} is no regular file")
    return open(path, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes; anything else is an error."""
    with _open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise CausalCFError(f"{path} is larger than {most // 1024:,} kB, the most that is read of such a file")
    return content


def read_last_line(path: Path, most: int = 2**16) -> bytes:
    """Return the last line of a regular file; no more than `most` bytes at its end are looked at."""
    with _open_regular(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        lines = file.read(most).splitlines()
    if not lines:
        raise CausalCFError(f"{path} is empty")
    return lines[-1]


def read_json(path: Path) -> Any:
    """Return the value in a JSON file of at most 16 MiB."""
    return parse_json(read_bounded(path, MAX_JSON), path)


def parse_json(text: bytes | str, path: Path) -> Any:
    """Parse JSON text; an error names the file `path`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, no JSON, or brackets within brackets by the thousand
        raise CausalCFError(f"{path} holds no JSON: {first_line(error)}") from None


def read_tensors(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Load a `torch.save` file of at most 2 GiB with nothing but tensors and plain values."""
    import torch

    check_archive(path)
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except UnpicklingError:  # whose advice is to load it without this guard
        raise CausalCFError("it holds something else than tensors and plain values, and is not loaded") from None
    _check_plain(state)
    if not isinstance(state, dict):
        raise CausalCFError(f"it holds a {type(state).__name__}, not a mapping")
    return state


@contextmanager
def rebuilding(path: Path) -> Iterator[None]:
    """Turn any error inside the block into a `RunError` that names the file."""
    try:
        yield
    except RunError:
        raise
    except KeyError as error:
        raise RunError(f"{path} cannot be used: it holds no {error}") from error
    except Exception as error:
        raise RunError(f"{path} cannot be used: {first_line(error)}") from error


def refuse_links_out(folder: Path) -> None:
    """Check that no link in a folder leads out of it; the folder itself may be a link."""
    home = folder.resolve()
    for path in sorted(home.iterdir()):
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise RunError(f"{folder} holds the link {path.name}, which leads out of it, to {path.resolve()}")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if there is no message."""
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def check_size(path: Path) -> int:
    """Return the bytes of a file of tensors, at most 2 GiB."""
    size = path.stat().st_size
    if size > MAX_TENSORS:
        raise CausalCFError(f"it has {size:,} bytes; at most {MAX_TENSORS:,} are read")
    return size


def check_archive(path: Path) -> None:
    """Check the size and format of a tensor archive before anything in it is loaded."""
    size = check_size(path)
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:  # nor is torch's format from before 2020 read, which claims sizes it lacks
        raise CausalCFError(f"no archive of tensors, as torch.save writes since 1.6: {error}") from None
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts) or sum(p.file_size for p in parts) > size:
        raise CausalCFError("its parts are larger than the file: torch writes them uncompressed")
    names = max((part.file_size for part in parts if part.filename.endswith(".pkl")), default=0)
    if names > MAX_PICKLE:
        raise CausalCFError(f"its names and values take {names:,} bytes; at most {MAX_PICKLE:,} are read")


def _check_plain(state: Any) -> None:
    """Check that a value holds only tensors and plain values; a shared part counts at each occurrence."""
    import torch

    left, pending = MAX_PARTS, [(state, 0)]
    while pending:
        value, level = pending.pop()
        left -= 1
        if left < 0 or level > MAX_LEVELS:
            raise CausalCFError(f"it holds more than {MAX_PARTS:,} parts, or {MAX_LEVELS} levels of them")
        if isinstance(value, Mapping):
            pending += [(part, level + 1) for pair in value.items() for part in pair]
        elif isinstance(value, (list, tuple)):
            pending += [(part, level + 1) for part in value]
        elif type(value) is torch.Tensor:
            # The storage must hold all of its numbers, so that a copy needs no more memory.
            if value.layout is not torch.strided or value.numel() * value.itemsize > value.untyped_storage().nbytes():
                raise CausalCFError(f"a tensor of shape {tuple(value.shape)} holds fewer numbers than its shape says")
        elif type(value) not in (str, int, float, bool, type(None)):
            raise CausalCFError(f"it holds a {type(value).__name__}; allowed are tensors, texts, numbers and lists")

"""Short digests that tell apart what bears one name: a network trained anew, a run trained further, code mended."""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import nn

DIGITS = 16  # hexadecimal, of SHA-256
CHUNK = 2**20  # bytes read at a time


def of_weights(network: nn.Module) -> str:
    """Of a network's parameters and buffers, by their names; the device and the order do not matter.

    Example:
        >>> network = nn.Linear(2, 1)
        >>> before = of_weights(network)
        >>> _ = nn.init.zeros_(network.weight)
        >>> len(before), before == of_weights(network)
        (16, False)
    """
    digest = hashlib.sha256()
    for name, weight in sorted(network.state_dict().items()):
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:DIGITS]


def of_code(package: Path) -> str:
    """Of the Python files under a folder, their names and places included."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package).as_posix()}\0{of_file(file)}\0".encode())
    return digest.hexdigest()[:DIGITS]


def of_file(path: Path) -> str:
    """Of a file's bytes: how what `sha256sum` prints begins."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()[:DIGITS]

"""Finished parts of an evaluation, kept until it ends: one that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..bounded import read_json
from ..errors import CausalCFError
from ..files import write_atomically

FOLDER = "unfinished"


class Pieces:
    """JSON-ready parts in a folder, each under a key that tells all it depends on."""

    def __init__(self, folder: Path, *common: object) -> None:
        self._folder = folder / FOLDER
        self._common = [str(part) for part in common]

    def get(self, names: Sequence[object], make: Callable[..., Any], *given: Any) -> Any:
        """The part of these names, made where it is not there yet.

        Args:
            names: what it depends on beside what all parts do.
            make: makes it from `given`, JSON-ready.
        """
        key = hashlib.sha256(json.dumps([*self._common, *map(str, names)]).encode()).hexdigest()[:24]
        file = self._folder / f"{key}.json"
        if file.is_file():
            with suppress(CausalCFError):  # damaged: made once more
                return read_json(file)
        made = make(*given)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(made, allow_nan=False).encode())
        return made

    def clear(self) -> None:
        """The evaluation has ended; its report holds all."""
        shutil.rmtree(self._folder, ignore_errors=True)

"""Work that is killed as told: what `dying.py` does, seen from a test."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image


def plot(*given):
    """The bytes of a picture that stands for any of a report's plots, each of which takes a second to draw."""
    written = io.BytesIO()
    Image.new("RGB", (20, 10)).save(written, "PNG")
    return written.getvalue()


class Killing:
    """Pieces of work, each in a folder of its own, with a cache in it."""

    def __init__(self, base):
        self.base, self.number = base, 0

    def plan(self, die):
        self.number += 1
        folder = self.base / f"{self.number}"
        folder.mkdir()
        return {"folder": str(folder), "cache": str(folder / "cache"), "die": die}

    def run(self, plans):
        """The status that each of them ended with."""
        file = self.base / f"plan-{self.number}.json"
        file.write_text(json.dumps(plans))
        command = [sys.executable, "-m", "helpers.dying", str(file)]
        paths = os.pathsep.join(path for path in sys.path if path)
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"})
        return [int((Path(plan["folder"]) / "status").read_text()) for plan in plans]

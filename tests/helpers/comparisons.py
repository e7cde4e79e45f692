"""A small comparison, and what tests ask of its runs; it is trained once, by the fixture `compared`."""

from __future__ import annotations

import contextlib
import io
import json
import re

import torch

from causalcf.runs.directory import load_checkpoint
from causalcf.train import main, parse_options

TINY = {
    "name": "tiny", "graph": "celeba-bald", "images": 64, "batch": 8, "width": 8, "labeler_width": 2, "noise_dim": 5,
    "data_size": 400, "tick": 32, "device": "cpu", "precision": "float32",
    "approaches": ["causalgan", "conditional", "dcgan"],
    "classifier": {"network": "alexnet", "images": 64, "batch": 32, "width": 8},
    "judge": {
        "network": "residual", "images": 64, "batch": 32, "width": 8, "seed": 1, "attributes": ["Bald", "Male", "Young"]
    },
}  # fmt: skip
PARTS = ["causalgan, seed 0", "conditional, seed 0", "dcgan, seed 0", "classifier, seed 0", "judge, seed 1"]


def tell(*flags):
    """The exit code of the command, and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(list(flags))
    return code, [line for line in said.getvalue().splitlines() if re.match(r"\d+ of \d+: |the comparison", line)]


def recipes_of(flags):
    comparison = parse_options(flags).comparison
    return {recipe.approach: recipe for recipe in comparison.recipes()}, comparison


def fingerprint_of(run):
    return json.loads((run / "meta.json").read_text())["data_fingerprint"]


def same_weights(first, second):
    a, b = (load_checkpoint(run)["networks"] for run in (first, second))
    return all(torch.equal(a[key], b[key]) for key in a)

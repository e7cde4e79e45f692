"""Whether two runs are the same training, to the bit."""

import torch

from causalcf.runs.directory import load_checkpoint

CLOCKS = ("/seconds", "/tick/")  # when it happened, and since when losses are averaged
NAMES = ("/recipe/runs_dir", "/recipe/name", "/recipe/keep", "/recipe/init_from", "/recipe/images")


def leaves(value, path=""):
    """Every leaf of a checkpoint under its path."""
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, inner in pairs for k, v in leaves(inner, f"{path}/{key}").items()}
    return {path: value}


def difference(first, second):
    """Where the checkpoints of two runs differ, but for their names and clocks."""
    a, b = (_compared(folder) for folder in (first, second))
    return sorted(key for key in a.keys() | b.keys() if not (key in a and key in b and same(a[key], b[key])))


def _compared(folder):
    found = leaves(load_checkpoint(folder))
    return {key: value for key, value in found.items() if not key.startswith(CLOCKS) and key not in NAMES}


def same(one, other):
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other

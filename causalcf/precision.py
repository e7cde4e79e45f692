"""Which device and which arithmetic: chosen once, before training, and recorded with the run."""

from __future__ import annotations

import time

import torch

from .arguments import check
from .errors import RecipeError


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where it is available, else the CPU.

    Raises:
        RecipeError: no such device here.
    """
    check(isinstance(name, str), "device", name, "text, such as auto or cpu", RecipeError)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        allowed = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise RecipeError(f"device {name!r} cannot be used ({reason}); here: {', '.join(allowed)}") from error
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """ "bf16" or "float32"; "auto" takes bf16 on CUDA, and on a CPU only if it measures at least 1.3 times as fast.

    Processors without bf16 instructions emulate it at a fraction of float32's speed; those with them gain severalfold.
    """
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "float32"
    if device.type != "cpu":
        return "float32"
    return "bf16" if bf16_gain() > 1.3 else "float32"


def bf16_gain(repeats: int = 60) -> float:
    """How many times as fast a bf16 convolution is as a float32 one on this CPU (best of `repeats` each).

    They are timed in turns, so that another process that takes the CPU for a moment hits both.
    """
    weights = torch.ones(64, 64, 4, 4).to(memory_format=torch.channels_last)
    images = torch.ones(8, 64, 16, 16).to(memory_format=torch.channels_last)
    pairs = {dtype: (images.to(dtype), weights.to(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    best = dict.fromkeys(pairs, float("inf"))
    with torch.no_grad():
        for _ in range(repeats):
            for dtype, (x, w) in pairs.items():
                start = time.perf_counter()
                torch.nn.functional.conv2d(x, w, stride=2, padding=1)
                best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best[torch.float32] / best[torch.bfloat16]


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context that convolutional networks run in."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")

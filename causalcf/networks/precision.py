"""Device and precision of a training, chosen once before it and recorded with the run."""

from __future__ import annotations

import torch

from ..checks import check
from ..errors import RecipeError


def choose_device(name: str) -> torch.device:
    """Return the device of a name; "auto" is CUDA if available, else the CPU."""
    check(isinstance(name, str), "device", name, "text, such as auto or cpu", RecipeError)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device).item()  # which "meta" has no numbers for
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        allowed = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise RecipeError(f"device {name!r} cannot be used ({reason}); here: {', '.join(allowed)}") from error
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """Resolve "auto": bf16 where the processor has instructions for it, else float32; the load does not matter."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "float32"
    return "bf16" if device.type == "cpu" and cpu_has_bf16() else "float32"


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 by instructions of its own (AVX-512 BF16 or AMX)."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context of the convolutional networks."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")

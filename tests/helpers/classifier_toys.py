"""A toy data set whose two attributes anyone can read: A brightens the red upper half, B the blue lower half."""

from __future__ import annotations

import torch

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.data.images import ImageData
from causalcf.networks.readers import build_network


def toy(n: int = 300, seed: int = 0, contrast: int = 150, rate: float = 0.5) -> ImageData:
    draw = torch.Generator().manual_seed(seed)
    labels = (torch.rand(n, 2, generator=draw) < rate).to(torch.int8)
    pixels = torch.randint(0, 60, (n, 3, 64, 64), generator=draw, dtype=torch.uint8)
    pixels[:, 0, :32] += contrast * labels[:, 0, None, None].to(torch.uint8)
    pixels[:, 2, 32:] += contrast * labels[:, 1, None, None].to(torch.uint8)
    return ImageData("toy", ("A", "B"), labels, pixels.numpy(), f"toy-{n}-{seed}-{contrast}-{rate}")


def untrained(name: str = "residual", width: int = 8, mirror: bool = True) -> AttributeClassifier:
    """Random weights, and a calibration that differs from attribute to attribute."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(name, 3, width).eval().requires_grad_(False)
    scale = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    shift = torch.tensor([0.0, 0.3, -1.0], dtype=torch.float64)
    rates = (0.5, 0.1, 0.9)
    return AttributeClassifier(
        ("A", "B", "C"), network, (0, 1, 2), Calibration(scale, shift), rates, mirror, (name, width)
    )

"""A run's networks as plain lists of layers and two arrays of numbers, for assets/networks.js."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import RunError
from ..networks.began import BeganGenerator
from ..networks.bundle import AnyGenerator
from ..networks.dcgan import ConvStack, Encoder, EvenTransposed
from ..networks.skip import SLOPE, STEERING, ConditionalNorm, SkipGenerator

Layer = dict[str, Any]


@dataclass
class Numbers:
    """Weights as float16, and what scales or shifts whole channels as float32; each part is found by its place."""

    halves: list[np.ndarray] = field(default_factory=list)
    floats: list[np.ndarray] = field(default_factory=list)

    def place(self, tensor: Tensor) -> tuple[str, int, int]:
        """Add a tensor and return (kind, start, length)."""
        kind, kept, dtype = ("float", self.floats, "<f4") if tensor.ndim <= 1 else ("half", self.halves, "<f2")
        start = sum(part.size for part in kept)
        with np.errstate(over="ignore"):
            kept.append(tensor.detach().float().cpu().numpy().astype(dtype).reshape(-1))
        if not np.isfinite(kept[-1]).all():
            raise RunError("a weight is larger than float16 holds (65,504): no page can be made of this run")
        return kind, start, tensor.numel()

    def layer(self, kind: str, **parts: Any) -> Layer:
        """Return a layer whose tensors are numbers in their places."""
        placed = {key: self.place(part) for key, part in parts.items() if isinstance(part, Tensor)}
        plain = {key: part for key, part in parts.items() if part is not None and key not in placed}
        return {"kind": kind, **plain, "numbers": placed}


def generator_layers(generator: AnyGenerator, numbers: Numbers) -> Iterator[Layer]:
    """Yield the layers of a generator; batch norm is folded to a scale and a shift."""
    if isinstance(generator, BeganGenerator):
        decoder = generator.decoder
        yield numbers.layer("linear", weight=decoder.project.weight, bias=decoder.project.bias, channels=decoder.width)
        for layer in decoder.layers:
            yield from _plain_layer(layer, numbers)
        return
    project = generator.project
    yield numbers.layer("linear", weight=project.weight, bias=project.bias, channels=8 * generator.width)
    if not isinstance(generator, SkipGenerator):
        for layer in generator.layers:
            yield from _plain_layer(layer, numbers)
        yield numbers.layer("tanh")
        return
    steering = min(generator.noise_dim, STEERING)
    norms = [_norm(norm, steering, numbers) for norm in generator.norms]
    yield norms[0]
    yield numbers.layer("leaky", slope=SLOPE)
    for grow, norm, to_rgb in zip(generator.grow, norms[1:], generator.to_rgb, strict=True):
        yield from _plain_layer(grow, numbers)
        yield norm
        yield numbers.layer("leaky", slope=SLOPE)
        assert isinstance(to_rgb, nn.Conv2d)
        yield numbers.layer("to rgb", weight=to_rgb.weight, bias=to_rgb.bias, kernel=to_rgb.kernel_size[0])
    yield numbers.layer("tanh")


def _norm(norm: nn.Module, steering: int, numbers: Numbers) -> Layer:
    assert isinstance(norm, ConditionalNorm)
    scale, shift = _folded(norm.norm)
    steer = norm.steer
    return numbers.layer("norm", scale=scale, shift=shift, weight=steer.weight, bias=steer.bias, steering=steering)


def _folded(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return the scale and shift of each channel in evaluation mode."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    return scale, shift + norm.bias if norm.affine else shift


def _plain_layer(layer: nn.Module, numbers: Numbers) -> Iterator[Layer]:
    if isinstance(layer, nn.ConvTranspose2d):
        kernel = layer.even_kernel() if isinstance(layer, EvenTransposed) else layer.weight
        yield numbers.layer("grow", weight=kernel, bias=layer.bias, channels=layer.out_channels)
    elif isinstance(layer, nn.Conv2d) and layer.stride == (1, 1):
        outputs, side = layer.out_channels, layer.kernel_size[0]
        yield numbers.layer("convolve", weight=layer.weight, bias=layer.bias, channels=outputs, kernel=side)
    elif isinstance(layer, nn.Upsample):
        yield numbers.layer("repeat")
    elif isinstance(layer, nn.ELU):
        yield numbers.layer("elu")
    elif isinstance(layer, nn.Conv2d):
        yield numbers.layer("shrink", weight=layer.weight, bias=layer.bias, channels=layer.out_channels)
    elif isinstance(layer, nn.BatchNorm2d):
        scale, shift = _folded(layer)
        yield numbers.layer("norm", scale=scale, shift=shift)
    elif isinstance(layer, nn.GroupNorm):
        yield numbers.layer("group norm", weight=layer.weight, bias=layer.bias, groups=layer.num_groups)
    elif isinstance(layer, nn.ReLU | nn.LeakyReLU):
        yield numbers.layer("leaky", slope=layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0)
    else:
        raise TypeError(f"the page cannot run a {type(layer).__name__}")


def reader_layers(stack: ConvStack, numbers: Numbers) -> Iterator[Layer]:
    """Yield the layers of a Labeler or an encoder."""
    for layer in stack.layers:
        yield from _plain_layer(layer, numbers)
    yield numbers.layer("linear", weight=stack.read.weight, bias=stack.read.bias)


def network_layers(
    generator: AnyGenerator, labeler: nn.Module | None, encoder: Encoder | None
) -> tuple[dict[str, list[Layer]], bytes, bytes]:
    """Return the layers of the networks by name, their float16 weights and their float32 numbers, little endian."""
    numbers = Numbers()
    with torch.no_grad():
        found = {"generator": list(generator_layers(generator, numbers))}
        for name, network in (("labeler", labeler), ("encoder", encoder)):
            if network is not None:
                found[name] = list(reader_layers(network.get_submodule("stack"), numbers))  # type: ignore[arg-type]
    return found, b"".join(p.tobytes() for p in numbers.halves), b"".join(p.tobytes() for p in numbers.floats)

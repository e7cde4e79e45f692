"""Networks of the Causal Controller: a small network for each node, and a critic of the label row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from .evidence import cell_index, configurations

SLOPE = 0.2  # of the leaky ReLUs, the paper's
WIDTH = 0.3  # of the straight-through sigmoid, in standard deviations of a row's logits


class Controller(nn.Module):
    """Label networks: node i is 1 where its logit of (parents, z_i), z_i ~ U(-1, 1)^noise, is positive."""

    def __init__(
        self,
        parents: Sequence[tuple[int, ...]],
        generator: torch.Generator,
        noise: int = 10,
        width: int = 24,
        depth: int = 3,
    ) -> None:
        super().__init__()
        self.noise = noise
        self.members = [[i for i, p in enumerate(parents) if len(p) == k] for k in sorted({len(p) for p in parents})]
        self.groups = nn.ModuleList(
            _Group(len(members), len(parents[members[0]]), noise, width, depth, generator) for members in self.members
        )
        # For the joint table: which parent configuration each configuration of the earlier nodes means.
        self._rows = [cell_index(configurations(i)[:, list(p)]) for i, p in enumerate(parents)]

    def logits(self, z: torch.Tensor) -> list[torch.Tensor]:
        """Return each node's logits for all parent configurations and (points, noise) z: (2^p, points)."""
        found: dict[int, torch.Tensor] = {}
        for members, group in zip(self.members, self.groups, strict=True):
            found.update(zip(members, group(z), strict=True))
        return [found[i] for i in range(len(found))]

    def joint(self, probabilities: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the joint label distribution, (2^d,), from each node's P(1 | parents), (2^p,)."""
        table = torch.ones(1, dtype=probabilities[0].dtype)
        for rows, probability in zip(self._rows, probabilities, strict=True):
            one = probability[rows]
            table = torch.stack([table * (1 - one), table * one], 1).reshape(-1)
        return table

    def soft_joint(self, z: torch.Tensor) -> torch.Tensor:
        """Return the joint distribution of the hard labels on z, with the straight-through gradient."""
        return self.joint([straight_through(logit).mean(1) for logit in self.logits(z)])

    @torch.no_grad()
    def bits(self, z: torch.Tensor, chunk: int = 2048) -> list[torch.Tensor]:
        """Return each node's hard labels for all parent configurations and z: (2^p, points) uint8."""
        parts = [[(logit > 0).to(torch.uint8) for logit in self.logits(points)] for points in z.split(chunk)]
        return [torch.cat(part, 1) for part in zip(*parts, strict=True)]


class _Group(nn.Module):
    """Networks of m nodes with k parents each, computed in one batched product."""

    parents: torch.Tensor

    def __init__(self, m: int, k: int, noise: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [k + noise, *[width] * depth, 1]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, o in itertools.pairwise(sizes):
            self.weights.append(_normal((m, i, o), i, generator))
            self.biases.append(nn.Parameter(torch.zeros(m, 1, o)))
        self.register_buffer("parents", 2.0 * configurations(k).float() - 1.0, persistent=False)
        self.k = k

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return (m, 2^k, points) logits."""
        first, bias = self.weights[0], self.biases[0]
        above = self.parents @ first[:, : self.k]  # (m, 2^k, width)
        own = z @ first[:, self.k :] + bias  # (m, points, width)
        h = (above[:, :, None] + own[:, None]).flatten(1, 2)
        for weight, bias in zip(list(self.weights)[1:], list(self.biases)[1:], strict=True):
            h = torch.baddbmm(bias, leaky_relu(h, SLOPE), weight)
        return h.reshape(len(h), len(self.parents), len(z))


class Critic(nn.Module):
    """Network that scores label rows, (n, d) in -1/+1 -> (n,)."""

    def __init__(self, d: int, generator: torch.Generator, width: int = 64, depth: int = 3) -> None:
        super().__init__()
        sizes = [d, *[width] * depth, 1]
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(_normal((i, o), i, generator) for i, o in pairs)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(o)) for _, o in pairs)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        h = torch.addmm(self.biases[0], rows, self.weights[0])
        for weight, bias in zip(list(self.weights)[1:], list(self.biases)[1:], strict=True):
            h = torch.addmm(bias, leaky_relu(h, SLOPE), weight)
        return h[:, 0]


def straight_through(logit: torch.Tensor) -> torch.Tensor:
    """Return 1 where the logit is positive, else 0; the sigmoid gradient's width follows a row's spread."""
    width = WIDTH * logit.detach().std(-1, keepdim=True).clamp(min=1e-3)
    soft = torch.sigmoid(logit / width)
    return (logit > 0).to(soft.dtype) - soft.detach() + soft


def _normal(shape: tuple[int, ...], inputs: int, generator: torch.Generator) -> nn.Parameter:
    scale = math.sqrt(2 / (inputs * (1 + SLOPE**2)))
    return nn.Parameter(scale * torch.randn(shape, generator=generator, dtype=torch.float32))

"""CausalGAN's Causal Controller (Kocaoglu et al., 2018, section 4), trained against one critic.
It uses hard labels, exact sums over all 2^d cells, and a penalty on the label cube's edges.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn.functional import leaky_relu
from torch.quasirandom import SobolEngine

from ..checks import Options, check_choice, check_options, option, option_names
from ..errors import CausalCFError, IntractableError
from ..graph.graph import CausalGraph
from ..io.progress import counting
from ..io.threads import one_thread
from ..randomness import fresh
from .counterfactuals import parent_indices
from .distance import empirical_joint, total_variation
from .evidence import cell_index, configurations
from .mechanisms import ResponseMechanism
from .scm import LabelSCM

MAX_LABELS = 12  # the critic scores all 2^d cells
MAX_PARENTS = 10  # a response table holds 2^p rows of POOL bits
POOL = 2**14  # noise points of the fitted mechanisms
CHECK_POOL = 2**13  # noise points of the TVD on the way
NOISE = 10  # noise dimensions of a node
HIDDEN, CRITIC = (24, 24, 24), (64, 64, 64)  # widths of a node's network and of the critic
CHUNK = 2048  # noise points at a time
SLOPE = 0.2  # of the leaky ReLUs, the paper's
WIDTH = 0.3  # of the straight-through sigmoid, in standard deviations of a row's logits
FLOOR = 0.1  # share of a uniform law in the penalty's weights: cells that neither law visits stay smooth


class Controller(nn.Module):
    """Label networks: node i is 1 where its logit of (parents, z_i), z_i ~ U(-1, 1)^noise, is positive."""

    def __init__(self, parents: Sequence[tuple[int, ...]], generator: torch.Generator) -> None:
        super().__init__()
        self.members = [[i for i, p in enumerate(parents) if len(p) == k] for k in sorted({len(p) for p in parents})]
        self.groups = nn.ModuleList(
            _Group(len(members), len(parents[members[0]]), generator) for members in self.members
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
    def bits(self, z: torch.Tensor) -> list[torch.Tensor]:
        """Return each node's hard labels for all parent configurations and z: (2^p, points) uint8."""
        parts = [[(logit > 0).to(torch.uint8) for logit in self.logits(points)] for points in z.split(CHUNK)]
        return [torch.cat(part, 1) for part in zip(*parts, strict=True)]


class _Group(nn.Module):
    """Networks of m nodes with k parents each, computed in one batched product."""

    parents: torch.Tensor

    def __init__(self, m: int, k: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, o in itertools.pairwise([k + NOISE, *HIDDEN, 1]):
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

    def __init__(self, d: int, generator: torch.Generator) -> None:
        super().__init__()
        pairs = list(itertools.pairwise([d, *CRITIC, 1]))
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


@dataclass(frozen=True)
class ControllerOptions(Options):
    """Training options of the Causal Controller."""

    _error: ClassVar[type[CausalCFError]] = CausalCFError
    steps: int = option(4000, "maximum number of controller steps", low=1)
    target_tvd: float = option(
        0.01, "training stops once the total variation distance to the table is at most this", low=0, below=1
    )
    points: int = option(256, "noise points z in each step", low=2)
    critic_steps: int = option(5, "critic steps for each controller step", low=1)
    rate: float = option(1e-3, "Adam's learning rate of the controller; it falls to zero along a cosine", above=0)
    critic_rate: float = option(1e-3, "Adam's learning rate of the critic", above=0)
    penalty: float = option(0.1, "weight of the gradient penalty", above=0)
    average: float = option(0.995, "decay of the EMA weights, for each controller step", low=0, below=1)
    check_every: int = option(200, "controller steps between two measurements of the total variation distance", low=1)
    progress: bool = option(True, "show a progress line on stderr")

    def __post_init__(self) -> None:
        check_options(self)


def fit_controller(
    graph: CausalGraph, labels: torch.Tensor, *, generator: torch.Generator | None = None, **options: Any
) -> LabelSCM:
    """Train a Causal Controller and return its networks, on 2^14 noise points, as a `LabelSCM`."""
    for name in options:
        check_choice("option of method 'adversarial'", name, option_names(ControllerOptions))
    chosen = ControllerOptions(**options)
    parents = parent_indices(graph)
    _check_size(graph, parents)
    generator = fresh(generator)
    target = empirical_joint(labels)
    controller = train_controller(parents, target, chosen, generator)
    bits = controller.bits(noise_pool(NOISE, POOL, generator))
    return LabelSCM(graph, {node: ResponseMechanism(b) for node, b in zip(graph.nodes, bits, strict=True)})


def train_controller(
    parents: list[tuple[int, ...]], target: torch.Tensor, options: ControllerOptions, generator: torch.Generator
) -> Controller:
    """Train the networks on the (2,)*d joint table `target`; return them with EMA weights."""
    controller = Controller(parents, generator)
    critic = Critic(len(parents), generator)
    average = copy.deepcopy(controller).requires_grad_(False)
    pool = noise_pool(NOISE, CHECK_POOL, generator)
    net = noise_pool(NOISE, options.points, generator)
    cells = 2.0 * configurations(len(parents)).float() - 1.0
    data = target.reshape(-1).float()
    makers = torch.optim.Adam(controller.parameters(), lr=options.rate, betas=(0.0, 0.9), fused=True)
    critics = torch.optim.Adam(critic.parameters(), lr=options.critic_rate, betas=(0.0, 0.9), fused=True)

    with one_thread(), counting("label controller, steps", options.steps, show=options.progress) as advance:
        for step in range(1, options.steps + 1):
            fall = (1.0 + math.cos(math.pi * (step - 1) / options.steps)) / 2.0
            makers.param_groups[0]["lr"] = options.rate * fall
            # The net is shifted anew for each step; its points stay evenly spread.
            shift = torch.rand(net.shape[1], generator=generator, dtype=torch.float32)
            law = controller.soft_joint(2.0 * ((net + 1.0) / 2.0 + shift).frac() - 1.0)
            for _ in range(options.critic_steps):
                scores, made = critic(cells), law.detach()
                # The Wasserstein gap over all cells, E_law[D] - E_data[D], plus the gradient penalty.
                gap = ((made - data) * scores).sum()
                _descend(critics, gap + options.penalty * cube_penalty(scores, (made + data) / 2))
            with torch.no_grad():
                scores = critic(cells)
            _descend(makers, -(law * scores).sum())
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(controller.parameters()), 1 - options.average)
            if step % options.check_every == 0 or step == options.steps:
                tvd = total_variation(pool_law(average, pool), target)
                advance((step - 1) % options.check_every + 1, f"label controller, TVD {tvd:.4f}, steps")
                if tvd <= options.target_tvd:
                    break
    return average


def _descend(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def cube_penalty(scores: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted sum of squared score differences along the label cube's edges, both (2^d,)."""
    d = len(scores).bit_length() - 1
    scores, weights = scores.reshape((2,) * d), (weights + FLOOR / len(weights)).reshape((2,) * d)
    edges = [
        ((weights.select(i, 0) + weights.select(i, 1)) * (scores.select(i, 1) - scores.select(i, 0)).square()).sum()
        for i in range(d)
    ]
    return torch.stack(edges).sum()


def noise_pool(noise: int, points: int, generator: torch.Generator) -> torch.Tensor:
    """Draw (points, noise) float32 scrambled Sobol points in (-1, 1)."""
    seed = int(torch.randint(2**31, (), generator=generator, dtype=torch.int64))
    return 2.0 * SobolEngine(noise, scramble=True, seed=seed).draw(points, dtype=torch.float32) - 1.0


def pool_law(controller: Controller, pool: torch.Tensor) -> torch.Tensor:
    """Return the joint label distribution over the noise pool, (2,)*d float64, exactly."""
    table = controller.joint([bits.double().mean(1) for bits in controller.bits(pool)])
    return table.reshape((2,) * (len(table).bit_length() - 1))


def _check_size(graph: CausalGraph, parents: list[tuple[int, ...]]) -> None:
    if len(parents) > MAX_LABELS:
        raise IntractableError(
            f"method 'adversarial' scores all 2^{len(parents)} label rows of graph {graph.name!r}: "
            f"at most {MAX_LABELS} nodes; method 'likelihood' has no such limit"
        )
    for node, above in zip(graph.nodes, parents, strict=True):
        if len(above) > MAX_PARENTS:
            raise IntractableError(
                f"method 'adversarial' tabulates every parent configuration, and {node!r} has {len(above)} parents: "
                f"at most {MAX_PARENTS}; method 'likelihood' has no such limit"
            )

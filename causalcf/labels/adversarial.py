"""CausalGAN's Causal Controller (Kocaoglu et al., 2018, section 4), trained against one critic.
It uses hard labels, exact sums over all 2^d cells, and a penalty on the label cube's edges.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch.quasirandom import SobolEngine

from ..errors import CausalCFError, IntractableError, unknown
from ..graph.graph import CausalGraph
from ..io.progress import training_line
from ..io.threads import one_thread
from ..randomness import fresh
from .controller import Controller, Critic
from .counterfactuals import parent_indices
from .distance import empirical_joint, total_variation
from .evidence import configurations
from .mechanisms import ResponseMechanism
from .scm import LabelSCM

MAX_LABELS = 12  # the critic scores all 2^d cells
MAX_PARENTS = 10  # a response table holds 2^p rows of POOL bits
POOL = 2**14  # noise points of the fitted mechanisms
CHECK_POOL = 2**13  # noise points of the TVD on the way
FLOOR = 0.1  # share of a uniform law in the penalty's weights: cells that neither law visits stay smooth


@dataclass(frozen=True)
class ControllerOptions:
    """Training options of the Causal Controller.

    Args:
        steps: maximum number of controller steps.
        target_tvd: training stops once the total variation distance to the table is at most this.
        points: noise points z in each step, at least 2.
        critic_steps: critic steps for each controller step.
        rate, critic_rate: Adam's learning rates. The controller's rate falls to zero along a cosine.
        penalty: weight of the gradient penalty.
        average: decay of the EMA weights, for each controller step.
        check_every: controller steps between two measurements of the total variation distance.
        progress: show a progress line on stderr.
    """

    steps: int = 4000
    target_tvd: float = 0.01
    points: int = 256
    critic_steps: int = 5
    rate: float = 1e-3
    critic_rate: float = 1e-3
    penalty: float = 0.1
    average: float = 0.995
    check_every: int = 200
    progress: bool = True

    def validate(self) -> None:
        for name, least in (("steps", 1), ("points", 2), ("critic_steps", 1), ("check_every", 1)):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= least):
                raise CausalCFError(f"{name}={value!r}: expected a whole number, at least {least}")
        for name in ("rate", "critic_rate", "penalty"):
            if not getattr(self, name) > 0:
                raise CausalCFError(f"{name}={getattr(self, name)!r}: expected a positive number")
        for name in ("target_tvd", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise CausalCFError(f"{name}={getattr(self, name)!r}: expected a number in [0, 1)")


def fit_controller(
    graph: CausalGraph, labels: torch.Tensor, *, generator: torch.Generator | None = None, **options: Any
) -> LabelSCM:
    """Train a Causal Controller and return its networks, on 2^14 noise points, as a `LabelSCM`."""
    chosen = _options(options)
    parents = parent_indices(graph)
    _check_size(graph, parents)
    generator = fresh(generator)
    target = empirical_joint(labels)
    controller = train_controller(parents, target, chosen, generator)
    bits = controller.bits(noise_pool(controller.noise, POOL, generator))
    return LabelSCM(graph, {node: ResponseMechanism(b) for node, b in zip(graph.nodes, bits, strict=True)})


def train_controller(
    parents: list[tuple[int, ...]], target: torch.Tensor, options: ControllerOptions, generator: torch.Generator
) -> Controller:
    """Train the networks on the (2,)*d joint table `target`; return them with EMA weights."""
    controller = Controller(parents, generator)
    critic = Critic(len(parents), generator)
    average = copy.deepcopy(controller).requires_grad_(False)
    pool = noise_pool(controller.noise, CHECK_POOL, generator)
    net = noise_pool(controller.noise, options.points, generator)
    cells = 2.0 * configurations(len(parents)).float() - 1.0
    data = target.reshape(-1).float()
    makers = torch.optim.Adam(controller.parameters(), lr=options.rate, betas=(0.0, 0.9), fused=True)
    critics = torch.optim.Adam(critic.parameters(), lr=options.critic_rate, betas=(0.0, 0.9), fused=True)

    with one_thread(), training_line(options.steps, options.progress) as report:
        for step in range(1, options.steps + 1):
            fall = (1.0 + math.cos(math.pi * (step - 1) / options.steps)) / 2.0
            makers.param_groups[0]["lr"] = options.rate * fall
            z = _shifted(net, generator)
            law = controller.soft_joint(z)
            for _ in range(options.critic_steps):
                _descend(critics, _critic_loss(critic(cells), law.detach(), data, options.penalty))
            with torch.no_grad():
                scores = critic(cells)
            _descend(makers, -(law * scores).sum())
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(controller.parameters()), 1 - options.average)
            if step % options.check_every == 0 or step == options.steps:
                tvd = total_variation(pool_law(average, pool), target)
                report(step, tvd)
                if tvd <= options.target_tvd:
                    break
    return average


def _descend(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _critic_loss(scores: torch.Tensor, law: torch.Tensor, data: torch.Tensor, penalty: float) -> torch.Tensor:
    """Return the Wasserstein gap over all cells, E_law[D] - E_data[D], plus the gradient penalty."""
    return ((law - data) * scores).sum() + penalty * cube_penalty(scores, (law + data) / 2)


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


def _shifted(net: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return a randomly shifted copy of points in (-1, 1)^k; together they stay evenly spread."""
    shift = torch.rand(net.shape[1], generator=generator, dtype=torch.float32)
    return 2.0 * ((net + 1.0) / 2.0 + shift).frac() - 1.0


def pool_law(controller: Controller, pool: torch.Tensor) -> torch.Tensor:
    """Return the joint label distribution over the noise pool, (2,)*d float64, exactly."""
    table = controller.joint([bits.double().mean(1) for bits in controller.bits(pool)])
    return table.reshape((2,) * (len(table).bit_length() - 1))


def _options(options: dict[str, Any]) -> ControllerOptions:
    names = [field.name for field in fields(ControllerOptions)]
    for name in options:
        if name not in names:
            raise CausalCFError(unknown("option of method 'adversarial'", name, names))
    chosen = ControllerOptions(**options)
    chosen.validate()
    return chosen


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

"""A world small enough to be known: images that show their noise or labels, and a reader that sees them exactly."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from causalcf.constraints.constraint import StatementConstraint
from causalcf.constraints.costs import Costs, Multipliers, RunningMeans, Targets
from causalcf.constraints.sources import LabelledSource, ReplaySource, Source, questions_of
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.language.statement import Statement

GRAPH = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"]})
TABLES = {"Young": 0.7, "Male": 0.4, "Bald": [[0.001, 0.0], [0.3, 0.02]]}  # Bald by Male, Young
OLD_MAN = Statement({"Young": 1, "Male": 1}, {"Young": 0}, "might", {"Bald": 1})


def law() -> LabelSCM:
    return LabelSCM.from_probabilities(GRAPH, TABLES)


class Generator(nn.Module):
    """Smooth: (n, k + d) to images (n, 3, 2, 2) in (-1, 1)."""

    def __init__(self, inputs: int, seed: int = 0) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(inputs, 12, generator=draw, dtype=torch.float64) / 3)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        both = torch.cat([noise, labels], 1).to(self.weight)
        return torch.tanh(both @ self.weight).view(-1, 3, 2, 2)


class Reader:
    """A frozen smooth classifier of three labels."""

    def __init__(self, sharpness: float = 3.0) -> None:
        draw = torch.Generator().manual_seed(9)
        self.weight = sharpness * torch.randn(12, 3, generator=draw, dtype=torch.float64)

    def logits(self, images: Tensor) -> Tensor:
        return (images.flatten(1).to(self.weight) * 2 - 1) @ self.weight


def telling(
    statements: dict[str, Statement],
    labelled: bool = True,
    noise_dim: int = 4,
    stickiness: float = 0.53,
    decay: float = 0.9,
    slack: float = 0.01,
    keep: float = 1.0,
    contrast: float = 1.0,
    calibration: float = 1.0,
    size: int = 16,
    share: float = 1e9,
) -> StatementConstraint:
    mode = None if labelled else "observe"
    questions = questions_of(statements, GRAPH, keep, 0.0, mode)
    random = torch.Generator().manual_seed(5)
    source: Source
    if labelled:
        source = LabelledSource(law(), noise_dim, stickiness, questions, random)
    else:
        source = ReplaySource(GRAPH.nodes, noise_dim, stickiness, size, questions)
    return StatementConstraint(
        questions,
        source,
        Costs(Targets(law(), GRAPH.nodes, stickiness), contrast, calibration, RunningMeans(decay)),
        Reader(),
        "toy",
        Multipliers(0.1, 1.0, slack),
        1,
        size,
        share,
        0,
        torch.device("cpu"),
        "float32",
        random,
    )


def about_smiles() -> Statement:
    """A statement that a reader of one half everywhere satisfies, contrast and all."""
    return replace(OLD_MAN, given={}, consequent={"Male": 1})

"""Likelihood fits of a node with many parents: a logistic regression, then a small network."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ..io.threads import one_thread
from .mechanisms import NeuralMechanism

HIDDEN = 24
BATCH = 1024
STEPS = 1200
RATE = 4e-3
RIDGE = 1.0  # a standard normal prior on every weight: keeps them finite where a parent decides the label
NEWTON_STEPS = 12


def fit_neural(label: torch.Tensor, parents: torch.Tensor, hidden: int = HIDDEN) -> NeuralMechanism:
    """Fit P(label=1 | parents) as sigmoid(bias + w.x + v.tanh(W x + c)), deterministically."""
    x = 2.0 * parents.double() - 1.0
    weights = _logistic(x, label.double())
    generator = torch.Generator().manual_seed(0)
    p = x.shape[1]
    start = NeuralMechanism(
        weights[-1],
        weights[:-1],
        torch.randn(hidden, p, generator=generator, dtype=torch.float64) / math.sqrt(p),
        torch.randn(hidden, generator=generator, dtype=torch.float64),
        torch.zeros(hidden, dtype=torch.float64),
    )
    if not hidden:
        return start
    with one_thread():
        return _train(start, x.float(), label.float(), generator)


def _logistic(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Fit a ridge logistic regression by damped Newton steps; (p + 1,) weights, the intercept last."""
    design = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    ridge = torch.full((design.shape[1],), RIDGE, dtype=x.dtype)
    ridge[-1] = 1e-6  # the intercept is free
    weights = torch.zeros_like(ridge)
    weights[-1] = torch.logit(y.mean().clamp(1 / (len(y) + 1), 1 - 1 / (len(y) + 1)))

    def objective(w: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(design @ w, y, reduction="sum") + (ridge * w * w).sum() / 2

    value = objective(weights)
    for _ in range(NEWTON_STEPS):
        p = torch.sigmoid(design @ weights)
        gradient = design.T @ (p - y) + ridge * weights
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + torch.diag(ridge)
        step = torch.linalg.solve(curvature, gradient)
        scale = 1.0
        while scale > 1e-3 and objective(weights - scale * step) > value:
            scale /= 2
        weights = weights - scale * step
        before, value = value, objective(weights)
        if before - value < 1e-6 * value:
            break
    return weights


def _train(start: NeuralMechanism, x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> NeuralMechanism:
    parts = (start.bias, start.linear, start.hidden, start.shift, start.output)
    bias, linear, hidden, shift, output = (part.float().requires_grad_() for part in parts)
    weights = [bias, linear, hidden, shift, output]
    optimiser = torch.optim.Adam(weights, lr=RATE)
    epochs = math.ceil(STEPS / math.ceil(len(x) / BATCH))
    steps = epochs * math.ceil(len(x) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            batch = x[rows]
            logit = bias + batch @ linear + torch.tanh(batch @ hidden.T + shift) @ output
            prior = sum(w.square().sum() for w in (linear, hidden, output)) * (RIDGE / 2 / len(x))
            loss = binary_cross_entropy_with_logits(logit, y[rows]) + prior
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return NeuralMechanism(bias, linear, hidden, shift, output)

"""From a network's logits to probabilities: the known shift taken off, then a temperature and an offset an attribute.

    evidence = logit - shift of the loss weights - log-odds(base rate)        a log likelihood ratio
    log-odds = evidence / temperature + offset + log-odds(base rate)

The temperature scales the evidence, not the log-odds: an attribute that cannot be read ends at its base rate and not
at one half. A temperature alone cannot move the base rate, which is why the shift of the weights is taken off exactly
and a small offset is fitted beside it (Guo et al. 2017; Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

LEAST_SCALE = 0.01  # a temperature of 100: no evidence at all
SCALE_SPREAD, OFFSET_SPREAD = 1.0, 0.5  # standard deviations of the normal priors of 1 / temperature and offset


@dataclass(frozen=True)
class Calibration:
    """log-odds = scale * logit + shift, one of each an attribute.

    Args:
        scale: (d,) float64, the inverse of the temperature.
        shift: (d,) float64.
    """

    scale: Tensor
    shift: Tensor

    @property
    def temperature(self) -> Tensor:
        """(d,) float64; above 1 for a network that is too sure of itself."""
        return 1 / self.scale

    def log_odds(self, logits: Tensor) -> Tensor:
        """Calibrated log-odds of (n, d) logits, in their own precision and on their own device."""
        return logits * self.scale.to(logits) + self.shift.to(logits)

    def loss(self, logits: Tensor, labels: Tensor) -> float:
        """Mean cross-entropy of the calibrated probabilities, in nats a label."""
        return float(binary_cross_entropy_with_logits(self.log_odds(logits.double()), labels.double()))

    def select(self, columns: list[int]) -> Calibration:
        """The calibration of some of the attributes."""
        return Calibration(self.scale[columns], self.shift[columns])


def fit_calibration(logits: Tensor, labels: Tensor, rates: Tensor, shift: Tensor) -> Calibration:
    """The most probable temperature and offset of each attribute.

    The likelihood is that of held-out labels; the priors, 1 / temperature ~ N(1, 1) and offset ~ N(0, .5), weigh as
    much as a handful of images and keep an attribute finite that the network reads without error.

    Args:
        logits, labels: (n, d) of images that the network did not learn from.
        rates: (d,) base rates of the data learned from, in (0, 1).
        shift: (d,) what the loss weights added to the log-odds.

    Source: temperature scaling, Guo, Pleiss, Sun, Weinberger (2017); here on the evidence, with an offset.

    Example:
        >>> labels = torch.tensor([[0.0], [1.0]]).repeat(500, 1)
        >>> sure = torch.where(torch.arange(1000) % 10 < 8, 1.0, -1.0)[:, None] * (labels * 2 - 1) * 9  # 80 % right
        >>> half, none = torch.tensor([0.5], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        >>> fitted = fit_calibration(sure, labels, half, none)
        >>> round(float(fitted.log_odds(torch.tensor([[9.0]])).sigmoid()), 2)
        0.8
    """
    prior = rates.double().logit()
    evidence = logits.double() - shift.double() - prior
    scale, offset = _newton(evidence, labels.double(), prior)
    return Calibration(scale, offset + prior - scale * (shift.double() + prior))


def _newton(evidence: Tensor, labels: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Newton's method for all attributes at once, in two parameters each, halving steps that climb."""
    scale, offset = torch.ones_like(prior), torch.zeros_like(prior)
    best = _penalised(evidence, labels, prior, scale, offset)
    for _ in range(100):
        d_scale, d_offset = _step(evidence, labels, prior, scale, offset)
        length = torch.ones_like(prior)
        for _ in range(30):
            tried = (scale - length * d_scale).clamp_min(LEAST_SCALE), offset - length * d_offset
            value = _penalised(evidence, labels, prior, *tried)
            worse = value > best + 1e-12 * best.abs()
            if not bool(worse.any()):
                break
            length = torch.where(worse, length / 2, length)
        better = value < best
        moved = torch.maximum((tried[0] - scale).abs(), (tried[1] - offset).abs())[better]
        scale, offset = torch.where(better, tried[0], scale), torch.where(better, tried[1], offset)
        best = torch.where(better, value, best)
        if len(moved) == 0 or float(moved.max()) < 1e-10:
            break
    return scale, offset


def _penalised(evidence: Tensor, labels: Tensor, prior: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Minus the log posterior of each attribute, (d,), up to a constant."""
    log_odds = scale * evidence + offset + prior
    misfit = (softplus(log_odds) - labels * log_odds).sum(0)
    return misfit + ((scale - 1) / SCALE_SPREAD) ** 2 / 2 + (offset / OFFSET_SPREAD) ** 2 / 2


def _step(evidence: Tensor, labels: Tensor, prior: Tensor, scale: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Newton's step in (scale, offset); a scale held at its bound stays there."""
    p = (scale * evidence + offset + prior).sigmoid()
    curve = p * (1 - p)
    g_scale = ((p - labels) * evidence).sum(0) + (scale - 1) / SCALE_SPREAD**2
    g_offset = (p - labels).sum(0) + offset / OFFSET_SPREAD**2
    h_scale = (curve * evidence**2).sum(0) + 1 / SCALE_SPREAD**2
    h_both = (curve * evidence).sum(0)
    h_offset = curve.sum(0) + 1 / OFFSET_SPREAD**2
    held = (scale <= LEAST_SCALE) & (g_scale > 0)
    g_scale, h_both = torch.where(held, 0.0, g_scale), torch.where(held, 0.0, h_both)
    determinant = h_scale * h_offset - h_both**2
    return (h_offset * g_scale - h_both * g_offset) / determinant, (h_scale * g_offset - h_both * g_scale) / determinant

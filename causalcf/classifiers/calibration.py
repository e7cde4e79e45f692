"""Calibration per attribute: subtract the known shift of the loss weights, then fit two parameters.
The temperature scales the evidence, so an unreadable attribute ends at its base rate, not at 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

MIN_SCALE = 0.01  # a temperature of 100: no evidence at all
SCALE_SPREAD, OFFSET_SPREAD = 1.0, 0.5  # standard deviations of the normal priors of 1 / temperature and offset


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds = scale * logit + shift, one (d,) float64 scale and shift per attribute."""

    scale: Tensor
    shift: Tensor

    @property
    def temperature(self) -> Tensor:
        """Return the temperatures, (d,) float64; above 1 where the network is overconfident."""
        return 1 / self.scale

    def log_odds(self, logits: Tensor) -> Tensor:
        """Return calibrated log-odds of (n, d) logits, in the logits' dtype and on their device."""
        return logits * self.scale.to(logits) + self.shift.to(logits)

    def loss(self, logits: Tensor, labels: Tensor) -> float:
        """Return the mean cross-entropy of the calibrated probabilities, in nats per label."""
        return float(binary_cross_entropy_with_logits(self.log_odds(logits.double()), labels.double()))

    def select(self, columns: list[int]) -> Calibration:
        return Calibration(self.scale[columns], self.shift[columns])


def fit_calibration(logits: Tensor, labels: Tensor, rates: Tensor, shift: Tensor) -> Calibration:
    """Fit temperature and offset per attribute by MAP on held-out images (Guo et al. 2017; Platt 1999)."""
    prior = rates.double().logit()
    evidence = logits.double() - shift.double() - prior
    scale, offset = _newton(evidence, labels.double(), prior)
    return Calibration(scale, offset + prior - scale * (shift.double() + prior))


def _newton(evidence: Tensor, labels: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Minimise `_penalised` for all attributes at once by Newton's method with step halving."""
    scale, offset = torch.ones_like(prior), torch.zeros_like(prior)
    best = _penalised(evidence, labels, prior, scale, offset)
    for _ in range(100):
        d_scale, d_offset = _step(evidence, labels, prior, scale, offset)
        length = torch.ones_like(prior)
        for _ in range(30):
            tried = (scale - length * d_scale).clamp_min(MIN_SCALE), offset - length * d_offset
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
    """Return the negative log posterior of each attribute, (d,), up to a constant."""
    log_odds = scale * evidence + offset + prior
    misfit = (softplus(log_odds) - labels * log_odds).sum(0)
    return misfit + ((scale - 1) / SCALE_SPREAD) ** 2 / 2 + (offset / OFFSET_SPREAD) ** 2 / 2


def _step(evidence: Tensor, labels: Tensor, prior: Tensor, scale: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Return Newton's step in (scale, offset); a scale fixed at its bound stays there."""
    p = (scale * evidence + offset + prior).sigmoid()
    curve = p * (1 - p)
    g_scale = ((p - labels) * evidence).sum(0) + (scale - 1) / SCALE_SPREAD**2
    g_offset = (p - labels).sum(0) + offset / OFFSET_SPREAD**2
    h_scale = (curve * evidence**2).sum(0) + 1 / SCALE_SPREAD**2
    h_both = (curve * evidence).sum(0)
    h_offset = curve.sum(0) + 1 / OFFSET_SPREAD**2
    held = (scale <= MIN_SCALE) & (g_scale > 0)
    g_scale, h_both = torch.where(held, 0.0, g_scale), torch.where(held, 0.0, h_both)
    determinant = h_scale * h_offset - h_both**2
    return (h_offset * g_scale - h_both * g_offset) / determinant, (h_scale * g_offset - h_both * g_scale) / determinant

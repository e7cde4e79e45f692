"""Calibration per attribute: subtract the known shift of the loss weights, then fit two parameters.
The temperature scales the evidence, so an unreadable attribute ends at its base rate, not at 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

MIN_SCALE = 0.01  # a temperature of 100: no evidence at all
CENTRE, SPREAD = np.array([1.0, 0.0]), np.array([1.0, 0.5])  # normal priors of 1 / temperature and offset


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
    columns = zip(evidence.T.numpy(), labels.T.double().numpy(), prior.tolist(), strict=True)
    scale, offset = torch.from_numpy(np.stack([_most_probable(*column) for column in columns], 1))
    return Calibration(scale, offset + prior - scale * (shift.double() + prior))


def _most_probable(evidence: np.ndarray, labels: np.ndarray, prior: float) -> np.ndarray:
    """Return the scale and offset of one attribute that minimise the negative log posterior."""

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = at[0] * evidence + at[1] + prior
        error = expit(log_odds) - labels
        off, spread = at - CENTRE, SPREAD**2
        value = (np.logaddexp(0, log_odds) - labels * log_odds).sum() + (off**2 / spread).sum() / 2
        return float(value), np.array([error @ evidence, error.sum()]) + off / spread

    bounds = ((MIN_SCALE, None), (None, None))
    tight = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000}
    with np.errstate(invalid="ignore"):  # logits that have diverged are reported by who trains
        found = minimize(loss, CENTRE, jac=True, method="L-BFGS-B", bounds=bounds, options=tight)
    return np.asarray(found.x)

"""A trained classifier of attributes, images in and probabilities out, and its calibration per attribute:
subtract the known shift of the loss weights, then fit two parameters. The temperature scales the evidence, so an
unreadable attribute ends at its base rate, not at 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..checks import as_names, check_floats
from ..data.images import DataSource
from ..errors import CausalCFError, unknown

CHUNK = 256  # images read at a time
SIDE = 64  # pixels
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


@dataclass(frozen=True, eq=False)
class AttributeClassifier:
    """Classifier that gives P(attribute = 1 | image) for each of d attributes.

    Call it on images for probabilities, or call `logits` for differentiable log-odds. If a mirrored image keeps its
    labels, the classifier averages the logits of the image and of its mirror image. The result for one image does not
    depend on the other images of the batch, except for rounding.

    Args:
        attributes: the d names, in the order of the columns.
        network: maps (n, 3, 64, 64) images in [-1, 1] to logits of at least these attributes; frozen, in eval mode.
        columns: positions of these attributes among the network's logits.
        calibration: maps logits to log-odds.
        base_rates: share of the training images in which each attribute is 1. As thresholds, these rates give the
            highest balanced accuracy; the threshold 0.5 gives the highest accuracy.
        mirror: whether the logits of the mirror image are averaged in.
        architecture: the network's name and width, as in `build_network`.
        trained_on: the data it was trained on; None if unknown.

    Examples:
        >>> classify = load_classifier("celeba").select(["Male", "Smiling"])  # doctest: +SKIP
        >>> classify(torch.rand(5, 3, 64, 64)).shape                          # doctest: +SKIP
        torch.Size([5, 2])
    """

    attributes: tuple[str, ...]
    network: nn.Module
    columns: tuple[int, ...]
    calibration: Calibration
    base_rates: tuple[float, ...]
    mirror: bool
    architecture: tuple[str, int]
    trained_on: DataSource | None = None

    @property
    def device(self) -> torch.device:
        """Return the device of the network."""
        return next(self.network.parameters()).device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return calibrated probabilities of (n, 3, 64, 64) images in [0, 1]: (n, d) float32, on the CPU."""
        return self.logits(images).sigmoid().cpu()

    def logits(self, images: Tensor) -> Tensor:
        """Return calibrated log-odds, (n, d) float32 on the classifier's device, differentiable in the images.

        Raises:
            CausalCFError: the images have another shape, type or range.
        """
        check_images(images)
        return torch.cat([self._read(part) for part in images.split(CHUNK)])

    def labels(self, images: Tensor) -> Tensor:
        """Return the more likely value of each attribute, (n, d) int8: 1 where the probability exceeds 0.5."""
        return (self(images) > 0.5).to(torch.int8)

    def select(self, names: Sequence[str]) -> AttributeClassifier:
        """Return a classifier of these attributes only, in this order; it shares the network.

        Raises:
            CausalCFError: the classifier lacks one of the attributes; the message names the nearest.
        """
        names = as_names("names", names)
        for name in names:
            if name not in self.attributes:
                raise CausalCFError("this classifier: " + unknown("attribute", name, self.attributes))
        places = [self.attributes.index(name) for name in names]
        return replace(
            self,
            attributes=tuple(names),
            columns=tuple(self.columns[i] for i in places),
            calibration=self.calibration.select(places),
            base_rates=tuple(self.base_rates[i] for i in places),
        )

    def _read(self, images: Tensor) -> Tensor:
        scaled = images.to(self.device, torch.float32).mul(2).sub(1).contiguous(memory_format=torch.channels_last)
        return self.calibration.log_odds(raw_logits(self.network, scaled, self.mirror)[:, list(self.columns)])


def data_caveat(classifier: AttributeClassifier, name: str, data: DataSource, owner: str) -> str:
    """Return a sentence if the classifier of this name was not trained on these data of `owner`, else ""."""
    if classifier.trained_on is None:
        return f"{name} does not say what data it was trained on"
    if classifier.trained_on.same_as(data):
        return ""
    return (
        f"{name} was trained on other data, {classifier.trained_on}, than {owner}, {data}: the same label names may "
        "mean other things there"
    )


def raw_logits(network: nn.Module, images: Tensor, mirror: bool) -> Tensor:
    """Return the network's logits of images in [-1, 1], averaged with the mirror image's if `mirror`."""
    logits = network(images)
    return (logits + network(images.flip(3))) / 2 if mirror else logits


def check_images(images: Tensor) -> None:
    """Check that images are (n, 3, 64, 64) floats in [0, 1]."""
    check_floats("images", images, (None, 3, SIDE, SIDE), f"(n, 3, {SIDE}, {SIDE})")
    if len(images) == 0:
        return
    low, high = images.detach().aminmax()
    if not (float(low) >= -1e-4 and float(high) <= 1 + 1e-4):  # also false for NaN
        raise CausalCFError(
            f"images have values from {float(low):.3g} to {float(high):.3g}; expected [0, 1] (of a tanh output x, "
            "(x + 1) / 2; of 0 to 255, x / 255)"
        )


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

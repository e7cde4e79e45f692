"""Losses on labels that a network reads in images: CausalGAN's (Kocaoglu et al. 2018, eq. 5), InfoGAN's on noise (Chen
et al. 2016), and those of statement constraints on the mean probability of a group, 0 where satisfied (Xu et al. 2018,
Di Liello et al. 2020, Fischer et al. 2019 (DL2), Xia et al. 2024 (soft targets)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from ..language.modals import Interval

FLOOR = 0.01  # readings are kept this far from 0 and 1, where log-odds have no bound
SHARPNESS = 2.0  # of the hinge: its slope is 1/2 at the threshold and 1 far beyond it


def label_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the (n,) cross-entropy of (n, d) logits and 0/1 labels, in nats, summed over the labels."""
    return binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none").sum(1)


def anti_labeler_weight(images: int, decay: float) -> float:
    """Return the Anti-Labeler's weight exp(-images / decay), which fades during training."""
    return math.exp(-images / decay)


def noise_error(estimate: Tensor, noise: Tensor) -> Tensor:
    """Return the (n,) mean squared error divided by the variance of uniform(-1, 1); 1 if uninformative."""
    return (estimate.float() - noise[:, : estimate.shape[1]]).square().mean(1) * 3


def hinge(short: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """Return (softplus(b x) - log 2) / b where the shortfall x is positive, else 0; b is the sharpness."""
    return (softplus(sharpness * short) - math.log(2)).clamp(min=0) / sharpness


def joint_probability(probabilities: Tensor, wanted: Mapping[int, int]) -> Tensor:
    """Return (m,) P(all wanted labels | image), for labels that are independent given the image."""
    columns = [probabilities[:, i] if value else 1 - probabilities[:, i] for i, value in wanted.items()]
    return torch.stack(columns).prod(0)


def modal_loss(q: Tensor, interval: Interval) -> Tensor:
    """Return how far the group mean q misses the modal's interval, in log-odds; 0 where it is met."""
    missing = logit(q.new_tensor(interval.threshold)) - logit(q)
    at_least = interval.threshold == interval.low and (interval.low > 0 or interval.low_open)
    return hinge(missing if at_least else -missing)


def contrast_loss(after: Tensor, before: Tensor, known: float, interval: Interval) -> Tensor:
    """Return the modal loss of known + after - before: the antecedent itself must make the difference."""
    return modal_loss(known + after - before, interval)


def agreement_loss(reading: Tensor, target: Tensor) -> Tensor:
    """Return KL(target || reading) of Bernoulli means, elementwise, in nats; no gradient to the target."""
    t, p = inside(target.detach()), inside(reading)
    return t * (t.log() - p.log()) + (1 - t) * ((1 - t).log() - (1 - p).log())


def logit(q: Tensor) -> Tensor:
    """Return the log-odds of q, with q kept `FLOOR` away from 0 and 1."""
    q = inside(q)
    return q.log() - (1 - q).log()


def inside(q: Tensor) -> Tensor:
    """Keep q `FLOOR` away from 0 and 1, with the gradient of q itself, also outside that range."""
    return q + (q.clamp(FLOOR, 1 - FLOOR) - q).detach()

"""What a counterfactual statement costs a generator: terms on the mean reading of a group of units.

    q        = mean over the group of P(consequent | image), by a frozen classifier
    modal    : hinge(logit(tau) - logit(q))                     tau: the modal's threshold; signs turned for "not"
    contrast : hinge(logit(tau) - logit(p + q* - q))            q*, q: counterfactual, actual; p: known before
    agree    : KL(target || reading) of Bernoulli means

The mean is taken before the hinge: a hinge on each unit would turn "might" into "would". Every term is 0 where it is
satisfied, and so is its gradient. Nothing here knows a network.

Sources: semantic loss on a generator (Xu et al. 2018; Di Liello et al. 2020), a hinge on a logical threshold (Fischer
et al. 2019, DL2), soft targets against attribute amplification (Xia et al. 2024).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ..statement_modals import Interval

FLOOR = 0.01  # readings are kept this far from 0 and 1, where log-odds have no bound
SHARPNESS = 2.0  # of the hinge: its slope is 1/2 at the threshold and 1 far beyond it


def hinge(short: Tensor, sharpness: float = SHARPNESS) -> Tensor:
    """softplus(b x) / b, less its value at 0, where x is above 0; exactly 0 elsewhere.

    Args:
        short: any shape, by how much the threshold is missed; negative where it is met.
        sharpness: b, above 0.
    """
    return (softplus(sharpness * short) - math.log(2)).clamp(min=0) / sharpness


def joint_probability(probabilities: Tensor, wanted: Mapping[int, int]) -> Tensor:
    """(m,) P(all wanted | image), labels being independent given the image.

    Args:
        probabilities: (m, d) P(label = 1 | image).
        wanted: column -> 0 or 1.
    """
    columns = [probabilities[:, i] if value else 1 - probabilities[:, i] for i, value in wanted.items()]
    return torch.stack(columns).prod(0)


def modal_loss(q: Tensor, interval: Interval) -> Tensor:
    """How far a group is from what the modal asks, in log-odds; 0 where it is met.

    Args:
        q: the group's mean probability of the consequent, a scalar.
        interval: of probabilities that satisfy the modal.
    """
    missing = logit(q.new_tensor(interval.threshold)) - logit(q)
    return hinge(missing if _is_lower_bound(interval) else -missing)


def contrast_loss(after: Tensor, before: Tensor, known: float, interval: Interval) -> Tensor:
    """How far what was known, plus the change from the actual world, is from what the modal asks; 0 where it is met.

    The antecedent must make the difference, on the same noise, and not the base rate.

    Args:
        after, before: mean probability of the consequent in the counterfactual and in the actual images, scalars.
        known: its probability in the actual world by what is given, in [0, 1].
        interval: of probabilities that satisfy the modal.
    """
    return modal_loss(known + after - before, interval)


def agreement_loss(reading: Tensor, target: Tensor) -> Tensor:
    """KL(target || reading) of Bernoulli means, elementwise, in nats; 0 where they agree.

    Args:
        reading: probabilities read.
        target: probabilities wanted, of the same shape; no gradient.
    """
    t, p = inside(target.detach()), inside(reading)
    return t * (t.log() - p.log()) + (1 - t) * ((1 - t).log() - (1 - p).log())


def logit(q: Tensor) -> Tensor:
    """Log-odds, of q kept `FLOOR` from 0 and 1."""
    q = inside(q)
    return q.log() - (1 - q).log()


def inside(q: Tensor) -> Tensor:
    """q kept `FLOOR` from 0 and 1, with the gradient of q itself, so that a group beyond is still pulled back."""
    return q + (q.clamp(FLOOR, 1 - FLOOR) - q).detach()


def _is_lower_bound(interval: Interval) -> bool:
    return interval.threshold == interval.low and (interval.low > 0 or interval.low_open)

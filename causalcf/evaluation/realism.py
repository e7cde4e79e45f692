"""Distances between generated and real images as two sets of features: Fréchet and kernel distance.
Name the extractor, as in FD(judge residual 24); plain FID and KID mean Inception's features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes, qr
from scipy.stats import norm
from torch import Tensor

from ..errors import CausalCFError
from ..statistics.rates import Estimate, Rate, mean_estimate

BLOCK = 1024  # rows of a kernel matrix held at a time
NEIGHBOURS = 3


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Compute the squared Fréchet distance of (n, f) and (m, f) float64 features; biased upwards for few rows."""
    _check(a, b)
    x, y = a.numpy(), b.numpy()
    root_a, root_b = _root(x), _root(y)
    turn, _ = orthogonal_procrustes(root_a.T, root_b.T)
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.square(root_a.T @ turn - root_b.T).sum())


def kernel_distance(x: Tensor, y: Tensor) -> Estimate:
    """Estimate the unbiased squared MMD with kernel (x.y / f + 1)^3, with a 95 % jackknife interval; from 3 rows on."""
    _check(x, y)
    n, m = len(x), len(y)
    own_x, own_y = (_kernel_sums(z, z) - _kernel(z, z.square().sum(1)) for z in (x, y))
    cross_x, cross_y = _kernel_sums(x, y), _kernel_sums(y, x)
    both = float(cross_x.sum())

    def distance(x_pairs: Tensor, y_pairs: Tensor, cross: Tensor | float, n: int, m: int) -> Tensor:
        return x_pairs / (n * (n - 1)) + y_pairs / (m * (m - 1)) - 2 * cross / (n * m)

    value = float(distance(own_x.sum(), own_y.sum(), both, n, m))
    without_x = distance(own_x.sum() - 2 * own_x, own_y.sum(), both - cross_x, n - 1, m)
    without_y = distance(own_x.sum(), own_y.sum() - 2 * own_y, both - cross_y, n, m - 1)
    variance = sum((len(each) - 1) * float(each.var(correction=0)) for each in (without_x, without_y))
    reach = float(norm.ppf(0.975)) * math.sqrt(variance)
    return Estimate(value, value - reach, value + reach)


@dataclass(frozen=True)
class Manifold:
    """How two sets of features cover each other; intervals are over the images of the side that is counted."""

    precision: Rate  # generated images within reach of a real one: do single images look real?
    recall: Rate  # real images within reach of a generated one: is every kind of image made?
    density: Estimate  # real neighbourhoods that a generated image lies in, divided by k; 1 for the data themselves
    coverage: Rate  # real images with a generated one among their k nearest neighbours' distance

    def to_dict(self) -> dict[str, Any]:
        return {name: part.to_dict() for name, part in vars(self).items()}


def manifold(ours: Tensor, real: Tensor, k: int = NEIGHBOURS) -> Manifold:
    """Compare (n, f) features of generated images with (m, f) of real ones by their k nearest neighbours.

    Sources: precision and recall, Kynkaanniemi et al. (2019); density and coverage, Naeem et al. (2020).
    """
    _check(ours, real)
    if min(len(ours), len(real)) <= k:
        raise CausalCFError(f"{len(ours)} and {len(real)} images; {k} neighbours take at least {k + 1} on each side")
    own_reach, real_reach = (torch.cdist(side, side).kthvalue(k + 1, 1).values for side in (ours, real))
    apart = torch.cdist(ours, real)  # generated, real
    within = apart <= real_reach
    density = within.double().sum(1) / k
    return Manifold(
        Rate(int(within.any(1).sum()), len(ours)),
        Rate(int((apart <= own_reach[:, None]).any(0).sum()), len(real)),
        mean_estimate(density),
        Rate(int((apart.min(0).values <= real_reach).sum()), len(real)),
    )


def compare_features(ours: Tensor, real: Tensor, name: str) -> dict[str, Any]:
    """Return the distances and covers of (n, f) generated and (m, f) real features of this extractor, JSON-ready."""
    found: dict[str, Any] = {f"FD({name})": frechet_distance(ours, real)}
    found[f"KID({name})"] = kernel_distance(ours, real).to_dict()
    if min(len(ours), len(real)) > NEIGHBOURS:
        found |= {f"{key}({name})": part for key, part in manifold(ours, real).to_dict().items()}
    return found


def _root(x: np.ndarray) -> np.ndarray:
    """Return R, (f, f), with R'R the covariance of x; by QR of x, since x'x would halve the digits."""
    (upper,) = qr((x - x.mean(0)) / math.sqrt(len(x) - 1), mode="r")
    root = np.zeros((x.shape[1], x.shape[1]))
    root[: len(upper)] = upper[: x.shape[1]]
    return root


def _kernel(x: Tensor, products: Tensor) -> Tensor:
    return (products / x.shape[1] + 1) ** 3


def _kernel_sums(x: Tensor, y: Tensor) -> Tensor:
    """Return (n,), for each row of x the sum of its kernel with all rows of y."""
    return torch.cat([_kernel(part, part @ y.T).sum(1) for part in x.split(BLOCK)])


def _check(a: Tensor, b: Tensor) -> None:
    for name, side in (("first", a), ("second", b)):
        if not bool(side.isfinite().all()):
            raise CausalCFError(f"the {name} set of features has values that are not finite")

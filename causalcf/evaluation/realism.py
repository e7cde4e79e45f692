"""How far generated images are from real ones, as two sets of features: Fréchet and kernel distance.

Name the extractor with the figure, as in FD(judge residual 24); "FID" and "KID" alone mean Inception's features.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes, qr
from scipy.stats import norm
from torch import Tensor

from ..classifiers.estimate import Estimate
from ..errors import CausalCFError

BLOCK = 1024  # rows of a kernel matrix held at a time


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """The Fréchet distance of the normal laws with the two sets' means and covariances.

    |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)). The trace is the least |R_a - U R_b|^2 over orthogonal U,
    where R'R = S: a sum of squares, hence never complex and never negative, whatever the rank.

    It is biased upwards, the more so the fewer images, and has no interval: print beside it the distance of as many
    held-out real images from the same real images, which is what a perfect generator would score.

    Args:
        a: (n, f) features, n > 1.
        b: (m, f) features, m > 1.

    Returns:
        The distance (already squared, as is usual), at least 0, in squared units of the features.

    Raises:
        CausalCFError: features of other shapes, too few, or not finite.

    Source: Dowson and Landau (1982), equation 4; Heusel et al. (2017). Its bias: Bińkowski et al. (2018), section 4.

    Example:
        >>> square = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        >>> round(frechet_distance(square, square + torch.tensor([3.0, 4.0])), 6)
        25.0
    """
    x, y = (side.numpy() for side in _checked(a, b, at_least=2))
    root_a, root_b = _root(x), _root(y)
    turn, _ = orthogonal_procrustes(root_a.T, root_b.T)
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.square(root_a.T @ turn - root_b.T).sum())


def kernel_distance(a: Tensor, b: Tensor) -> Estimate:
    """The squared maximum mean discrepancy under the kernel (x.y / f + 1)^3, over all pairs and without bias.

    Being unbiased it is negative about half of the time where the two sets come from one law. The interval is the
    estimate with 1.96 jackknife standard errors either way. The jackknife errs upwards (Efron and Stein 1981): hardly
    where the laws differ clearly, and by about two fifths of the width where they do not differ at all.

    Args:
        a: (n, f) features of images drawn independently, n > 2.
        b: (m, f) features of images drawn independently of those, m > 2.

    Returns:
        The estimate with its 95 % interval, which may reach below 0.

    Raises:
        CausalCFError: features of other shapes, too few, or not finite.

    Source: Bińkowski et al. (2018), section 2.1; Gretton et al. (2012), lemma 6; the jackknife of a statistic of two
    samples: Arvesen (1969).

    Example:
        >>> a, b = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[3.0], [4.0], [5.0]])
        >>> round(kernel_distance(a, b).value, 6)
        4569.666667
    """
    x, y = _checked(a, b, at_least=3)
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


def _root(x: np.ndarray) -> np.ndarray:
    """A square R, (f, f), with R'R the covariance of x; from x itself, since squaring x would halve the digits."""
    (upper,) = qr((x - x.mean(0)) / math.sqrt(len(x) - 1), mode="r")
    root = np.zeros((x.shape[1], x.shape[1]))
    root[: len(upper)] = upper[: x.shape[1]]
    return root


def _kernel(x: Tensor, products: Tensor) -> Tensor:
    return (products / x.shape[1] + 1) ** 3


def _kernel_sums(x: Tensor, y: Tensor) -> Tensor:
    """(n,) for each row of x the sum of its kernel with all rows of y."""
    return torch.cat([_kernel(part, part @ y.T).sum(1) for part in x.split(BLOCK)])


def _checked(a: Tensor, b: Tensor, at_least: int) -> tuple[Tensor, Tensor]:
    for name, side in (("first", a), ("second", b)):
        if side.ndim != 2 or len(side) < at_least:
            allowed = f"expected (n, f) with n of at least {at_least}"
            raise CausalCFError(f"the {name} set of features has shape {tuple(side.shape)}; {allowed}")
        if not bool(side.isfinite().all()):
            raise CausalCFError(f"the {name} set of features has values that are not finite")
    if a.shape[1] != b.shape[1]:
        sizes = f"{a.shape[1]} and {b.shape[1]} features"
        raise CausalCFError(f"the two sets have {sizes} an image; expected the same extractor's for both")
    return a.detach().double().cpu(), b.detach().double().cpu()

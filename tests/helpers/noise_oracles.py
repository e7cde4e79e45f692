"""Toys whose noise posterior is known in closed form, and the exact tests of draws from it.

The image shows z, the classifier reads a weighted sum of it. Given which coordinates are kept, the others must make up
the rest; the law of a sum of uniforms is a polynomial, so the law of the kept set, and of the sum within it, is exact.
"""

import itertools
import math

import numpy as np
import torch
from scipy import stats

ALPHA = 1e-5  # of every statistical test
ATTRIBUTE = ["A"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def paint(noise):
    """(n, k) noise in (-1, 1) to (n, 3, 1, k) images that show it."""
    return ((noise + 1) / 2)[:, None, None, :].expand(-1, 3, 1, -1)


def tail(x, widths):
    """P(sum of independent uniforms on (-w, w) > x)."""
    n = len(widths)
    if n == 0:
        return float(x < 0)
    signs = np.array(list(itertools.product((1, -1), repeat=n)))
    powers = np.maximum(x + signs @ np.array(widths), 0) ** n
    return 1 - float((signs.prod(1) * powers).sum()) / (math.factorial(n) * np.prod(2 * np.array(widths)))


class Linear:
    """A: weights . z > cut, for z uniform on (-1, 1)^k; the classifier is sure to a degree."""

    def __init__(self, weights=(1.0, 0.7, 0.4), cut=1.4, z=(-0.6, 0.5, -0.2), sureness=8.0):
        self.weights, self.cut, self.sureness = np.array(weights), cut, sureness
        self.z = torch.tensor(z)

    def classify(self, images):
        sums = (images[:, 0, 0] * 2 - 1) @ torch.tensor(self.weights, dtype=images.dtype)
        return ((sums - self.cut) * self.sureness).sigmoid()[:, None]

    def masks(self, stickiness, per="dimension"):
        """Kept set -> (its probability under K_s and A together, what its coordinates give to the sum)."""
        k, z = len(self.weights), self.z.numpy()
        law = {}
        for mask in itertools.product((False, True), repeat=k):
            if per == "vector" and len(set(mask)) > 1:
                continue
            kept = np.array(mask)
            prior = stickiness ** kept.sum() * (1 - stickiness) ** (~kept).sum()
            if per == "vector":
                prior = stickiness if kept.all() else 1 - stickiness
            given = float((self.weights * z)[kept].sum())
            law[mask] = (prior * tail(self.cut - given, self.weights[~kept]), given)
        return law

    def probability(self, stickiness, per="dimension"):
        return sum(p for p, _ in self.masks(stickiness, per).values())

    def pvalues(self, noise, kept, stickiness, per="dimension"):
        """Of the kept sets (chi-square) and of the sum given the kept set (Kolmogorov-Smirnov on its exact law)."""
        law = self.masks(stickiness, per)
        return chi_square(kept, law), stats.kstest(self.ranks(noise, kept, law), "uniform").pvalue

    def ranks(self, noise, kept, law):
        """The sum's position in its exact law given A and the kept set: uniform, where anything is free."""
        ranks = []
        for row, mask in zip(noise.double().numpy(), map(tuple, kept.tolist()), strict=True):
            free = self.weights[~np.array(mask)]
            if len(free):
                given = law[mask][1]
                ranks.append(tail(row @ self.weights - given, free) / tail(self.cut - given, free))
        return ranks


def chi_square(kept, law):
    """p-value of the kept sets against their law; cells expected less than 5 times are pooled; 0 for the impossible."""
    total = sum(p for p, _ in law.values())
    rows = [tuple(row) for row in kept.tolist()]
    counts = {mask: rows.count(mask) for mask in law}
    expected = {mask: len(rows) * p / total for mask, (p, _) in law.items()}
    if sum(counts.values()) < len(rows) or any(counts[mask] and not expected[mask] for mask in law):
        return 0.0
    large = [mask for mask in law if expected[mask] >= 5]
    seen, wanted = [counts[m] for m in large], [expected[m] for m in large]
    rest = len(rows) - sum(wanted)
    if rest > 1e-9:
        seen, wanted = [*seen, len(rows) - sum(seen)], [*wanted, rest]
    return stats.chisquare(seen, wanted).pvalue if len(seen) > 1 else 1.0

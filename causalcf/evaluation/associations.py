"""What real images show of a pair of labels while all their other labels are the same.
A generator that draws its data faithfully shows it too, and a judge reads it as a leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

RESAMPLES = 500


def association(labels: Tensor, seen: Tensor, cause: int, weights: Tensor) -> Tensor:
    """Return (r, v) differences of mean (n, v) readings with and without a cause, among images alike in the rest.

    Images are compared within groups whose other labels, of (n, d), are the same; a group of a images with the cause
    and b without counts a b / (a + b). Each of (r, n) weights says how often each image is counted. NaN where no
    group has both.
    """
    others = torch.cat([labels[:, :cause], labels[:, cause + 1 :]], 1)
    groups, has = others.unique(dim=0, return_inverse=True)[1], labels[:, cause] == 1
    mixed = torch.tensor([value for value in groups[has].unique().tolist() if bool((groups[~has] == value).any())])
    members = (groups[:, None] == mixed).double()
    inside = members.any(1)
    values = torch.cat([torch.ones(len(seen), 1), seen], 1).double()

    def sums(rows: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.einsum("rn,ng,nv->rgv", weights[:, rows].double(), members[rows], values[rows])
        return found[:, :, :1], found[:, :, 1:]

    (a, with_cause), (b, without) = sums(has & inside), sums(~has & inside)
    share = a * b / (a + b).clamp(min=1)
    gap = with_cause / a.clamp(min=1) - without / b.clamp(min=1)
    return (share * gap).sum(1) / share.sum(1)


def resamples(n: int, draw: torch.Generator) -> Tensor:
    """Return (1 + RESAMPLES, n) counts of n images: each once, then as often as a bootstrap sample has it."""
    drawn = [torch.randint(n, (n,), generator=draw).bincount(minlength=n) for _ in range(RESAMPLES)]
    return torch.stack([torch.ones(n, dtype=torch.long), *drawn])


def associations(
    labels: Tensor, seen: Tensor, nodes: Sequence[str], pairs: Sequence[tuple[str, str]], draw: torch.Generator
) -> list[dict[str, Any]]:
    """Return the association of each (cause, effect), with a 95 % percentile interval over images; JSON-ready.

    Args:
        labels: (n, d) 0/1, of real images.
        seen: (n, d), what a judge reads in these images.
        nodes: the names of the d labels.

    Pairs for which no two images differ in the cause alone are left out.
    """
    found, weights = [], resamples(len(labels), draw)
    for cause in dict.fromkeys(cause for cause, _ in pairs):
        made = association(labels, seen, nodes.index(cause), weights)
        low, high = made[1:].nanquantile(torch.tensor([0.025, 0.975]).to(made), 0)
        for effect in (effect for other, effect in pairs if other == cause):
            value, *ends = (float(each[nodes.index(effect)]) for each in (made[0], low, high))
            if value == value:
                found.append({"cause": cause, "effect": effect, "value": value, "low": ends[0], "high": ends[1]})
    return found

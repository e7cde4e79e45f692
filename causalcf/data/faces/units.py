"""Faces as units of a known structural causal model: exogenous noise -> labels -> picture.

    label noise -> labels --+
                            +-> render -> image
    appearance noise -------+

Because all of it is known, so is the true counterfactual image of every face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...errors import DataError
from .person import LABELS, NOISE
from .renderer import render

if TYPE_CHECKING:
    from ...labels import LabelSCM


@dataclass(frozen=True)
class Units:
    """A batch of people; index with a slice, a list or a tensor for fewer of them.

    Args:
        labels: (n, 9) int8 0/1, in the order `LABELS`.
        label_noise: (n, 9) float64, the exogenous noise of the label law, in the order of its graph.
        noise: (n, K) float32 in (0, 1), the exogenous appearance, in the order `NOISE`.
        do: the interventions that these labels stand under, {name: (n,) int8}.
    """

    labels: Tensor
    label_noise: Tensor
    noise: Tensor
    do: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | list[int] | Tensor) -> Units:
        if isinstance(rows, int):
            raise DataError(f"unit {rows}: index with a slice, as in units[{rows}:{rows + 1}], for a batch of one")
        do = {name: value[rows] for name, value in self.do.items()}
        return Units(self.labels[rows], self.label_noise[rows], self.noise[rows], do)

    def images(self, size: int = 64) -> Tensor:
        """Their pictures, (n, 3, size, size) float32 in [0, 1]."""
        return render(self.labels, self.noise, size)


@cache
def law() -> LabelSCM:
    """The label law of `faces`: CelebA's own conditional probabilities on the graph `celeba`."""
    from ..law import celeba_law

    return celeba_law()


def sample_units(
    n: int,
    generator: torch.Generator,
    do: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Units:
    """Draw people from the law, after an intervention and under a condition.

    Args:
        n: how many.
        generator: source of all randomness.
        do, given: {name: 0 or 1, or an (n,) array}; `given` speaks of the world after `do`.

    Returns:
        n units; `law().respond(label_noise, do)` gives their labels back.

    Raises:
        CausalCFError: an unknown attribute or a value other than 0 and 1.
        ImpossibleWorldError: `given` has probability zero.

    Source: defined here.

    Example:
        >>> units = sample_units(4, torch.Generator().manual_seed(0), given={"Bald": 1})
        >>> units.images().shape
        torch.Size([4, 3, 64, 64])
    """
    labels = law().sample(n, do=do, given=given, generator=generator)
    label_noise = _abduct(labels, do or {}, generator)
    noise = torch.rand(n, len(NOISE), generator=generator, device=generator.device).cpu()
    return Units(_in_order(labels), label_noise, noise, _per_unit(do, n))


def counterfactual(units: Units, do: Mapping[str, Any] | None = None) -> Units:
    """The same people had the named labels been set: the same label noise and appearance, other equations.

    Interventions that the units already stand under stay, unless `do` sets the same label anew.

    Args:
        units: the actual people.
        do: {name: 0 or 1, or an (n,) array}.

    Returns:
        The units of the counterfactual world; `.images()` are the true counterfactual images.

    Raises:
        CausalCFError: an unknown attribute or a value other than 0 and 1.

    Source: Pearl's abduction, action, prediction; the noise is known, so nothing has to be abducted.

    Example:
        >>> man = sample_units(1, torch.Generator().manual_seed(0), given={"Male": 1, "Eyeglasses": 0})
        >>> counterfactual(man, do={"Eyeglasses": 1}).labels[0, LABELS.index("Eyeglasses")].item()
        1
    """
    labels = law().respond(units.label_noise, do={**units.do, **(do or {})})
    return replace(units, labels=_in_order(labels), do={**units.do, **_per_unit(do, len(units))})


def _in_order(labels: Tensor) -> Tensor:
    """Columns in the law's order -> columns in the order `LABELS`."""
    nodes = law().graph.nodes
    return labels[:, [nodes.index(name) for name in LABELS]]


def _abduct(labels: Tensor, do: Mapping[str, Any], generator: torch.Generator) -> Tensor:
    """The noise behind labels in the law's order; a label that do set says nothing about its own noise."""
    scm = law()
    by_name = dict(zip(scm.graph.nodes, labels.unbind(1), strict=True))
    columns = []
    for node, mechanism in scm.mechanisms.items():
        parents = [by_name[p] for p in scm.graph.parents(node)]
        above = torch.stack(parents, 1) if parents else labels[:, :0]
        if node in do:
            columns.append(mechanism.sample_noise(len(labels), generator))
        else:
            columns.append(mechanism.abduct(by_name[node], above, generator))
    return torch.stack(columns, 1)


def _per_unit(do: Mapping[str, Any] | None, n: int) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value).to(torch.int8).expand(n) for name, value in (do or {}).items()}

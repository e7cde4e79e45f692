"""Interventions that do not set a label: shift its probability, draw it from a law, or let it follow its parents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from numbers import Real
from typing import Any

import torch

from ..checks import check, is_share
from ..errors import CausalCFError, GraphError, unknown
from ..graph.graph import CausalGraph
from .evidence import configurations
from .mechanisms import MAX_AXES, Mechanism, TableMechanism, ThresholdMechanism, moved_threshold


@dataclass(frozen=True)
class Soft:
    """Soft intervention: P(label = 1 | parents) is moved by `shift` and cut to [0, 1]; the person's noise is kept.

    A person's label changes from 0 to 1 exactly if the person's noise lies between the old and the new threshold.

    Args:
        shift: added to each probability, in [-1, 1].

    Source: mechanism changes as in Eberhardt and Scheines (2007); the coupling is that of threshold noise.

    Examples:
        >>> from causalcf import CausalGraph, LabelSCM, Soft
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.5, "Bald": [0.1, 0.0]})
        >>> round(scm.probability({"Bald": 1}, given={"Young": 0}, do={"Bald": Soft(0.2)}), 6)
        0.3
    """

    shift: float

    def __post_init__(self) -> None:
        sound = isinstance(self.shift, Real) and -1 <= float(self.shift) <= 1
        check(sound, "shift", self.shift, "a number in [-1, 1]")


@dataclass(frozen=True)
class Stochastic:
    """Stochastic intervention: the label is drawn with this probability, whatever its parents and the person's noise.

    Args:
        probability: of the label 1, in [0, 1].

    Source: Korb et al. (2004); dowhy's `interventional_samples` with a random function.

    Examples:
        >>> from causalcf import CausalGraph, LabelSCM, Stochastic
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.75, "Bald": [0.1, 0.0]})
        >>> round(scm.probability({"Young": 1}, given={"Bald": 1}, do={"Bald": Stochastic(0.3)}), 6)
        0.75
    """

    probability: float

    def __post_init__(self) -> None:
        check(is_share(self.probability), "probability", self.probability, "a number in [0, 1]")


@dataclass(frozen=True)
class Conditional:
    """Conditional intervention: the label is a function of its parents (a policy), without noise.

    Args:
        rule: takes the parents' labels by name, as keyword arguments, and returns 0 or 1.

    Source: Pearl (2009), section 4.2.

    Examples:
        >>> from causalcf import CausalGraph, Conditional, LabelSCM
        >>> graph = CausalGraph({"Young": [], "Bald": ["Young"]})
        >>> scm = LabelSCM.from_probabilities(graph, {"Young": 0.75, "Bald": [0.1, 0.0]})
        >>> scm.probability({"Bald": 1}, do={"Bald": Conditional(lambda Young: 1 - Young)})
        0.25
    """

    rule: Callable[..., int]

    def __post_init__(self) -> None:
        check(callable(self.rule), "rule", self.rule, "a function of the parents, by their names")


Policy = Soft | Stochastic | Conditional


def split(graph: CausalGraph, do: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, dict[int, Policy]]:
    """Return the labels that are set, and the other interventions by the node's number."""
    if not isinstance(do, Mapping) or not any(isinstance(value, Policy) for value in do.values()):
        return do, {}
    for name in do:
        if name not in graph.nodes:
            raise CausalCFError("do: " + unknown("attribute", str(name), graph.nodes))
    policies = {graph.nodes.index(name): value for name, value in do.items() if isinstance(value, Policy)}
    return {name: value for name, value in do.items() if not isinstance(value, Policy)}, policies


def changed(node: str, parents: tuple[str, ...], mechanism: Mechanism, policy: Policy) -> Mechanism:
    """Return the mechanism of a node under an intervention.

    Raises:
        GraphError: the intervention does not fit the node.
    """
    p = len(parents)
    if isinstance(policy, Stochastic):
        return _Law(float(policy.probability), p)
    if p > MAX_AXES:
        raise GraphError(f"do: {node} has {p} parents; such an intervention takes at most {MAX_AXES}")
    cells = configurations(p)
    if isinstance(policy, Soft):
        if not isinstance(mechanism, ThresholdMechanism):
            raise GraphError(f"do: the noise of {node} is no threshold, so that Soft cannot say who is changed")
        return TableMechanism((mechanism.probability(cells) + policy.shift).clamp(0, 1).reshape((2,) * p))
    found = [_ruled(node, parents, policy, row) for row in cells.tolist()]
    return TableMechanism(torch.tensor(found, dtype=torch.float64).reshape((2,) * p))


def _ruled(node: str, parents: tuple[str, ...], policy: Conditional, row: list[int]) -> float:
    """Return what a rule gives for the parents' labels."""
    labels = dict(zip(parents, row, strict=True))
    said = ", ".join(f"{name}={one}" for name, one in labels.items()) or "no parents"
    try:
        signature(policy.rule).bind(**labels)
    except TypeError:
        raise GraphError(f"do: the rule of {node} must take {', '.join(parents) or 'no parents'}, by name") from None
    except ValueError:  # a built-in function has no signature that could be read
        pass
    try:
        value = policy.rule(**labels)
        number = float(value)
    except Exception as error:  # it is the user's own
        raise GraphError(f"do: the rule of {node} failed for {said}: {type(error).__name__}: {error}") from error
    if number not in (0.0, 1.0):
        raise GraphError(f"do: the rule of {node} gave {value!r} for {said}; expected 0 or 1")
    return number


class _Law(ThresholdMechanism):
    """The same probability whatever the parents; for any number of them."""

    kind, _PARTS = "law", ()

    def __init__(self, probability: float, n_parents: int) -> None:
        self.p, self.n_parents = probability, n_parents

    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        return torch.full((len(parents),), self.p, dtype=torch.float64)


def coupled(old: Mechanism, new: Mechanism, stickiness: float, rows: torch.Tensor) -> torch.Tensor:
    """Return P(v*=1 | v, pa, pa*), (n,) float64, of threshold noise that is kept under another table of thresholds."""
    k = old.n_parents
    label, p, q = rows[:, 0], old.probability(rows[:, 1 : 1 + k]), new.probability(rows[:, 1 + k :])
    return stickiness * moved_threshold(label, p, q) + (1.0 - stickiness) * q

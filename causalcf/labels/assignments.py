"""Queries as the user writes them, {"Male": 1}, turned into checked evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..errors import CausalCFError, ImpossibleWorldError, unknown
from .cells import as_tensor, is_binary


def assignment(nodes: tuple[str, ...], what: str, values: Mapping[str, Any] | None) -> dict[int, torch.Tensor]:
    """The named values as variable -> (1,) or (n,) int8 tensor.

    Args:
        nodes: the names allowed, in their order.
        what: how the error calls the mapping: "do", "given", "facts", ...
        values: {name: value}, a value being 0 or 1 for all units, or an (n,) array with one for each unit; or None.

    Raises:
        CausalCFError: an unknown name, a value other than 0 and 1, or arrays of different lengths.
    """
    checked: dict[int, torch.Tensor] = {}
    if values is not None and not isinstance(values, Mapping):
        raise CausalCFError(f"{what}={values!r}: expected a mapping such as {{{nodes[0]!r}: 1}}")
    for name, value in (values or {}).items():
        if name not in nodes:
            raise CausalCFError(f"{what}: " + unknown("attribute", name, nodes))
        checked[nodes.index(name)] = _binary(f"{what} {name}", value)
    return checked


def _binary(what: str, value: Any) -> torch.Tensor:
    try:
        tensor = as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise CausalCFError(f"{what}={value!r}: expected 0 or 1") from None
    if tensor.ndim > 1 or not is_binary(tensor):
        shown = repr(value) if tensor.ndim == 0 else "an array with other values or of another shape"
        raise CausalCFError(f"{what}={shown}: expected 0 or 1, or an (n,) array of them")
    return tensor.reshape(-1).to(torch.int8)


def units(*evidence: Mapping[int, torch.Tensor]) -> int:
    """The number of units that the evidence speaks of: the common length of its arrays, 1 where all are single values.

    Raises:
        CausalCFError: arrays of different lengths.
    """
    lengths = {len(v) for part in evidence for v in part.values()} - {1}
    if len(lengths) > 1:
        raise CausalCFError(f"one value for each unit: arrays of different lengths {sorted(lengths)}")
    return lengths.pop() if lengths else 1


def check_agree(
    nodes: tuple[str, ...],
    what: str,
    first: Mapping[int, torch.Tensor],
    second: Mapping[int, torch.Tensor],
) -> None:
    """Refuse two assignments that give one attribute two values.

    Raises:
        ImpossibleWorldError: names the attribute.
    """
    for i in first.keys() & second.keys():
        if bool((first[i] != second[i]).any()):
            raise ImpossibleWorldError(f"{what} contradict each other about {nodes[i]!r}")


def describe(nodes: tuple[str, ...], evidence: Mapping[int, torch.Tensor], row: int = 0) -> str:
    """One unit's evidence as a reader writes it: "Male=1, Young=0"."""
    return ", ".join(f"{nodes[i]}={int(v[row if len(v) > 1 else 0])}" for i, v in evidence.items())


def merge(
    first: Mapping[int, torch.Tensor], second: Mapping[int, torch.Tensor], n: int
) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """Both assignments together, and in which of n units they agree, (n,) bool."""
    agree = torch.ones(n, dtype=torch.bool)
    for i in first.keys() & second.keys():
        agree &= first[i] == second[i]
    return {**second, **first}, agree

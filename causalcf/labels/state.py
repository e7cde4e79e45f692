"""Mechanisms from their stored form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CausalCFError, unknown
from .mechanisms import Mechanism, NeuralMechanism, TableMechanism
from .response import ResponseMechanism

KINDS: dict[str, type[Mechanism]] = {m.kind: m for m in (TableMechanism, NeuralMechanism, ResponseMechanism)}


def mechanism_from_state(state: Mapping[str, Any]) -> Mechanism:
    """The mechanism whose `to_state` this is, whatever its kind.

    Raises:
        CausalCFError: a kind that is not known.
    """
    kind = state.get("kind")
    if kind not in KINDS:
        raise CausalCFError(unknown("kind of mechanism", str(kind), KINDS))
    return KINDS[kind].from_state(dict(state))

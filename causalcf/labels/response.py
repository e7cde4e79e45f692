"""Mechanism of a trained label network, whose continuous noise is replaced by K Sobol points."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..errors import CausalCFError
from ..randomness import uniform
from .evidence import cell_index
from .mechanisms import Mechanism

_FINE = 2**20  # sub-positions inside a pool point, so that abducted noise is spread over [0, 1) as its prior is


class ResponseMechanism(Mechanism):
    """B = bits[parents, floor(K U)], with (2^p, K) 0/1 bits; it need not be monotone."""

    kind = "response"

    def __init__(self, bits: torch.Tensor) -> None:
        rows, points = bits.shape
        if rows & (rows - 1) or points & (points - 1):
            raise CausalCFError(f"response bits of shape {tuple(bits.shape)}: expected (2^p, K), K a power of two")
        self.bits = bits.detach().to("cpu", torch.uint8)
        self.n_parents, self.points = rows.bit_length() - 1, points
        self._ones = self.bits.sum(1, dtype=torch.int64)
        self._both: torch.Tensor | None = None
        self._order: torch.Tensor | None = None

    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        return self._ones[cell_index(parents)].double() / self.points

    def respond(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.bits[cell_index(parents), (noise * self.points).long()].to(torch.int8)

    def abduct(self, label: torch.Tensor, parents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        self._check_possible(label, self.probability(parents))
        if self._order is None:  # points of each row, those answering 0 first
            self._order = self.bits.argsort(dim=1, stable=True)
        row = cell_index(parents)
        ones, zeros = self._ones[row], self.points - self._ones[row]
        v = uniform((len(row),), generator)
        rank = torch.where(label.bool(), zeros + (v * ones).long(), (v * zeros).long())
        inside = (uniform((len(row),), generator) * _FINE).floor() / _FINE
        return (self._order[row, rank].double() + inside) / self.points

    def transition(self, label: torch.Tensor, parents: torch.Tensor, new_parents: torch.Tensor) -> torch.Tensor:
        if self._both is None:  # points answering 1 to both of two rows; float32 counts are exact below 2^24
            ones = self.bits.float()
            self._both = (ones @ ones.T).double()
        old, new = cell_index(parents), cell_index(new_parents)
        both, before, after = self._both[old, new], self._ones[old].double(), self._ones[new].double()
        weight = torch.where(label.bool(), before, self.points - before)
        moved = torch.where(label.bool(), both, after - both)
        return torch.where(weight > 0, moved / weight, after / self.points)

    def to_state(self) -> dict[str, Any]:
        packed = np.packbits(self.bits.numpy(), axis=1)
        return {"kind": self.kind, "bits": torch.from_numpy(packed), "points": self.points}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ResponseMechanism:
        packed, points = state["bits"].numpy(), state["points"]
        if packed.ndim != 2 or not 0 < points <= 8 * packed.shape[1]:
            raise CausalCFError(f"packed bits of shape {packed.shape} do not hold {points} response points")
        return cls(torch.from_numpy(np.unpackbits(packed, axis=1, count=points)))

"""Mechanisms P(label | parents): tables, networks, and responses to shared noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch

from ..errors import CausalCFError, ImpossibleWorldError
from ..randomness import uniform
from .evidence import cell_index, configurations, first_true

_BELOW_ONE = 1.0 - 2.0**-53
MAX_AXES, MAX_KEPT = 12, 8  # of tables that are kept for queries of one unit, and how many of them
_FINE = 2**20  # sub-positions inside a pool point, so that abducted noise is spread over [0, 1) as its prior is


class Mechanism(ABC):
    """Binary node given (n, p) 0/1 parents, with (n,) float64 noise in [0, 1)."""

    kind: ClassVar[str]
    n_parents: int

    @abstractmethod
    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        """Return P(B=1 | parents), (n,) float64."""

    @abstractmethod
    def respond(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the label that this noise gives under these parents, (n,) int8."""

    @abstractmethod
    def abduct(self, label: torch.Tensor, parents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw the noise given label and parents, (n,) float64; a label of probability zero is an error."""

    @abstractmethod
    def transition(self, label: torch.Tensor, parents: torch.Tensor, new_parents: torch.Tensor) -> torch.Tensor:
        """Return P(B=1 under new_parents | B=label under parents, same noise), (n,) float64."""

    @abstractmethod
    def to_state(self) -> dict[str, Any]:
        """Return tensors, strings and numbers from which `from_state` rebuilds the mechanism exactly."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: dict[str, Any]) -> Mechanism:
        """Rebuild the mechanism from the result of `to_state`."""

    def sticky(self, stickiness: float, rows: torch.Tensor) -> torch.Tensor:
        """Return P(v*=1 | v, pa, pa*) of the extended structural model, (n,) float64; the columns are in this order."""
        p = self.n_parents
        label, old, new = rows[:, 0], rows[:, 1 : 1 + p], rows[:, 1 + p :]
        r = self.transition(label, old, new)
        return r if stickiness == 1 else stickiness * r + (1.0 - stickiness) * self.probability(new)

    def whole_table(self, stickiness: float | None = None) -> np.ndarray | None:
        """Return `probability` of all parents' states, (2,)*p, or `sticky` of all its rows, (2,)*(1 + 2p), kept for the
        next time; None where it is larger than 2^12 cells.
        """
        axes = self.n_parents if stickiness is None else 1 + 2 * self.n_parents
        if axes > MAX_AXES:
            return None
        if stickiness not in self._tables:
            if len(self._tables) >= MAX_KEPT:
                self._tables.clear()
            rows = configurations(axes)
            found = self.probability(rows) if stickiness is None else self.sticky(stickiness, rows)
            self._tables[stickiness] = found.reshape((2,) * axes).numpy()
        return self._tables[stickiness]

    @cached_property
    def _tables(self) -> dict[float | None, np.ndarray]:
        return {}

    def sample_noise(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """Draw from the prior of the noise, (n,) float64."""
        return uniform((n,), generator)

    def _check_possible(self, label: torch.Tensor, p: torch.Tensor) -> None:
        row = first_true(torch.where(label.bool(), p, 1.0 - p) <= 0)
        if row is not None:
            said = f"row {row}: the label {int(label[row])} has probability zero given its parents"
            raise ImpossibleWorldError(f"{said}; leave the row out, or fit with smoothing")


def moved_threshold(label: torch.Tensor, p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Return P(label = 1 under the threshold q | this label under p, same noise), (n,) float64."""
    from_zero = torch.where(p < 1, (q - p).clamp(min=0) / (1.0 - p), q)
    from_one = torch.where(p > 0, (q / p).clamp(max=1), q)
    return torch.where(label.bool(), from_one, from_zero)


class ThresholdMechanism(Mechanism):
    """B = 1 iff U < p(parents): the monotone coupling, for two classes the same as Gumbel-max."""

    _PARTS: ClassVar[tuple[str, ...]]  # the tensors that it is made of

    def to_state(self) -> dict[str, Any]:
        return {"kind": self.kind, **{part: getattr(self, part).clone() for part in self._PARTS}}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ThresholdMechanism:
        return cls(**{part: state[part] for part in cls._PARTS})

    def respond(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return (noise < self.probability(parents)).to(torch.int8)

    def abduct(self, label: torch.Tensor, parents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        p = self.probability(parents)
        self._check_possible(label, p)
        v = uniform((len(p),), generator)
        # Rounding may carry p + (1 - p) v up to 1, which no probability exceeds: stay below it.
        return torch.where(label.bool(), p * v, p + (1.0 - p) * v).clamp(max=_BELOW_ONE)

    def transition(self, label: torch.Tensor, parents: torch.Tensor, new_parents: torch.Tensor) -> torch.Tensor:
        return moved_threshold(label, self.probability(parents), self.probability(new_parents))


class TableMechanism(ThresholdMechanism):
    """Threshold noise on a (2,)*p table of P(B=1 | parents), indexed by the parents in their order."""

    kind = "table"
    _PARTS = ("table",)

    def __init__(self, table: Any) -> None:
        self.table = torch.as_tensor(table, dtype=torch.float64).detach().cpu().contiguous()
        if any(size != 2 for size in self.table.shape):
            raise CausalCFError(f"table of shape {tuple(self.table.shape)}: expected (2,)*p for p parents")
        wrong = self.table[~((self.table >= 0) & (self.table <= 1))]
        if len(wrong):
            raise CausalCFError(f"the value {float(wrong[0]):g} is no probability, a number in [0, 1]")
        self.n_parents = self.table.ndim

    @classmethod
    def of_parents(cls, parents: tuple[str, ...], given: Any) -> TableMechanism:
        """Return the mechanism from (names, array), the axes in any order, or from an array in that of `parents`."""
        names, table = parents, given
        if isinstance(given, (tuple, list)) and len(given) == 2:
            first = (given[0],) if isinstance(given[0], str) else given[0]
            if isinstance(first, (tuple, list)) and all(isinstance(one, str) for one in first):
                names, table = tuple(first), given[1]
        table = torch.as_tensor(table, dtype=torch.float64)
        if sorted(names) != sorted(parents) or table.ndim != len(names):
            raise CausalCFError(f"a table of shape {tuple(table.shape)} with the axes ({', '.join(names)})")
        return cls(table.permute([names.index(parent) for parent in parents]))

    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        return self.table.reshape(-1)[cell_index(parents)]


class NeuralMechanism(ThresholdMechanism):
    """Threshold noise on sigmoid(bias + w.x + v.tanh(W x + c)), where x = -1/+1 are the parents."""

    kind = "neural"
    _PARTS = ("bias", "linear", "hidden", "shift", "output")
    _CHUNK = 2**14  # rows at a time: bounds the memory of large enumerations, and stays in the processor's cache

    def __init__(
        self, bias: torch.Tensor, linear: torch.Tensor, hidden: torch.Tensor, shift: torch.Tensor, output: torch.Tensor
    ) -> None:
        parts = [part.detach().to("cpu", torch.float64) for part in (bias, linear, hidden, shift, output)]
        self.bias, self.linear, self.hidden, self.shift, self.output = parts
        self.n_parents = len(linear)

    def respond(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return `noise < probability`, decided in float32 where its error cannot change the label."""
        hidden, shift, output, slack = self._single
        chances = []
        for rows in parents.split(self._CHUNK):
            reached = torch.addmm(shift, hidden, rows.T.float())
            reached[:-1].sigmoid_()
            chances.append(torch.sigmoid(output @ reached))
        gap = noise - torch.cat(chances)
        labels, unsure = gap < 0, gap.abs() <= slack
        if torch.get_float32_matmul_precision() != "highest":  # float32 products may then be rounded to 8 bits
            unsure.fill_(True)
        again = unsure.nonzero()[:, 0]
        labels[again] = noise[again] < self.probability(parents[again])
        return labels.to(torch.int8)

    @cached_property
    def _single(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
        """Float32 network on 0/1 parents, its linear part as the last row, and a bound on its error."""
        one = torch.ones(1, dtype=torch.float64)
        rows, offsets = torch.cat([2 * self.hidden, self.linear[None]]), torch.cat([2 * self.shift, self.bias[None]])
        offsets[-1] -= self.output.sum()
        hidden, shift, output = 2 * rows, offsets - rows.sum(1), torch.cat([2 * self.output, one])
        # A sum of k terms is off by at most k units of rounding of the sum of their sizes, numbers rounded beforehand
        # and a sigmoid by some more; a sigmoid passes on a quarter of what it is given. Doubled, to be safe.
        size = hidden.abs().sum(1) + shift.abs()
        passed_on = (self.output.abs() @ size[:-1]) / 2 + size[-1]
        units = (self.n_parents + 4) * passed_on + (len(output) + 8) * (output.abs().sum() + size[-1])
        return hidden.float(), shift.float()[:, None], output.float(), 2 * 2.0**-24 * (float(units) / 4 + 8)

    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        logits = []
        for rows in parents.split(self._CHUNK):
            x = 2.0 * rows.to(torch.float64) - 1.0
            logits.append(self.bias + x @ self.linear + torch.tanh(x @ self.hidden.T + self.shift) @ self.output)
        return torch.sigmoid(torch.cat(logits))


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

    @cached_property
    def _order(self) -> torch.Tensor:
        """Points of each row, those that answer 0 first."""
        return self.bits.argsort(dim=1, stable=True)

    @cached_property
    def _both(self) -> torch.Tensor:
        """Number of points that answer 1 to both of two rows; float32 counts are exact below 2^24."""
        ones = self.bits.float()
        return (ones @ ones.T).double()

    def probability(self, parents: torch.Tensor) -> torch.Tensor:
        return self._ones[cell_index(parents)].double() / self.points

    def respond(self, parents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.bits[cell_index(parents), (noise * self.points).long()].to(torch.int8)

    def abduct(self, label: torch.Tensor, parents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        self._check_possible(label, self.probability(parents))
        row = cell_index(parents)
        ones, zeros = self._ones[row], self.points - self._ones[row]
        v = uniform((len(row),), generator)
        rank = torch.where(label.bool(), zeros + (v * ones).long(), (v * zeros).long())
        inside = (uniform((len(row),), generator) * _FINE).floor() / _FINE
        return (self._order[row, rank].double() + inside) / self.points

    def transition(self, label: torch.Tensor, parents: torch.Tensor, new_parents: torch.Tensor) -> torch.Tensor:
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


def response_types(mechanism: Mechanism) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the kinds of noise of a node: their probabilities (m,), and their labels (m, 2^p) for each parents' state.

    All noise of one kind gives the same label under any parents.
    """
    if isinstance(mechanism, ResponseMechanism):
        answers, counts = mechanism.bits.T.unique(dim=0, return_counts=True)
        return counts.double() / counts.sum(), answers.to(torch.int8)
    p = mechanism.probability(configurations(mechanism.n_parents))
    cuts = torch.cat([p.new_zeros(1), p, p.new_ones(1)]).unique()
    lengths, middles = cuts.diff(), (cuts[1:] + cuts[:-1]) / 2
    return lengths, (middles[:, None] < p).to(torch.int8)

"""Every world of a small discrete causal model: one for each combination of the values of its exogenous variables.

A world is a number w in 0..N-1, the exogenous variables' values read as its digits, the last variable the fastest. A
variable is a `Column`: its value in each of the N worlds. An equation is called once for each combination that occurs
of the values it reads, not once a world; which ones it reads is found by watching it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import CausalCFError, IntractableError, unknown
from .esm_values import Law, as_value, describe

Equation = Callable[[Mapping[str, Any]], Any]

MAX_WORLDS = 2**20  # combinations of exogenous values


@dataclass(frozen=True)
class Column:
    """One variable in all N worlds.

    Args:
        codes: (N,) int32, which of the values.
        values: the distinct values.
    """

    codes: np.ndarray
    values: tuple[Any, ...]

    def equals(self, value: Any) -> np.ndarray:
        """In which worlds the variable has this value, (N,) bool."""
        code = {v: i for i, v in enumerate(self.values)}.get(value, -1)
        return self.codes == code


def check_size(laws: Mapping[str, Law]) -> None:
    """Refuse a model with more worlds than can be listed.

    Raises:
        IntractableError: says how many there are, and the limit.
    """
    n = math.prod(len(law) for law in laws.values())
    if n > MAX_WORLDS:
        shown = f"{n:,}" if n < 10**15 else f"about 10^{len(str(n)) - 1}"
        raise IntractableError(
            f"{len(laws)} exogenous variables have {shown} combinations of values, and a counterfactual concerns all "
            f"pairs of them; the limit is {MAX_WORLDS:,} combinations"
        )


def enumerate_worlds(
    laws: Mapping[str, Law], equations: Mapping[str, Equation], do: Mapping[str, Any]
) -> dict[str, Column]:
    """All variables in all worlds, those named by `do` set to its values.

    Args:
        laws: the exogenous variables.
        equations: the others, in causal order.
        do: variables set from outside, exogenous ones too.

    Raises:
        CausalCFError: an equation that fails, reads what does not exist yet, or returns what is no value.
    """
    n, world = math.prod(len(law) for law in laws.values()), {}
    after = n
    for name, law in laws.items():
        before, after = n // after, after // len(law)
        codes = np.tile(np.arange(len(law), dtype=np.int32).repeat(after), before)
        world[name] = Column(codes, tuple(law))
    for name in laws.keys() & do.keys():
        world[name] = _constant(n, do[name])
    for name, equation in equations.items():
        world[name] = _constant(n, do[name]) if name in do else _respond(name, equation, world, n, list(equations))
    return world


def _constant(n: int, value: Any) -> Column:
    return Column(np.zeros(n, dtype=np.int32), (value,))


class _Reading(Mapping[str, Any]):
    """The values of one world as an equation sees them, keeping account of those it reads."""

    def __init__(self, owner: str, world: Mapping[str, Column], w: int, read: dict[str, None], later: list[str]):
        self.read, self._owner, self._world, self._w, self._later = read, owner, world, w, later

    def __getitem__(self, name: str) -> Any:
        column = self._world.get(name)
        if column is None:
            if name in self._later:
                raise CausalCFError(
                    f"the equation of {self._owner!r} reads {name!r}, which has no value yet: "
                    "expected equations in causal order"
                )
            raise CausalCFError(f"the equation of {self._owner!r}: " + unknown("variable", name, self._world))
        self.read[name] = None
        return column.values[column.codes[self._w]]

    def __contains__(self, name: object) -> bool:
        return name in self._world

    def __iter__(self) -> Iterator[str]:
        return iter(self._world)

    def __len__(self) -> int:
        return len(self._world)


def _respond(name: str, equation: Equation, world: Mapping[str, Column], n: int, later: list[str]) -> Column:
    """One equation in all worlds.

    An equation that has read no others than `known` answers alike wherever those agree, so one call is enough for
    each combination of their values. Where a call reads a variable not seen before, the combinations are refined.
    """
    read: dict[str, None] = {}
    known, group, first = 0, np.zeros(n, dtype=np.int64), np.zeros(1, dtype=np.int64)
    while True:
        answers = []
        for w in first:
            answers.append(_call(name, equation, _Reading(name, world, int(w), read, later)))
            if len(read) > known:
                break
        if len(read) == known:
            break
        for new in list(read)[known:]:
            column = world[new]
            _, first, group = np.unique(
                group * len(column.values) + column.codes, return_index=True, return_inverse=True
            )
        known = len(read)
    numbers: dict[Any, int] = {}
    codes = np.array([numbers.setdefault(answer, len(numbers)) for answer in answers], dtype=np.int32)
    return Column(codes[group], tuple(numbers))


def _call(name: str, equation: Equation, values: _Reading) -> Any:
    try:
        answer = equation(values)
    except CausalCFError:
        raise
    except Exception as error:
        where = describe({read: values[read] for read in values.read})
        raise CausalCFError(f"the equation of {name!r} failed at {where}: {type(error).__name__}: {error}") from error
    return as_value(f"the answer of the equation of {name!r}", answer)

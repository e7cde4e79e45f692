"""Exact extended structural model (Lucas and Kemp, 2015) of any small discrete causal model."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from .errors import CausalCFError, ImpossibleWorldError, IntractableError, unknown

Distribution = dict[Any, float]  # value -> its probability, all positive

TOLERANCE = 1e-9  # how far a law's probabilities may miss a sum of one by rounding
Equation = Callable[[Mapping[str, Any]], Any]

MAX_WORLDS = 2**20  # combinations of exogenous values
CONDITIONING = ("joint", "nested")


def as_value(what: str, value: Any) -> Any:
    """Return a hashable value in the form used for comparison: True as 1, NumPy scalars as Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    try:
        hash(value)
        itself = value == value
    except Exception:  # a list, an array; or whatever a class of the user's own raises
        itself = False
    if value is None or callable(value) or itself is not True:
        raise CausalCFError(f"{what} is {reprlib.repr(value)}: expected a number, a string or another hashable value")
    return value


def check_model(exogenous: Any, equations: Any) -> None:
    """Check the mappings, names and types of a model, before any distribution or equation is used."""
    for what, mapping in (("exogenous", exogenous), ("equations", equations)):
        if not isinstance(mapping, Mapping):
            raise CausalCFError(f"{what}={reprlib.repr(mapping)}: expected a mapping from the variables' names")
    if not exogenous and not equations:
        raise CausalCFError("a model without variables: expected at least one, exogenous or with an equation")
    for name in (*exogenous, *equations):
        if not isinstance(name, str):
            raise CausalCFError(f"the variable {name!r}: expected a string for its name")
    for name, equation in equations.items():
        if name in exogenous:
            raise CausalCFError(f"{name!r} is exogenous and has an equation: expected one of the two")
        if not callable(equation):
            raise CausalCFError(f"the equation of {name!r} is {equation!r}: expected a function of the earlier values")


def as_share(what: str, value: Any, allowed: str = "a number in [0, 1]") -> float:
    """Return a real number in [0, 1] as a float."""
    if not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0:
        raise CausalCFError(f"{what}={reprlib.repr(value)}: expected {allowed}")
    return float(value)


def check_agree(what: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Raise `ImpossibleWorldError` where two assignments give one variable two values."""
    for name in first:
        if name in second and first[name] != second[name]:
            raise ImpossibleWorldError(f"{what} contradict each other about {name!r}")


def assignment(names: tuple[str, ...], what: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a query's {name: value}, checked; `what` names the mapping in errors."""
    if values is not None and not isinstance(values, Mapping):
        raise CausalCFError(f"{what}={values!r}: expected a mapping such as {{{names[0]!r}: 1}}")
    checked = {}
    for name, value in (values or {}).items():
        if name not in names:
            raise CausalCFError(f"{what}: " + unknown("variable", name, names))
        checked[name] = as_value(f"{what} {name}", value)
    return checked


def describe(values: Mapping[str, Any]) -> str:
    """Format an assignment as "B=1, S=0"."""
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "nothing"


def as_distribution(name: str, distribution: Any) -> Distribution:
    """Return {value: probability} of one exogenous variable, without values of probability zero."""
    allowed = "a probability, a number in [0, 1]"
    if not isinstance(distribution, Mapping):
        one = as_share(f"exogenous {name!r}", distribution, allowed)
        return {value: p for value, p in ((0, 1.0 - one), (1, one)) if p > 0}
    listed = {}
    for value, p in distribution.items():
        listed[as_value(f"a value of exogenous {name!r}", value)] = as_share(f"P({name}={value!r})", p, allowed)
    total = math.fsum(listed.values())
    if abs(total - 1.0) > TOLERANCE:
        raise CausalCFError(f"exogenous {name!r}: the probabilities sum to {total:.12g}; expected a sum of 1")
    return {value: p / total for value, p in listed.items() if p > 0}


@dataclass(frozen=True)
class Column:
    """Variable in all N worlds: `codes`, (N,) int32, are positions in the distinct `values`."""

    codes: np.ndarray
    values: tuple[Any, ...]

    def equals(self, value: Any) -> np.ndarray:
        """Return in which worlds the variable has this value, (N,) bool."""
        return self.codes == {v: i for i, v in enumerate(self.values)}.get(value, -1)


def _check_size(distributions: Mapping[str, Distribution]) -> None:
    n = math.prod(len(distribution) for distribution in distributions.values())
    if n > MAX_WORLDS:
        shown = f"{n:,}" if n < 10**15 else f"about 10^{len(str(n)) - 1}"
        raise IntractableError(
            f"{len(distributions)} exogenous variables have {shown} combinations of values, and a counterfactual "
            f"concerns all pairs of them; the limit is {MAX_WORLDS:,} combinations"
        )


def enumerate_worlds(
    distributions: Mapping[str, Distribution], equations: Mapping[str, Equation], do: Mapping[str, Any]
) -> dict[str, Column]:
    """Return all variables in all worlds; `do` may set exogenous variables too."""
    n, world = math.prod(len(distribution) for distribution in distributions.values()), {}
    after = n
    for name, distribution in distributions.items():
        before, after = n // after, after // len(distribution)
        codes = np.tile(np.arange(len(distribution), dtype=np.int32).repeat(after), before)
        world[name] = Column(codes, tuple(distribution))
    world |= {name: Column(np.zeros(n, dtype=np.int32), (do[name],)) for name in distributions.keys() & do.keys()}
    for name, equation in equations.items():
        if name in do:
            world[name] = Column(np.zeros(n, dtype=np.int32), (do[name],))
        else:
            world[name] = _respond(name, equation, world, n, list(equations))
    return world


class _Reading(Mapping[str, Any]):
    """Mapping of one world's values for an equation; it records which values are read."""

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
    """Evaluate an equation in all worlds, once for each combination of the values that it reads."""
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
            cells = group * len(column.values) + column.codes
            _, first, group = np.unique(cells, return_index=True, return_inverse=True)
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


class DiscreteSCM:
    """Structural causal model of variables with finitely many values.

    True counts as 1 and False as 0. Values are compared with ==, so floats must be exactly equal.

    Args:
        exogenous: name -> the probability of 1 (against 0), or {value: probability}.
        equations: name -> a function of the mapping of all earlier values, in causal order. It must be deterministic,
            because it is called once for each combination of the values that it reads.

    Raises:
        CausalCFError: an invalid distribution or equation, a name used twice, or no variable at all; an equation that
            fails, reads a variable that has no value yet, or returns a value that cannot be compared.
        IntractableError: more than 2^20 combinations of exogenous values.

    Source: Lucas and Kemp (2015), An improved probabilistic account of counterfactual reasoning.

    Examples:
        >>> model = DiscreteSCM(
        ...     exogenous={"uB": 0.9, "uS": 0.9, "uN": 0.1},
        ...     equations={
        ...         "B": lambda v: v["uB"],
        ...         "S": lambda v: v["B"] and v["uS"],
        ...         "N": lambda v: v["S"] or v["uN"],
        ...     },
        ... )
        >>> facts = {"B": 1, "S": 1, "N": 1}
        >>> round(model.counterfactual_probability({"B": 1}, facts, observe={"S": 0}, stickiness=0.5), 3)
        0.487
        >>> round(model.counterfactual_probability({"B": 1}, facts, do={"S": 0}, stickiness=0.5), 3)
        0.95
    """

    def __init__(self, exogenous: Mapping[str, Any], equations: Mapping[str, Equation]) -> None:
        check_model(exogenous, equations)
        self.names: tuple[str, ...] = (*exogenous, *equations)
        self._equations = dict(equations)
        self._distributions = {name: as_distribution(name, distribution) for name, distribution in exogenous.items()}
        _check_size(self._distributions)
        self._weights = [np.array(list(distribution.values())) for distribution in self._distributions.values()]
        self._mantissa, self._exponent = _products(self._weights)
        self._actual = enumerate_worlds(self._distributions, self._equations, {})

    def probability(
        self, event: Mapping[str, Any], given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None
    ) -> float:
        """Return P(event | given, do), exactly. `given` conditions on the world after the intervention.

        Args:
            event, given, do: {name: value}, for exogenous variables too.

        Raises:
            CausalCFError: an unknown variable, or a value that cannot be compared.
            ImpossibleWorldError: `given` has probability zero or contradicts `do`.

        Examples:
            >>> model = DiscreteSCM({"A": 0.5, "u": 0.25}, {"B": lambda v: v["A"] and v["u"]})
            >>> model.probability({"A": 1}, given={"B": 1}), model.probability({"A": 1}, do={"B": 1})
            (1.0, 0.5)
        """
        asked, held = assignment(self.names, "event", event), assignment(self.names, "given", given)
        cut = assignment(self.names, "do", do)
        check_agree("given and do", held, cut)
        world = self._worlds(cut)
        weight = self._posterior(world, held, "given")
        hit = _holds(world, asked)
        return _share(float(weight @ hit), float(weight @ ~hit))

    def counterfactual_probability(
        self,
        event: Mapping[str, Any],
        facts: Mapping[str, Any] | None,
        do: Mapping[str, Any] | None = None,
        observe: Mapping[str, Any] | None = None,
        stickiness: float = 1.0,
        conditioning: str = "joint",
    ) -> float:
        """Return P(event* | facts, do*, observe*), exactly.

        Args:
            event: values asked about in the counterfactual world. A value that no world takes has probability zero.
            facts: known values of the actual world. Unknown variables are summed over.
            do: values set by intervention in the counterfactual world.
            observe: values observed in the counterfactual world, whose equations stay intact. `do` may be given too.
            stickiness: probability that an exogenous variable keeps its value, in [0, 1].
            conditioning: "joint" is the definition. It conditions on the facts and `observe` together, so actual worlds
                from which the antecedent is more probable get more weight. "nested" is for comparison. It conditions
                on the facts first and keeps those weights, as if the counterfactual of each actual world were redrawn
                until the antecedent holds. Both agree without `observe`, and if the facts fix all exogenous variables.

        Raises:
            CausalCFError: an unknown variable, a value that cannot be compared, or a stickiness outside [0, 1].
            ImpossibleWorldError: facts of probability zero, or an antecedent that is impossible together with them
                (nested: impossible from at least one actual world that the facts allow).
            IntractableError: an antecedent that is possible, but whose probability is too small for float64.

        Source: Lucas and Kemp (2015); nested conditioning is defined here.

        Examples:
            >>> model = DiscreteSCM({"A": 0.5, "B": 0.5}, {"C": lambda v: v["A"] or v["B"]})
            >>> ask = dict(event={"B": 1}, facts={"C": 1}, observe={"A": 0}, stickiness=0.5)
            >>> [round(model.counterfactual_probability(**ask, conditioning=c), 4) for c in ("joint", "nested")]
            [0.65, 0.5833]
        """
        asked, known = assignment(self.names, "event", event), assignment(self.names, "facts", facts)
        cut, seen = assignment(self.names, "do", do), assignment(self.names, "observe", observe)
        check_agree("do and observe", cut, seen)
        s = as_share("stickiness", stickiness)
        if conditioning not in CONDITIONING:
            raise CausalCFError(unknown("conditioning", conditioning, CONDITIONING))
        weight = self._posterior(self._actual, known, "facts")  # abduction: P(U | facts)
        other = self._worlds(cut)  # action: the equations of `do` are replaced
        # Prediction: from each actual world, what U* then shows together with `observe`.
        allowed, held, hit = _holds(self._actual, known), _holds(other, seen), _holds(other, asked)
        reached = np.array([self._ahead(held & hit, s), self._ahead(held & ~hit, s)])
        if conditioning == "joint":
            both, rest = (float(r @ weight) for r in reached)
            self._refuse(bool((allowed & held).any() if s == 1 else held.any()), both + rest, known, {**cut, **seen})
            return _share(both, rest)
        both_each, rest_each = reached[:, allowed]
        each = both_each + rest_each
        self._refuse(bool(held[allowed].all() if s == 1 else held.any()), each.min(), known, {**cut, **seen})
        return _share(float(both_each / each @ weight[allowed]), float(rest_each / each @ weight[allowed]))

    def _worlds(self, do: Mapping[str, Any]) -> dict[str, Column]:
        return enumerate_worlds(self._distributions, self._equations, do) if do else self._actual

    def _posterior(self, world: Mapping[str, Column], held: Mapping[str, Any], what: str) -> np.ndarray:
        """Return P(U | held), (N,), scaled before the sum so that rare facts do not underflow."""
        allowed = _holds(world, held)
        if not allowed.any():
            for name, value in held.items():
                if value not in world[name].values:
                    takes = ", ".join(repr(v) for v in world[name].values[:8])
                    raise ImpossibleWorldError(f"{what} {name}={value!r}: an event of probability zero; takes {takes}")
            raise ImpossibleWorldError(f"{what} {describe(held)}: an event of probability zero")
        weight = np.ldexp(np.where(allowed, self._mantissa, 0.0), self._exponent - self._exponent[allowed].max())
        return weight / weight.sum()

    def _ahead(self, there: np.ndarray, s: float) -> np.ndarray:
        """Return P(U* in the set `there` | U) for each U, (N,), one exogenous variable at a time."""
        mass, before = there.astype(float), 1
        for distribution in self._weights:
            mass = mass.reshape(before, len(distribution), -1)
            redrawn = np.einsum("bua,u->ba", mass, distribution)
            mass = s * mass + (1.0 - s) * redrawn[:, None]
            before *= len(distribution)
        return mass.reshape(-1)

    def _refuse(self, possible: bool, weight: float, facts: Mapping[str, Any], antecedent: Mapping[str, Any]) -> None:
        shown = f"the counterfactual {describe(antecedent)}"
        if not possible:
            raise ImpossibleWorldError(f"{shown} has probability zero beside the facts {describe(facts)}")
        if weight < sys.float_info.min:
            raise IntractableError(
                f"{shown} has a probability below {sys.float_info.min:.0e} beside the facts "
                f"{describe(facts)}: less than float64 can hold"
            )


def _products(weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return P(U) of all N combinations as mantissas in [1/2, 1) and exponents of two."""
    mantissa, exponent = np.full(1, 0.5), np.ones(1, dtype=np.int64)
    for weight in weights:
        m, e = np.frexp(weight)
        mantissa, carried = np.frexp((mantissa[:, None] * m).reshape(-1))
        exponent = (exponent[:, None] + e).reshape(-1) + carried
    return mantissa, exponent


def _holds(world: Mapping[str, Column], values: Mapping[str, Any]) -> np.ndarray:
    """Return in which worlds all these values hold, (N,) bool."""
    hit = np.ones(len(next(iter(world.values())).codes), dtype=bool)
    for name, value in values.items():
        hit &= world[name].equals(value)
    return hit


def _share(part: float, rest: float) -> float:
    """Return part / (part + rest), which rounding cannot lift above 1."""
    return part / (part + rest)

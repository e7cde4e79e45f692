"""The extended structural model over any small discrete causal model, exactly: the reference for everything faster.

Exogenous variables U_i are independent, all others deterministic functions of them. The actual world is given by U,
the counterfactual world by U*: each U*_i is U_i with probability s (`stickiness`) and else drawn afresh from its law
(Lucas and Kemp, 2015). `do` cuts equations in the counterfactual world alone; `observe` keeps them and conditions.

The kernel from U to U* is a product over the variables, so it is applied to one of them at a time: all pairs of worlds
are summed, in a number of steps that grows with the number of worlds and not with its square.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import CausalCFError, ImpossibleWorldError, IntractableError, unknown
from .esm_values import as_law, as_stickiness, assignment, check_agree, check_model, describe
from .esm_worlds import Column, Equation, check_size, enumerate_worlds

CONDITIONING = ("joint", "nested")


class DiscreteSCM:
    """A structural causal model of finitely many values.

    Booleans count as 0 and 1; values are compared with ==, so floats must agree to the last bit.

    Args:
        exogenous: name -> the probability of 1 (against 0), or {value: probability}.
        equations: name -> a function of the mapping of all earlier values, in causal order. It must be deterministic:
            it is called once for each combination of the values that it reads.

    Raises:
        CausalCFError: a law or an equation that is none, a name used twice, no variable at all; an equation that
            fails, reads a variable without a value, or returns nothing that can be compared.
        IntractableError: more than 2^20 combinations of exogenous values.

    Source: Lucas and Kemp (2015), An improved probabilistic account of counterfactual reasoning.

    Example:
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
        self._laws = {name: as_law(name, law) for name, law in exogenous.items()}
        check_size(self._laws)
        self._weights = [np.array(list(law.values())) for law in self._laws.values()]
        self._mantissa, self._exponent = _products(self._weights)
        self._actual = enumerate_worlds(self._laws, self._equations, {})

    def probability(
        self,
        event: Mapping[str, Any],
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
    ) -> float:
        """P(event | given, do), exact; the condition is on the world after the intervention.

        Args:
            event, given, do: {name: value}, of exogenous variables too.

        Raises:
            CausalCFError: an unknown variable, or what is no value.
            ImpossibleWorldError: `given` has probability zero or contradicts `do`.

        Example:
            >>> model = DiscreteSCM({"A": 0.5, "u": 0.25}, {"B": lambda v: v["A"] and v["u"]})
            >>> model.probability({"A": 1}, given={"B": 1}), model.probability({"A": 1}, do={"B": 1})
            (1.0, 0.5)
        """
        asked, held, cut = (self._check(*part) for part in (("event", event), ("given", given), ("do", do)))
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
        """P(event* | facts, do*, observe*), exact.

        Args:
            event: values of the counterfactual world asked about; one that no world shows has probability zero.
            facts: what is known of the actual world; the rest is summed over.
            do: values set by intervention in the counterfactual world.
            observe: values found in the counterfactual world, its equations intact; may be given together with `do`.
            stickiness: probability that an exogenous variable keeps its value, in [0, 1].
            conditioning: "joint" is the definition: facts and `observe` are conditioned on together, so that actual
                worlds that reach the antecedent more easily count for more. "nested", for comparison, conditions on
                the facts first and keeps those weights, as if each actual world were retried until the antecedent
                holds. They agree where the facts fix every exogenous variable, and without `observe`.

        Raises:
            CausalCFError: an unknown variable, what is no value, a stickiness outside [0, 1].
            ImpossibleWorldError: facts of probability zero, or an antecedent that cannot hold together with them
                (nested: not in one of the worlds that the facts allow).
            IntractableError: an antecedent that is possible, but too improbable for float64.

        Source: Lucas and Kemp (2015); nested conditioning defined here.

        Example:
            >>> model = DiscreteSCM({"A": 0.5, "B": 0.5}, {"C": lambda v: v["A"] or v["B"]})
            >>> ask = dict(event={"B": 1}, facts={"C": 1}, observe={"A": 0}, stickiness=0.5)
            >>> [round(model.counterfactual_probability(**ask, conditioning=c), 4) for c in ("joint", "nested")]
            [0.65, 0.5833]
        """
        asked, known = self._check("event", event), self._check("facts", facts)
        cut, seen = self._check("do", do), self._check("observe", observe)
        check_agree("do and observe", cut, seen)
        s = as_stickiness(stickiness)
        if conditioning not in CONDITIONING:
            raise CausalCFError(unknown("conditioning", conditioning, CONDITIONING))
        actual, other = self._actual, self._worlds(cut)
        weight = self._posterior(actual, known, "facts")
        allowed, held, hit = _holds(actual, known), _holds(other, seen), _holds(other, asked)
        reached = np.array([self._ahead(held & hit, s), self._ahead(held & ~hit, s)])  # from each actual world
        if conditioning == "joint":
            both, rest = (float(r @ weight) for r in reached)
            self._refuse(bool((allowed & held).any() if s == 1 else held.any()), both + rest, known, {**cut, **seen})
            return _share(both, rest)
        both_each, rest_each = reached[:, allowed]
        each = both_each + rest_each
        self._refuse(bool(held[allowed].all() if s == 1 else held.any()), each.min(), known, {**cut, **seen})
        return _share(float(both_each / each @ weight[allowed]), float(rest_each / each @ weight[allowed]))

    def _check(self, what: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
        return assignment(self.names, what, values)

    def _worlds(self, do: Mapping[str, Any]) -> dict[str, Column]:
        return enumerate_worlds(self._laws, self._equations, do) if do else self._actual

    def _posterior(self, world: Mapping[str, Column], held: Mapping[str, Any], what: str) -> np.ndarray:
        """P(U | held), (N,); scaled by the largest before the sum, so that rare facts do not underflow."""
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
        """P(U* is in the set `there` | U), for each U, (N,): the kernel applied along one exogenous variable a time."""
        mass, before = there.astype(float), 1
        for law in self._weights:
            mass = mass.reshape(before, len(law), -1)
            redrawn = np.einsum("bua,u->ba", mass, law)
            mass = s * mass + (1.0 - s) * redrawn[:, None]
            before *= len(law)
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
    """P(U) of all N combinations as mantissas in [1/2, 1) and exponents of two: products of any size, without a log."""
    mantissa, exponent = np.full(1, 0.5), np.ones(1, dtype=np.int64)
    for weight in weights:
        m, e = np.frexp(weight)
        mantissa, carried = np.frexp((mantissa[:, None] * m).reshape(-1))
        exponent = (exponent[:, None] + e).reshape(-1) + carried
    return mantissa, exponent


def _holds(world: Mapping[str, Column], values: Mapping[str, Any]) -> np.ndarray:
    """In which worlds all these values hold, (N,) bool."""
    hit = np.ones(len(next(iter(world.values())).codes), dtype=bool)
    for name, value in values.items():
        hit &= world[name].equals(value)
    return hit


def _share(part: float, rest: float) -> float:
    """part / (part + rest): rounding cannot carry it above one."""
    return part / (part + rest)

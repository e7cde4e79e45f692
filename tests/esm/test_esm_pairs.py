"""`DiscreteSCM` on random models of any finite support, against plain loops over all pairs of noise; and its limits."""

from __future__ import annotations

import itertools
import math
import random
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from causalcf.errors import ImpossibleWorldError
from causalcf.esm import DiscreteSCM

STICKINESS = st.one_of(st.sampled_from([0.0, 0.5, 0.53, 1.0]), st.floats(0.001, 0.999))


@dataclass
class Spec:
    distributions: dict[str, dict[object, float]]
    equations: dict[str, object]  # functions of a mapping

    @property
    def model(self) -> DiscreteSCM:
        return DiscreteSCM(self.distributions, self.equations)

    def worlds(self, do) -> list[tuple[float, dict[str, object]]]:
        """(P(U), all values) of every combination of exogenous values, in one order whatever `do`."""
        found = []
        for chosen in itertools.product(*(law.items() for law in self.distributions.values())):
            world = {name: do.get(name, value) for name, (value, _) in zip(self.distributions, chosen, strict=True)}
            for name, equation in self.equations.items():
                world[name] = do[name] if name in do else equation(world)
            found.append((math.prod(p for _, p in chosen), world))
        return found

    def pairs(self, event, facts, do, observe, s):
        """The joint and the nested answer, None where there is none."""
        natural = self.worlds({})
        both = below = nested = mass = 0.0
        everywhere = True
        for p, actual in natural:
            if not holds(actual, facts):
                continue
            hit = seen = 0.0
            for (_, drawn), (_, other) in zip(natural, self.worlds(do), strict=True):
                k = 1.0
                for name, law in self.distributions.items():
                    k *= s * (actual[name] == drawn[name]) + (1 - s) * law[drawn[name]]
                if holds(other, observe):
                    seen += k
                    hit += k * holds(other, event)
            both, below, mass = both + p * hit, below + p * seen, mass + p
            everywhere &= seen > 0
            nested += p * hit / seen if seen > 0 else 0.0
        return (both / below if below > 0 else None), (nested / mass if mass > 0 and everywhere else None)


def holds(world, values) -> bool:
    return all(world[name] == value for name, value in values.items())


def table(seed: int, parents: tuple[str, ...], answers: int):
    """A fixed random function of the parents' values; where the first is 0 or "a", it reads no further."""

    def equation(v):
        read = []
        for parent in parents:
            read.append(v[parent])
            if read[0] in (0, "a"):
                break
        return random.Random(f"{seed} {read}").randrange(answers)

    return equation


@st.composite
def specs(draw, exogenous: int = 3, endogenous: int = 6, values: int = 3) -> Spec:
    distributions, equations = {}, {}
    for i in range(draw(st.integers(1, exogenous))):
        support = draw(st.lists(st.sampled_from([0, 1, 2, "a", (1, 2)]), min_size=1, max_size=values, unique=True))
        parts = [draw(st.integers(1, 4)) for _ in support]
        distributions[f"u{i}"] = {value: part / sum(parts) for value, part in zip(support, parts, strict=True)}
    for i in range(draw(st.integers(0, endogenous))):
        parents = draw(st.lists(st.sampled_from([*distributions, *equations]), unique=True, max_size=3))
        equations[f"X{i}"] = table(draw(st.integers(0, 999)), tuple(parents), draw(st.integers(1, 3)))
    return Spec(distributions, equations)


@st.composite
def queries(draw, spec: Spec) -> dict[str, dict[str, object]]:
    """Facts that can hold; event, do and observe of any values, those that never occur among them."""
    world = draw(st.sampled_from(spec.worlds({})))[1]
    part = {
        what: draw(st.lists(st.sampled_from(list(world)), unique=True, max_size=3))
        for what in ("facts", "event", "do", "observe")
    }
    value = st.sampled_from([0, 1, 2, "a", (1, 2)])
    asked = {what: {name: draw(value) for name in names} for what, names in part.items()}
    return {**asked, "facts": {name: world[name] for name in part["facts"]}}


@given(st.data(), STICKINESS)
def test_joint_and_nested_answers_are_those_of_all_pairs(data, s):
    spec = data.draw(specs())
    query = data.draw(queries(spec))
    model = spec.model
    contradicting = any(query["observe"].get(name, value) != value for name, value in query["do"].items())
    answers = (None, None) if contradicting else spec.pairs(**query, s=s)
    for conditioning, expected in zip(("joint", "nested"), answers, strict=True):
        if expected is None:
            with pytest.raises(ImpossibleWorldError):
                model.counterfactual_probability(**query, stickiness=s, conditioning=conditioning)
        else:
            found = model.counterfactual_probability(**query, stickiness=s, conditioning=conditioning)
            assert found == pytest.approx(expected, abs=1e-12)
            assert 0.0 <= found <= 1.0


@given(st.data())
def test_probability_is_a_sum_over_worlds(data):
    spec = data.draw(specs())
    query = data.draw(queries(spec))
    event, held, do = query["event"], query["facts"], query["do"]
    worlds = spec.worlds(do)
    below = sum(p for p, world in worlds if holds(world, held))
    if below == 0:
        with pytest.raises(ImpossibleWorldError):
            spec.model.probability(event, given=held, do=do)
        return
    both = sum(p for p, world in worlds if holds(world, held) and holds(world, event))
    assert spec.model.probability(event, given=held, do=do) == pytest.approx(both / below, abs=1e-12)


@given(st.data(), STICKINESS)
def test_limits_of_any_finite_model(data, s):
    spec = data.draw(specs())
    model, query = spec.model, data.draw(queries(spec))
    event, facts, do = query["event"], query["facts"], query["do"]
    ask = model.counterfactual_probability
    # do, s=0 and s=1: the interventional law; abduction, action, prediction.
    assert ask(event, facts, do=do, stickiness=0.0) == pytest.approx(model.probability(event, do=do), abs=1e-12)
    moved = zip(spec.worlds({}), spec.worlds(do), strict=True)
    allowed = [(p, holds(other, event)) for (p, actual), (_, other) in moved if holds(actual, facts)]
    pearl = sum(p for p, hit in allowed if hit) / sum(p for p, _ in allowed)
    assert ask(event, facts, do=do, stickiness=1.0) == pytest.approx(pearl, abs=1e-12)
    # observe, s=0: the ordinary conditional.
    seen = data.draw(st.sampled_from(spec.worlds({})))[1]
    observe = {name: seen[name] for name in query["observe"]}
    conditional = model.probability(event, given=observe)
    assert ask(event, facts, observe=observe, stickiness=0.0) == pytest.approx(conditional, abs=1e-12)
    # observe, s=1, contrary to the facts.
    if any(facts.get(name, value) != value for name, value in observe.items()):
        contrary = "|".join(re.escape(f"{name}={value!r}") for name, value in observe.items())
        with pytest.raises(ImpossibleWorldError, match=f"(?:{contrary}).*facts"):
            ask(event, facts, observe=observe, stickiness=1.0)
    # a root antecedent, all noise known: observe = do, and joint = nested.
    whole = data.draw(st.sampled_from(spec.worlds({})))[1]
    root = data.draw(st.sampled_from(list(spec.distributions)))
    antecedent = {root: data.draw(st.sampled_from(list(spec.distributions[root])))}
    assume(s < 1 or whole[root] == antecedent[root])
    done = ask(event, whole, do=antecedent, stickiness=s)
    for conditioning in ("joint", "nested"):
        observed = ask(event, whole, observe=antecedent, stickiness=s, conditioning=conditioning)
        assert observed == pytest.approx(done, abs=1e-12)


@given(specs(exogenous=2, endogenous=2), STICKINESS)
def test_kernel_on_noise_is_reversible_and_leaves_its_law_invariant(spec, s):
    states = [{name: world[name] for name in spec.distributions} for _, world in spec.worlds({})]
    prior = np.array([p for p, _ in spec.worlds({})])
    model = spec.model
    kernel = np.array([[model.counterfactual_probability(to, at, stickiness=s) for to in states] for at in states])
    np.testing.assert_allclose(prior @ kernel, prior, atol=1e-12)
    np.testing.assert_allclose(prior[:, None] * kernel, (prior[:, None] * kernel).T, atol=1e-12)

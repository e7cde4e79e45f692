"""`DiscreteSCM` against the published cases; what equations may do; how large a model may be."""

from __future__ import annotations

import numpy as np
import pytest

from causalcf.errors import CausalCFError, IntractableError
from causalcf.esm import DiscreteSCM

BACON = DiscreteSCM(
    {"uB": 0.9, "uS": 0.9, "uN": 0.1},
    {"B": lambda v: v["uB"], "S": lambda v: v["B"] and v["uS"], "N": lambda v: v["S"] or v["uN"]},
)
INDEPENDENT = DiscreteSCM({"A": 0.1, "B": 0.1}, {})
CHAIN = DiscreteSCM(
    {"A": 0.1, "uAB": 0.75, "uBC": 0.75}, {"B": lambda v: v["A"] and v["uAB"], "C": lambda v: v["B"] and v["uBC"]}
)
XOR = DiscreteSCM({"A": 0.25, "B": 0.1}, {"C": lambda v: v["A"] ^ v["B"]})
DISJUNCTION = DiscreteSCM({"A": 0.9, "B": 0.9}, {"C": lambda v: v["A"] or v["B"], "D": lambda v: v["C"]})
NOISY_DISJUNCTION = DiscreteSCM(
    {"A": 0.75, "B": 0.75, "uBC": 0.9}, {"C": lambda v: v["A"] or (v["B"] and v["uBC"]), "D": lambda v: v["C"]}
)
XOR_CHAIN = DiscreteSCM(
    {"A": 0.25, "uAB": 0.1, "uBC": 0.1}, {"B": lambda v: v["A"] ^ v["uAB"], "C": lambda v: v["B"] ^ v["uBC"]}
)


def all_of(names: str, *values: int) -> dict[str, int]:
    return dict(zip(names, values, strict=True))


# model, facts, antecedent, stickiness, variable, P(variable* = 1) to the printed digits
PUBLISHED = [
    (BACON, all_of("BSN", 1, 1, 1), {"observe": {"S": 0}}, 0.0, "B", ".4737"),
    (BACON, all_of("BSN", 1, 1, 1), {"observe": {"S": 0}}, 0.5, "B", ".487"),
    (BACON, all_of("BSN", 1, 1, 1), {"observe": {"S": 0}}, 0.5, "B", ".4872"),
    (BACON, all_of("BSN", 1, 1, 1), {"observe": {"S": 0}}, 0.53, "B", ".4880"),
    (BACON, all_of("BSN", 1, 1, 1), {"observe": {"S": 0}}, 0.9, "B", ".4975"),
    (BACON, all_of("BSN", 1, 1, 1), {"do": {"S": 0}}, 0.5, "B", ".95"),
    (INDEPENDENT, all_of("AB", 1, 1), {"observe": {"A": 0}}, 0.53, "B", ".577"),
    (CHAIN, all_of("ABC", 1, 1, 1), {"observe": {"B": 0}}, 0.53, "A", ".138"),
    (CHAIN, all_of("ABC", 1, 1, 1), {"observe": {"B": 0}}, 0.53, "C", "0"),
    (XOR, all_of("ABC", 1, 1, 0), {"observe": {"A": 0}}, 0.53, "B", ".577"),
    (XOR, all_of("ABC", 1, 1, 0), {"observe": {"A": 0}}, 0.53, "C", ".577"),
]


@pytest.mark.parametrize(("model", "facts", "antecedent", "s", "variable", "printed"), PUBLISHED)
def test_published_cases_to_the_printed_digits(model, facts, antecedent, s, variable, printed):
    found = model.counterfactual_probability({variable: 1}, facts, **antecedent, stickiness=s)
    digits = len(printed.partition(".")[2])
    assert f"{found:.{digits}f}".removeprefix("0" if digits else "") == printed


def test_unprinted_stories_by_hand():
    """Stories 4 to 6 at stickiness s, their noise known or summed by hand."""
    s = 0.53
    redrawn = (1 - s) * 0.9  # story 4: A = B = 0, P(A* = 1) alike for both; one of them is 1
    found = DISJUNCTION.counterfactual_probability({"A": 1}, all_of("ABCD", 0, 0, 0, 0), observe={"C": 1}, stickiness=s)
    assert found == pytest.approx(redrawn / (1 - (1 - redrawn) ** 2), abs=1e-12)
    a, u = (1 - s) * 0.25, (1 - s) * 0.1  # story 6: A = uAB = 0, exactly one of A* and uAB* is 1
    found = XOR_CHAIN.counterfactual_probability({"A": 1}, all_of("ABC", 0, 0, 1), observe={"B": 1}, stickiness=s)
    assert found == pytest.approx(a * (1 - u) / (a * (1 - u) + (1 - a) * u), abs=1e-12)


def test_joint_and_nested_conditioning_part_in_story_five():
    """A* = 0 and not (B* and uBC*): uBC is unknown, and uBC = 0 reaches the antecedent more easily."""
    s, facts = 0.53, all_of("ABCD", 1, 1, 1, 1)
    b = s + (1 - s) * 0.75
    weighed = {}
    for u, prior in ((1, 0.9), (0, 0.1)):
        on = s * u + (1 - s) * 0.9
        weighed[u] = (prior, b * (1 - on), 1 - b)  # prior; with B* = 1; with B* = 0
    joint = sum(p * one for p, one, _ in weighed.values()) / sum(p * (one + zero) for p, one, zero in weighed.values())
    nested = sum(p * one / (one + zero) for p, one, zero in weighed.values())
    ask = {"event": {"B": 1}, "facts": facts, "observe": {"C": 0}, "stickiness": s}
    assert NOISY_DISJUNCTION.counterfactual_probability(**ask) == pytest.approx(joint, abs=1e-12)
    found = NOISY_DISJUNCTION.counterfactual_probability(**ask, conditioning="nested")
    assert found == pytest.approx(nested, abs=1e-12)
    assert joint - nested > 0.1


# What equations may do, how large a model may be, and what is refused.


def test_equations_are_called_once_for_each_combination_that_they_read():
    calls = []

    def last(v):
        calls.append((v["u0"], v["u1"]))
        return v["u0"] and v["u1"]

    distributions = {f"u{i}": 0.5 for i in range(12)}
    model = DiscreteSCM(distributions, {"X": last})
    assert model.probability({"X": 1}) == 0.25
    assert sorted(set(calls)) == [(0, 0), (0, 1), (1, 0), (1, 1)] and len(calls) < 10


def test_equations_may_use_the_whole_mapping_but_not_write_to_it():
    def writer(v):
        v["a"] = 1
        return 0

    distributions = {"a": {1: 0.5, 5: 0.5}, "b": {1: 0.5, 7: 0.5}}
    model = DiscreteSCM(
        distributions, {"sum": lambda v: sum(v.values()), "late": lambda v: "late" in v or v.get("b") == 7}
    )
    assert model.probability({"sum": 12}) == 0.25 and model.probability({"late": 1}) == 0.5
    with pytest.raises(CausalCFError, match=r"'b'.*TypeError.*item assignment"):
        DiscreteSCM({"a": 0.5}, {"b": writer})


def test_booleans_and_numpy_scalars_are_numbers():
    model = DiscreteSCM({"a": {True: 0.25, False: 0.75}}, {"b": lambda v: v["a"] == 1, "c": lambda v: np.int8(v["a"])})
    for event in ({"b": 1}, {"b": True}, {"c": 1.0}, {"a": np.True_}, {"b": np.int64(1), "c": True}):
        assert model.probability(event) == 0.25


def test_deterministic_model_without_noise():
    model = DiscreteSCM({}, {"A": lambda v: 1, "B": lambda v: v["A"] + 1})
    assert model.probability({"B": 2}) == 1.0
    assert model.counterfactual_probability({"B": 4}, {"A": 1}, do={"A": 3}, stickiness=0.3) == 1.0


def test_a_million_worlds_are_summed_and_two_million_refused():
    def xor(i):
        return lambda v: (v[f"u{i}"] + (v[f"X{i - 1}"] if i else 0)) % 2

    distributions = {f"u{i}": 0.25 for i in range(20)}
    model = DiscreteSCM(distributions, {f"X{i}": xor(i) for i in range(3)})
    s = 0.5
    keep = s + (1 - s) * 0.25
    found = model.counterfactual_probability({"u19": 1, "X0": 1}, {"u19": 1, "X0": 0}, stickiness=s)
    assert found == pytest.approx(keep * (1 - s) * 0.25, abs=1e-12)
    with pytest.raises(IntractableError, match=r"\b21\b.*\b2,097,152\b.*\b1,048,576\b"):
        DiscreteSCM({**distributions, "u20": 0.5}, {})
    with pytest.raises(IntractableError, match=r"\b100\b.*\b10\^30\b"):
        DiscreteSCM({f"u{i}": 0.5 for i in range(100)}, {})
    assert DiscreteSCM({f"u{i}": 1 for i in range(100)}, {}).probability({"u7": 1}) == 1.0, (
        "certain values are no noise"
    )


def test_rare_facts_do_not_underflow():
    rare = dict.fromkeys("abc", 1e-200)
    model = DiscreteSCM(rare, {})
    facts = all_of("abc", 1, 1, 1)
    assert model.counterfactual_probability({"a": 1}, facts, do={"b": 1}, stickiness=0.5) == pytest.approx(0.5)
    with pytest.raises(IntractableError, match=r"b=1, c=1\b"):
        model.counterfactual_probability({"a": 1}, all_of("abc", 0, 0, 0), observe={"b": 1, "c": 1}, stickiness=0.5)

"""What `DiscreteSCM` refuses, and the sentences in which it does: malformed models, bad queries, impossible worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from causalcf.errors import CausalCFError, ImpossibleWorldError
from causalcf.esm import DiscreteSCM

BACON = DiscreteSCM(
    {"uB": 0.9, "uS": 0.9, "uN": 0.1},
    {"B": lambda v: v["uB"], "S": lambda v: v["B"] and v["uS"], "N": lambda v: v["S"] or v["uN"]},
)


@pytest.mark.parametrize(
    ("exogenous", "equations", "message"),
    [
        ({}, {}, "without variables"),
        ([("a", 0.5)], {}, "exogenous=.*expected a mapping"),
        ({"a": 0.5}, [], "equations=.*expected a mapping"),
        ({3: 0.5}, {}, "variable 3: expected a string"),
        ({"a": 0.5}, {"a": lambda v: 1}, "'a' is exogenous and has an equation"),
        ({"a": 0.5}, {"b": 1}, "equation of 'b' is 1: expected a function"),
        ({"a": 1.5}, {}, r"exogenous 'a'=1.5: expected a probability"),
        ({"a": math.nan}, {}, "exogenous 'a'=nan"),
        ({"a": "0.5"}, {}, "exogenous 'a'='0.5'"),
        ({"a": {}}, {}, "exogenous 'a': the probabilities sum to 0; expected a sum of 1"),
        ({"a": {0: 0.5, 1: 0.4}}, {}, "exogenous 'a': the probabilities sum to 0.9; expected a sum of 1"),
        ({"a": {0: 1.5, 1: -0.5}}, {}, r"P\(a=0\)=1.5: expected a probability"),
        ({"a": {None: 1.0}}, {}, "a value of exogenous 'a' is None"),
        ({"a": {math.nan: 1.0}}, {}, "a value of exogenous 'a' is nan"),
        ({"a": 0.5}, {"b": lambda v: None}, "answer of the equation of 'b' is None"),
        ({"a": 0.5}, {"b": lambda v: [v["a"]]}, r"answer of the equation of 'b' is \[0\]: .*hashable"),
        ({"a": 0.5}, {"b": lambda v: np.array([1, 2])}, "answer of the equation of 'b' is array"),
        ({"a": 0.5}, {"b": lambda v: torch.tensor(1)}, "answer of the equation of 'b' is tensor"),
        ({"a": 0.5}, {"b": lambda v: math.nan}, "answer of the equation of 'b' is nan"),
        ({"a": 0.5}, {"b": lambda v: math.sqrt}, "answer of the equation of 'b' is <built-in function sqrt>"),
        ({"a": 0.5}, {"b": lambda v: 1 / v["a"]}, "equation of 'b' failed at a=0: ZeroDivisionError: division by zero"),
        ({"a": 0.5}, {"b": lambda v: v["c"], "c": lambda v: 1}, "equation of 'b' reads 'c', which has no value yet"),
        ({"a": 0.5}, {"b": lambda v: v["b"]}, "equation of 'b' reads 'b', which has no value yet"),
        ({"smoke": 0.5}, {"b": lambda v: v.get("smoek", 0)}, "'b': unknown variable 'smoek'; did you mean 'smoke'"),
    ],
)
def test_malformed_models_name_the_culprit(exogenous, equations, message):
    with pytest.raises(CausalCFError, match=message):
        DiscreteSCM(exogenous, equations)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ({"event": {"Bacon": 1}}, CausalCFError, "event: unknown variable 'Bacon'.*Allowed: uB, uS, uN, B, S, N"),
        ({"facts": {"us": 1}}, CausalCFError, "facts: unknown variable 'us'; did you mean 'uS'"),
        ({"facts": "B"}, CausalCFError, "facts='B': expected a mapping"),
        ({"do": {"S": None}}, CausalCFError, "do S is None"),
        ({"observe": {"S": [0]}}, CausalCFError, "observe S is"),
        ({"stickiness": 1.5}, CausalCFError, r"stickiness=1.5: expected a number in \[0, 1\]"),
        ({"stickiness": math.nan}, CausalCFError, "stickiness=nan"),
        ({"stickiness": "1"}, CausalCFError, "stickiness='1'"),
        ({"conditioning": "nest"}, CausalCFError, "unknown conditioning 'nest'; did you mean 'nested'"),
        ({"facts": {"S": 2}}, ImpossibleWorldError, "facts S=2: an event of probability zero; takes 0, 1"),
        ({"facts": {"B": 0, "S": 1}}, ImpossibleWorldError, "facts B=0, S=1: an event of probability zero"),
        ({"do": {"S": 0}, "observe": {"S": 1}}, ImpossibleWorldError, "do and observe contradict each other about 'S'"),
        ({"do": {"B": 0}, "observe": {"S": 1}}, ImpossibleWorldError, "S=1 has probability zero beside the facts B=1"),
        ({"observe": {"S": 0}, "stickiness": 1.0}, ImpossibleWorldError, "S=0 has probability zero beside the facts"),
        (
            {"facts": {"B": 1}, "observe": {"S": 0}, "stickiness": 1.0, "conditioning": "nested"},
            ImpossibleWorldError,
            "S=0 has probability zero beside",
        ),
    ],
)
def test_bad_queries_name_the_culprit(query, error, message):
    ask = {"event": {"B": 1}, "facts": {"B": 1, "S": 1, "N": 1}, "stickiness": 0.5, **query}
    with pytest.raises(error, match=message):
        BACON.counterfactual_probability(**ask)


def test_impossible_conditions_of_the_actual_world():
    with pytest.raises(ImpossibleWorldError, match="given S=1: an event of probability zero; takes 0"):
        BACON.probability({"N": 1}, given={"S": 1}, do={"B": 0})
    with pytest.raises(ImpossibleWorldError, match="given and do contradict each other about 'B'"):
        BACON.probability({"N": 1}, given={"B": 1}, do={"B": 0})

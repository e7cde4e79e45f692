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
    ("exogenous", "equations", "culprit"),
    [
        ({}, {}, "variables"),
        ([("a", 0.5)], {}, r"exogenous=\[\(\'a\', 0\.5\)\]"),
        ({"a": 0.5}, [], r"equations=\[\]"),
        ({3: 0.5}, {}, r"\bvariable 3\b"),
        ({"a": 0.5}, {"a": lambda v: 1}, "'a'.*exogenous.*equation"),
        ({"a": 0.5}, {"b": 1}, r"'b'.*\b1\b"),
        ({"a": 1.5}, {}, r"'a'=1\.5"),
        ({"a": math.nan}, {}, "'a'=nan"),
        ({"a": "0.5"}, {}, r"'a'='0\.5'"),
        ({"a": {}}, {}, r"'a'.*\bsum to 0\b(?!\.)"),
        ({"a": {0: 0.5, 1: 0.4}}, {}, r"'a'.*\b0\.9\b"),
        ({"a": {0: 1.5, 1: -0.5}}, {}, r"P\(a=0\)=1\.5"),
        ({"a": {None: 1.0}}, {}, "'a'.*None"),
        ({"a": {math.nan: 1.0}}, {}, "'a' .*nan"),
        ({"a": 0.5}, {"b": lambda v: None}, "'b'.*None"),
        ({"a": 0.5}, {"b": lambda v: [v["a"]]}, r"'b'.*\[0\]"),
        ({"a": 0.5}, {"b": lambda v: np.array([1, 2])}, "'b'.*array"),
        ({"a": 0.5}, {"b": lambda v: torch.tensor(1)}, "'b'.*tensor"),
        ({"a": 0.5}, {"b": lambda v: math.nan}, "'b'.*nan"),
        ({"a": 0.5}, {"b": lambda v: math.sqrt}, "'b'.*<built-in function sqrt>"),
        ({"a": 0.5}, {"b": lambda v: 1 / v["a"]}, "'b'.*a=0.*ZeroDivisionError"),
        ({"a": 0.5}, {"b": lambda v: v["c"], "c": lambda v: 1}, "'b'.*'c'"),
        ({"a": 0.5}, {"b": lambda v: v["b"]}, "'b'.*'b'"),
        ({"smoke": 0.5}, {"b": lambda v: v.get("smoek", 0)}, "'b'.*'smoek'.*'smoke'"),
    ],
)
def test_malformed_models_name_the_culprit(exogenous, equations, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        DiscreteSCM(exogenous, equations)


@pytest.mark.parametrize(
    ("query", "error", "culprit"),
    [
        ({"event": {"Bacon": 1}}, CausalCFError, "event.*'Bacon'.*uB, uS, uN, B, S, N"),
        ({"facts": {"us": 1}}, CausalCFError, "facts.*'us'.*'uS'"),
        ({"facts": "B"}, CausalCFError, "facts='B'"),
        ({"do": {"S": None}}, CausalCFError, r"\bdo S\b.*None"),
        ({"observe": {"S": [0]}}, CausalCFError, r"\bobserve S\b.*\[0\]"),
        ({"stickiness": 1.5}, CausalCFError, r"stickiness=1\.5"),
        ({"stickiness": math.nan}, CausalCFError, "stickiness=nan"),
        ({"stickiness": "1"}, CausalCFError, "stickiness='1'"),
        ({"conditioning": "nest"}, CausalCFError, "conditioning.*'nest'.*'nested'"),
        ({"facts": {"S": 2}}, ImpossibleWorldError, r"facts S=2\b.*\b0, 1$"),
        ({"facts": {"B": 0, "S": 1}}, ImpossibleWorldError, r"facts B=0, S=1\b"),
        ({"do": {"S": 0}, "observe": {"S": 1}}, ImpossibleWorldError, "do and observe.*'S'"),
        ({"do": {"B": 0}, "observe": {"S": 1}}, ImpossibleWorldError, r"\bB=0, S=1\b.*facts B=1\b"),
        ({"observe": {"S": 0}, "stickiness": 1.0}, ImpossibleWorldError, r"\bS=0\b.*facts B=1, S=1, N=1$"),
        (
            {"facts": {"B": 1}, "observe": {"S": 0}, "stickiness": 1.0, "conditioning": "nested"},
            ImpossibleWorldError,
            r"\bS=0\b.*facts B=1$",
        ),
    ],
)
def test_bad_queries_name_the_culprit(query, error, culprit):
    ask = {"event": {"B": 1}, "facts": {"B": 1, "S": 1, "N": 1}, "stickiness": 0.5, **query}
    with pytest.raises(error, match=culprit):
        BACON.counterfactual_probability(**ask)


def test_impossible_conditions_of_the_actual_world():
    with pytest.raises(ImpossibleWorldError, match=r"given S=1\b.*\b0$"):
        BACON.probability({"N": 1}, given={"S": 1}, do={"B": 0})
    with pytest.raises(ImpossibleWorldError, match=r"given and do.*'B'"):
        BACON.probability({"N": 1}, given={"B": 1}, do={"B": 0})

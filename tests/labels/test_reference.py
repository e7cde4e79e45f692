"""The reference against the structural model enumerated, and its own limits."""

import pytest
import torch

from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.labels.reference import Reference

GRAPH = CausalGraph({"a": [], "b": ["a"], "c": ["a", "b"]})
SCM = LabelSCM.from_probabilities(GRAPH, {"a": 0.3, "b": [0.2, 0.7], "c": [[0.1, 0.5], [0.0, 0.9]]})


@pytest.mark.parametrize(("mode", "stickiness"), [("do", 1.0), ("do", 0.4), ("observe", 0.4)])
@pytest.mark.parametrize("nodes", [("a", "b", "c"), ("c", "a")])
def test_answers_are_those_of_each_unit_asked_alone(mode, stickiness, nodes):
    facts = torch.tensor([[int(bit) for bit in f"{i:03b}"] for i in range(8)] * 2, dtype=torch.int8)[:, : len(nodes)]
    value = (1 - facts[:, 0]).clone()
    possible, answers = Reference(SCM, nodes, "truth").answer(facts, {nodes[0]: value}, mode, stickiness)
    for i, row in enumerate(facts.tolist()):
        known = dict(zip(nodes, row, strict=True))
        try:
            for column, name in enumerate(nodes):
                alone = SCM.counterfactual_probability(
                    {name: 1}, known, **{mode: {nodes[0]: int(value[i])}}, stickiness=stickiness
                )
                assert answers[i, column] == pytest.approx(alone, abs=1e-12)
            assert possible[i]
        except ValueError:  # of probability zero
            assert not possible[i] and answers[i].isnan().all()
    assert int(possible.sum()) > 0 and (len(nodes) < 3 or int(possible.sum()) < len(facts))


def test_sampled_labels_stand_in_the_order_asked_for():
    drawn = Reference(SCM, ("c", "a"), "truth").sample(50, {"a": 1, "c": 0}, torch.Generator().manual_seed(0))
    assert drawn.tolist() == [[0, 1]] * 50

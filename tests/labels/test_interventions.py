"""Interventions that set no value. Oracle: enumeration of labels and of threshold noise, written out here."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import causalcf as cf
from causalcf.errors import CausalCFError, GraphError, ImpossibleWorldError
from causalcf.labels.mechanisms import NeuralMechanism, ResponseMechanism, TableMechanism

GRAPH = cf.CausalGraph({"A": [], "B": ["A"], "C": ["A", "B"]})
SHARES = st.floats(0, 1)
FINE = 1e-9


@st.composite
def models(draw):
    tables = {"A": draw(SHARES), "B": [draw(SHARES) for _ in range(2)]}
    tables["C"] = [[draw(SHARES), draw(SHARES)], [draw(SHARES), draw(SHARES)]]
    return cf.LabelSCM.from_probabilities(GRAPH, tables)


def intervals(scm, new):
    """Pieces of the noise of each node on which nothing changes, old and new thresholds alike: (middle, length)."""
    found = []
    for node in GRAPH.nodes:
        cuts = {
            0.0,
            1.0,
            *scm.mechanisms[node].whole_table().flatten().tolist(),
            *new[node].mechanisms[node].whole_table().flatten().tolist(),
        }
        ends = sorted(cuts)
        found.append([((a + b) / 2, b - a) for a, b in itertools.pairwise(ends) if b > a])
    return found


def worlds(scm, policies, stickiness):
    """All pairs of worlds with their probability: noise enumerated, kept or redrawn, policies in the other world."""
    new = dict.fromkeys(GRAPH.nodes, scm)
    new |= {node: scm._under({GRAPH.nodes.index(node): policy}) for node, policy in policies.items()}
    pieces = intervals(scm, new)
    for noise in itertools.product(*pieces):
        actual = _respond(scm, dict.fromkeys(GRAPH.nodes, scm), [u for u, _ in noise])
        weight = _product(length for _, length in noise)
        keeps = [(True, stickiness), (False, 1 - stickiness)]
        for kept in itertools.product(keeps, repeat=3):
            if not all(share for _, share in kept):
                continue
            options = [[noise[i]] if kept[i][0] else pieces[i] for i in range(3)]
            for i, node in enumerate(GRAPH.nodes):
                if isinstance(policies.get(node), cf.Stochastic | cf.Conditional):
                    options[i] = pieces[i]  # the person's noise has no say
            for other in itertools.product(*options):
                share = _product(s for _, s in kept)
                fresh = (
                    length
                    for i, (_, length) in enumerate(other)
                    if not kept[i][0] or isinstance(policies.get(GRAPH.nodes[i]), cf.Stochastic | cf.Conditional)
                )
                yield actual, _respond(scm, new, [u for u, _ in other]), weight * share * _product(fresh)


def _product(values):
    found = 1.0
    for value in values:
        found *= value
    return found


def _respond(scm, models_, noise):
    world = {}
    for node, u in zip(GRAPH.nodes, noise, strict=True):
        table = models_[node].mechanisms[node].whole_table()
        world[node] = int(u < float(table[tuple(world[p] for p in GRAPH.parents(node))]))
    return world


POLICIES = st.one_of(
    st.floats(-1, 1).map(cf.Soft),
    SHARES.map(cf.Stochastic),
    st.sampled_from([cf.Conditional(lambda **parents: int(sum(parents.values()) % 2 == 0))]),
)


@given(
    models(),
    st.dictionaries(st.sampled_from(GRAPH.nodes), POLICIES, min_size=1, max_size=2),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.data(),
)
def test_counterfactuals_are_those_of_enumerated_noise(scm, policies, stickiness, data):
    facts = data.draw(st.dictionaries(st.sampled_from(GRAPH.nodes), st.integers(0, 1), max_size=3))
    event = {data.draw(st.sampled_from(GRAPH.nodes)): 1}
    below = above = 0.0
    for actual, other, weight in worlds(scm, policies, stickiness):
        if all(actual[n] == v for n, v in facts.items()):
            below += weight
            above += weight * all(other[n] == v for n, v in event.items())
    if below < 1e-6:
        return
    try:
        exact = scm.counterfactual_probability(event, facts, do=policies, stickiness=stickiness)
    except ImpossibleWorldError:
        assert below < 1e-5
        return
    assert exact == pytest.approx(above / below, abs=1e-6)


@given(models(), POLICIES, st.data())
def test_the_model_after_it_is_one_with_another_table(scm, policy, data):
    node = data.draw(st.sampled_from(GRAPH.nodes))
    given_ = {n: 1 for n in ("A",) if n != node}
    changed = scm._under({GRAPH.nodes.index(node): policy})
    event = {"C": 1}
    try:
        exact = changed.probability(event, given=given_)
    except ImpossibleWorldError:
        return
    assert scm.probability(event, given=given_, do={node: policy}) == exact
    assert torch.equal(scm.joint(do={node: policy}), changed.joint())
    draws = [
        model.sample(50, generator=torch.Generator().manual_seed(1), **asked)
        for model, asked in ((scm, {"do": {node: policy}}), (changed, {}))
    ]
    assert torch.equal(*draws)


def test_draws_follow_the_exact_law():
    from scipy.stats import binomtest

    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    labels = torch.tensor([[1, 0, 0]])
    do = {"B": cf.Soft(0.3)}
    drawn = scm.counterfactual(labels, do=do, draws=20_000, generator=torch.Generator().manual_seed(0))[0]
    for i, node in enumerate(GRAPH.nodes):
        exact = scm.counterfactual_probability({node: 1}, {"A": 1, "B": 0, "C": 0}, do=do)
        assert binomtest(int(drawn[:, i].sum()), 20_000, min(exact, 1.0)).pvalue > 1e-5
    assert exact == pytest.approx(0.75 * (0.9 - 0.5) / (1 - 0.5))  # B rises for three of four, C with it for the rest
    fresh = scm.counterfactual_probability({"B": 1}, {"A": 1, "B": 0, "C": 0}, do={"B": cf.Stochastic(0.9)})
    assert fresh == pytest.approx(0.9)


def test_a_zero_shift_changes_nobody():
    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    rows = scm.sample(200, generator=torch.Generator().manual_seed(0))
    drawn = scm.counterfactual(rows, do={"B": cf.Soft(0.0)}, generator=torch.Generator().manual_seed(1))
    assert torch.equal(drawn[:, 0], rows)


def test_it_works_together_with_values_and_observations():
    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    both = scm.probability({"C": 1}, do={"A": 1, "B": cf.Stochastic(0.25)})
    assert both == pytest.approx(0.25 * 0.9 + 0.75 * 0.5)
    seen = scm.counterfactual_probability(
        {"A": 1}, {}, do={"B": cf.Conditional(lambda A: A)}, observe={"C": 1}, stickiness=0.0
    )
    assert seen == pytest.approx(0.5 * 0.9 / (0.5 * 0.9 + 0.5 * 0.1))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: cf.Soft(2), "shift"),
        (lambda: cf.Soft("much"), "shift"),
        (lambda: cf.Stochastic(1.5), "probability"),
        (lambda: cf.Conditional(1), "rule"),
    ],
)
def test_wrong_interventions_are_refused(make, why):
    with pytest.raises(CausalCFError, match=why):
        make()


@pytest.mark.parametrize(
    ("do", "why"),
    [
        ({"D": cf.Soft(0.1)}, "'D'"),
        ({"C": cf.Conditional(lambda A: A)}, "the rule of C must take A, B, by name"),
        ({"B": cf.Conditional(lambda A: 2)}, "the rule of B gave 2 for A=0"),
        ({"B": cf.Soft(0.1), "A": 3}, "A=3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(do, why):
    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    for ask in (lambda: scm.probability({"C": 1}, do=do), lambda: scm.counterfactual_probability({"C": 1}, {}, do=do)):
        with pytest.raises(CausalCFError, match=why):
            ask()


def test_soft_needs_a_threshold():
    bits = torch.tensor([[0, 1, 1, 0]], dtype=torch.uint8)
    scm = cf.LabelSCM(cf.CausalGraph({"A": []}), {"A": ResponseMechanism(bits)})
    with pytest.raises(GraphError, match="noise of A is no threshold"):
        scm.probability({"A": 1}, do={"A": cf.Soft(0.1)})
    assert scm.probability({"A": 1}, do={"A": cf.Stochastic(0.25)}) == 0.25


def test_a_law_takes_any_number_of_parents():
    parents = [f"P{i}" for i in range(40)]
    graph = cf.CausalGraph({**{name: [] for name in parents}, "X": parents})
    zero = torch.zeros(40)
    network = NeuralMechanism(torch.zeros(()), zero, torch.zeros(2, 40), torch.zeros(2), torch.zeros(2))
    scm = cf.LabelSCM(graph, {**{name: TableMechanism(0.5) for name in parents}, "X": network})
    assert scm.sample(4, do={"X": cf.Stochastic(1.0)}).shape == (4, 41)
    assert scm.counterfactual(scm.sample(3), do={"X": cf.Stochastic(0.0)})[:, 0, -1].tolist() == [0, 0, 0]
    for wrong in (cf.Soft(0.1), cf.Conditional(lambda **all: 1)):
        with pytest.raises(GraphError, match="X has 40 parents"):
            scm.sample(4, do={"X": wrong})
    with pytest.raises(GraphError, match="'X' has 40 parents"):
        scm.variables()


@pytest.mark.parametrize("rule", [lambda A: 1 / 0, lambda A: np.array([1, 0]), lambda A: "yes", lambda A: A + "x"])
def test_a_rule_that_fails_is_said_to(rule):
    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    with pytest.raises(GraphError, match="the rule of B failed for A=0: "):
        scm.probability({"B": 1}, do={"B": cf.Conditional(rule)})
    assert scm.probability({"B": 1}, do={"B": cf.Conditional(lambda A: np.bool_(A))}) == 0.5
    assert scm.probability({"B": 1}, do={"B": cf.Soft(np.float32(0.25))}) == pytest.approx(0.7)


def test_noise_answers_under_them_too():
    scm = cf.LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.3, 0.6], "C": [[0.1, 0.4], [0.5, 0.9]]})
    noise = torch.tensor([[0.2, 0.65, 0.6]], dtype=torch.float64)
    assert scm.respond(noise).tolist() == [[1, 0, 0]]
    assert scm.respond(noise, do={"B": cf.Soft(0.1)}).tolist() == [[1, 1, 1]]
    with pytest.raises(CausalCFError, match="sets no value"):
        scm.variables(do={"B": cf.Soft(0.1)})

"""The limits of the extended structural model, on random graphs and on both routes: the twin network of `LabelSCM`
and the enumeration of all noise by `DiscreteSCM`."""

import numpy as np
import pytest
from helpers.label_oracles import cases, events, known_labels
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError, ImpossibleWorldError, IntractableError
from causalcf.esm import DiscreteSCM
from causalcf.graph import CausalGraph
from causalcf.labels import LabelSCM

STICKINESS = st.sampled_from([0.0, 0.25, 0.53, 1.0])
MODELS = cases(6, 3, grain=4)
on_both_routes = pytest.mark.parametrize("route", ["scm", "model"], ids=["LabelSCM", "DiscreteSCM"])


@st.composite
def questions(draw, complete: bool = False):
    case = draw(MODELS)
    return case, draw(known_labels(case, complete)), draw(events(case.graph, 1)), draw(events(case.graph, 1))


@on_both_routes
@given(questions())
def test_do_with_all_noise_kept_is_abduction_action_prediction(route, question):
    case, facts, event, do = question
    both, below = case.pearl(event, facts, do)
    found = getattr(case, route).counterfactual_probability(event, facts, do=do, stickiness=1.0)
    assert found == pytest.approx(both / below, abs=1e-12)


@on_both_routes
@given(questions())
def test_do_with_all_noise_redrawn_is_the_interventional_law(route, question):
    case, facts, event, do = question
    found = getattr(case, route).counterfactual_probability(event, facts, do=do, stickiness=0.0)
    both, below = case.probability(event, do=do)
    assert found == pytest.approx(both / below, abs=1e-12)
    assert getattr(case, route).probability(event, do=do) == pytest.approx(found, abs=1e-12)


@on_both_routes
@given(questions())
def test_observing_with_all_noise_redrawn_is_conditioning(route, question):
    case, facts, event, observe = question
    both, below = case.probability(event, observe)
    model = getattr(case, route)
    if below == 0:
        with pytest.raises(ImpossibleWorldError, match=r"|".join(f"{name}={value}" for name, value in observe.items())):
            model.counterfactual_probability(event, facts, observe=observe, stickiness=0.0)
        return
    found = model.counterfactual_probability(event, facts, observe=observe, stickiness=0.0)
    assert found == pytest.approx(both / below, abs=1e-12)
    assert model.probability(event, given=observe) == pytest.approx(found, abs=1e-12)


@on_both_routes
@given(questions(), st.data())
def test_observing_against_the_facts_with_all_noise_kept_is_impossible(route, question, data):
    case, facts, event, observe = question
    facts = facts or data.draw(known_labels(case, complete=True))
    name = data.draw(st.sampled_from(sorted(facts)))
    contrary = {**observe, name: 1 - facts[name]}
    with pytest.raises(ImpossibleWorldError, match=rf"\b{name}={contrary[name]}\b.*facts"):
        getattr(case, route).counterfactual_probability(event, facts, observe=contrary, stickiness=1.0)


@pytest.mark.parametrize(("stickiness", "advice"), [(0.5, r"set it by do, or lower the stickiness$"), (0, r"by do$")])
def test_the_advice_for_an_impossible_antecedent_is_of_use(stickiness, advice):
    scm = LabelSCM.from_probabilities(CausalGraph({"A": []}), {"A": 0.0})
    with pytest.raises(ImpossibleWorldError, match=advice):
        scm.counterfactual_probability({"A": 1}, {"A": 0}, observe={"A": 1}, stickiness=stickiness)


@on_both_routes
@given(questions(complete=True), STICKINESS, st.integers(0, 1))
def test_a_root_observed_is_a_root_set(route, question, s, value):
    """All labels known: then the noises are independent, and the root's label tells about its own alone."""
    case, facts, event, _ = question
    root, model = case.graph.nodes[0], getattr(case, route)
    if case.probability({root: value})[0] == 0 or (s == 1 and facts[root] != value):
        with pytest.raises(ImpossibleWorldError):
            model.counterfactual_probability(event, facts, observe={root: value}, stickiness=s)
        return
    observed = model.counterfactual_probability(event, facts, observe={root: value}, stickiness=s)
    done = model.counterfactual_probability(event, facts, do={root: value}, stickiness=s)
    assert observed == pytest.approx(done, abs=1e-12)


def test_a_root_observed_beside_partial_facts_is_more_than_a_root_set():
    """C = A or B, C known: that A* is 0 makes A=1 less likely, and so B=1 more; do(A*=0) says nothing about A."""
    graph = {"A": 0.5, "B": 0.5}
    model = DiscreteSCM(graph, {"C": lambda v: v["A"] or v["B"]})
    observed, done = (
        model.counterfactual_probability({"B": 1}, {"C": 1}, **{verb: {"A": 0}}, stickiness=0.5)
        for verb in ("observe", "do")
    )
    assert (observed, done) == (pytest.approx(0.65), pytest.approx(0.5 * 2 / 3 + 0.5 * 0.5))


@on_both_routes
@given(cases(4, 3, grain=8), STICKINESS)
def test_kernel_leaves_the_law_invariant_and_is_reversible(route, case, s):
    nodes, law = case.graph.nodes, case.joint()
    cells = [cell for cell, weight in law.items() if weight > 0]
    kernel = label_kernel(getattr(case, route), [dict(zip(nodes, cell, strict=True)) for cell in cells], s)
    prior = np.array([law[cell] for cell in cells])
    np.testing.assert_allclose(kernel.sum(1), 1.0, atol=1e-12)
    np.testing.assert_allclose(prior @ kernel, prior, atol=1e-12)
    flow = prior[:, None] * kernel
    np.testing.assert_allclose(flow, flow.T, atol=1e-12)


def label_kernel(model: LabelSCM | DiscreteSCM, worlds: list[dict[str, int]], s: float) -> np.ndarray:
    """P(labels* | labels) from each world (row) to each (column), without an antecedent."""
    if isinstance(model, LabelSCM):
        rows = np.array([list(world.values()) for world in worlds])
        return np.array([model.counterfactual_probabilities(w, rows, stickiness=s).numpy() for w in worlds]).T
    return np.array([[model.counterfactual_probability(to, at, stickiness=s) for to in worlds] for at in worlds])


def test_the_limit_is_the_users_and_the_refusal_says_what_it_takes(monkeypatch):
    from helpers.networks import bald

    scm = bald()
    exact = scm.probability({"Male": 1}, given={"Bald": 1})
    scm.max_cells = 2
    with pytest.raises(IntractableError, match=r"limit is 2\^1 .* GiB .*max_cells = 2\*\*\d"):
        scm.probability({"Male": 1}, given={"Bald": 1})
    scm.max_cells = 2**10
    assert scm.probability({"Male": 1}, given={"Bald": 1}) == exact
    monkeypatch.setattr("causalcf.labels.elimination.MAX_CELLS", 1)
    assert scm.probability({"Male": 1}, given={"Bald": 1}) == exact


def test_equal_units_are_answered_alike_and_once(monkeypatch):
    import torch
    from helpers.networks import bald

    from causalcf.labels import elimination

    scm = bald()
    rows = scm.sample(500, generator=torch.Generator().manual_seed(0))
    asked, eliminate = [], elimination._eliminate

    def counted(network, evidence, b, order):
        asked.append(b)
        return eliminate(network, evidence, b, order)

    monkeypatch.setattr(elimination, "_eliminate", counted)
    found = scm.counterfactual_probabilities({"Bald": 1}, rows, observe={"Young": 0}, stickiness=0.53)
    assert max(asked) <= len(rows.unique(dim=0)) <= 8
    alone = [
        scm.counterfactual_probability(
            {"Bald": 1}, dict(zip(scm.graph.nodes, row.tolist(), strict=True)), observe={"Young": 0}, stickiness=0.53
        )
        for row in rows[:20]
    ]
    assert found[:20].tolist() == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("batch", [1, 100])
def test_long_products_do_not_underflow(batch):
    graph = CausalGraph({"R": [], **{f"x{i}": ["R"] for i in range(130)}})
    tables = {"R": 0.5, **{f"x{i}": [1e-10, 1e-10] for i in range(130)}}
    scm = LabelSCM.from_probabilities(graph, tables)
    facts = {f"x{i}": [1] * batch if batch > 1 else 1 for i in range(130)}
    found = scm.counterfactual_probabilities({"R": 1}, facts, do={"x0": 0})
    assert found.tolist() == pytest.approx([0.5] * batch)


@pytest.mark.parametrize("most", ["a", 2.0, 0, -1, True])
def test_a_limit_that_is_none_is_refused(most):
    from helpers.networks import bald

    scm = bald()
    with pytest.raises(CausalCFError, match="max_cells"):
        scm.max_cells = most

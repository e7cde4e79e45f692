"""The label model as a discrete network. Oracle: the network's own sums, by einsum, against the exact answers."""

import string

import numpy as np
import pytest
import torch
from helpers.dags import listings
from helpers.networks import bald, random_model
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError, GraphError, ImpossibleWorldError
from causalcf.graph import CausalGraph
from causalcf.graph.bif import parse_bif
from causalcf.labels import LabelSCM
from causalcf.labels.evidence import configurations
from causalcf.labels.mechanisms import ResponseMechanism, TableMechanism, response_types

NAMES = st.sampled_from([f"N{i}" for i in range(8)])


def network_probability(variables, event):
    """P(event) in a discrete network: the sum over all other variables."""
    letters = dict(zip((one.name for one in variables), string.ascii_letters, strict=False))
    operands, terms = [], []
    for one in variables:
        operands.append(one.table)
        terms.append("".join(letters[name] for name in (*one.parents, one.name)))
        if one.name in event:
            chosen = np.zeros(len(one.states))
            chosen[event[one.name]] = 1
            operands.append(chosen)
            terms.append(letters[one.name])
    return float(np.einsum(",".join(terms) + "->", *operands, optimize="greedy"))


@given(listings(max_nodes=6, names=NAMES), st.integers(0, 2**20), st.sampled_from([0.0, 0.53, 1.0]), st.data())
def test_the_twin_network_answers_as_the_label_model_does(listing, seed, stickiness, data):
    scm = random_model(listing, seed)
    nodes = list(scm.graph.nodes)
    some = st.dictionaries(st.sampled_from(nodes), st.integers(0, 1), max_size=3)
    facts, antecedent, mode = data.draw(some), data.draw(some), data.draw(st.sampled_from(["do", "observe"]))
    effect = data.draw(st.sampled_from(nodes))
    variables = scm.variables(twin=True, stickiness=stickiness, do=antecedent if mode == "do" else None)
    evidence = dict(facts) | ({f"{n}_cf": v for n, v in antecedent.items()} if mode == "observe" else {})
    below = network_probability(variables, evidence)
    try:
        exact = scm.counterfactual_probability({effect: 1}, facts, **{mode: antecedent}, stickiness=stickiness)
    except ImpossibleWorldError:
        assert below == pytest.approx(0, abs=1e-12)
        return
    above = (
        0.0 if evidence.get(f"{effect}_cf") == 0 else network_probability(variables, {**evidence, f"{effect}_cf": 1})
    )
    assert above / below == pytest.approx(exact, abs=1e-9)


@given(listings(max_nodes=6, names=NAMES), st.integers(0, 2**20), st.data())
def test_the_plain_network_answers_as_the_label_model_does(listing, seed, data):
    scm = random_model(listing, seed)
    some = st.dictionaries(st.sampled_from(scm.graph.nodes), st.integers(0, 1), max_size=2)
    event, cut = data.draw(some), data.draw(some)
    event = {name: value for name, value in event.items() if name not in cut}
    assert network_probability(scm.variables(do=cut), event) == pytest.approx(scm.probability(event, do=cut), abs=1e-12)


def test_the_published_number():
    variables = bald().variables(twin=True, do={"Young": 0})
    facts = {"Young": 1, "Male": 1, "Bald": 0}
    found = network_probability(variables, {**facts, "Bald_cf": 1}) / network_probability(variables, facts)
    assert found == pytest.approx(0.0950, abs=5e-5)
    wrong = bald().variables(twin=True, stickiness=0.0, do={"Young": 0})  # noise redrawn: anybody's answer
    apart = network_probability(wrong, {**facts, "Bald_cf": 1}) / network_probability(wrong, facts)
    assert apart == pytest.approx(bald().probability({"Bald": 1}, do={"Young": 0}), abs=1e-9)


@given(st.integers(0, 3), st.integers(0, 2**20), st.booleans())
def test_response_types_are_the_mechanism(parents, seed, response):
    draw = torch.Generator().manual_seed(seed)
    if response:
        mechanism = ResponseMechanism(torch.randint(0, 2, (2**parents, 16), generator=draw, dtype=torch.uint8))
    else:
        mechanism = TableMechanism(torch.rand((2,) * parents, generator=draw, dtype=torch.float64))
    weights, answers = response_types(mechanism)
    cells = configurations(parents)
    assert torch.allclose(weights @ answers.double(), mechanism.probability(cells), atol=1e-12)
    assert len(weights) <= (16 if response else 2**parents + 1) and float(weights.sum()) == pytest.approx(1)
    old, new = cells.repeat_interleave(len(cells), 0), cells.repeat(len(cells), 1)
    joint = torch.einsum("u,ua,ub->ab", weights, answers.double(), answers.double())
    moved = mechanism.transition(torch.ones(len(old), dtype=torch.int8), old, new).view(len(cells), -1)
    p = mechanism.probability(cells)
    possible = p > 0
    assert torch.allclose((joint / p[:, None])[possible], moved[possible], atol=1e-9)


@given(listings(max_nodes=6, names=NAMES), st.integers(0, 2**20))
def test_a_bif_file_comes_back(tmp_path_factory, listing, seed):
    scm = random_model(listing, seed, responses=False)
    path = tmp_path_factory.mktemp("bif") / "mine.bif"
    scm.to_bif(path)
    again = LabelSCM.from_bif(path)
    assert {n: set(again.graph.parents(n)) for n in again.graph.nodes} == {
        n: set(scm.graph.parents(n)) for n in scm.graph.nodes
    }
    rows = configurations(len(scm.graph))
    ours = torch.stack([rows[:, scm.graph.nodes.index(n)] for n in again.graph.nodes], 1)
    assert torch.allclose(again.log_probability(ours).exp(), scm.log_probability(rows).exp(), atol=1e-12)


def test_a_twin_network_is_written_whole(tmp_path):
    bald().to_bif(tmp_path / "twin.bif", twin=True, stickiness=0.53, do={"Young": 0})
    _, variables = parse_bif((tmp_path / "twin.bif").read_text())
    facts = {"Young": 1, "Male": 1, "Bald": 0}
    found = network_probability(variables, {**facts, "Bald_cf": 1}) / network_probability(variables, facts)
    exact = bald().counterfactual_probability({"Bald": 1}, facts, do={"Young": 0}, stickiness=0.53)
    assert found == pytest.approx(exact, abs=1e-9)
    with pytest.raises(GraphError, match="states"):
        LabelSCM.from_bif(tmp_path / "twin.bif")


ASIA = """network asia { }
variable smoke { type discrete [ 2 ] { yes, no }; }
variable lung { type discrete [ 2 ] { Absent, Present }; }
probability ( smoke ) { table 0.3, 0.7; }
probability ( lung | smoke ) { (yes) 0.9, 0.1; (no) 0.99, 0.01; }
"""


def test_states_are_known_by_name_in_any_order(tmp_path):
    (tmp_path / "asia.bif").write_text(ASIA)
    scm = LabelSCM.from_bif(tmp_path / "asia.bif")
    assert scm.probability({"smoke": 1}) == pytest.approx(0.3)
    assert scm.probability({"lung": 1}, do={"smoke": 1}) == pytest.approx(0.1)
    assert scm.probability({"lung": 1}, do={"smoke": 0}) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("{ yes, no }", "{ north, south }", "'smoke' has the states north, south"),
        ("[ 2 ] { yes, no }", "[ 3 ] { yes, no, perhaps }", "line 4: .* 3 probabilities"),
        ("table 0.3, 0.7", "table 0.3, 0.8", "line 4: .*sum 1"),
        ("lung | smoke", "lung | coal", "line 5: 'coal'"),
    ],
)
def test_other_networks_are_refused_by_name(tmp_path, old, new, why):
    text = ASIA.replace(old, new)
    if "north" in new:
        text = text.replace("(yes)", "(north)").replace("(no)", "(south)")
    (tmp_path / "x.bif").write_text(text)
    with pytest.raises(GraphError, match=why):
        LabelSCM.from_bif(tmp_path / "x.bif")


def test_what_cannot_be_written_is_refused(tmp_path):
    scm = LabelSCM.from_probabilities(CausalGraph({"A b": []}), {"A b": 0.5})
    with pytest.raises(GraphError, match="'A b'"):
        scm.to_bif(tmp_path / "x.bif")
    taken = LabelSCM.from_probabilities(CausalGraph({"A": [], "U_A": []}), {"A": 0.5, "U_A": 0.5})
    with pytest.raises(GraphError, match="'U_A'"):
        taken.variables(twin=True)
    with pytest.raises(CausalCFError, match="stickiness"):
        bald().variables(twin=True, stickiness=2.0)
    with pytest.raises(CausalCFError, match="Yong"):
        bald().to_bif(tmp_path / "x.bif", do={"Yong": 1})
    with pytest.raises(GraphError, match="nowhere"):
        LabelSCM.from_bif(tmp_path / "nowhere.bif")
    with pytest.raises(GraphError, match="int"):
        LabelSCM.from_pgmpy(3)


@pytest.mark.parametrize(("call", "package"), [("to_pgmpy", "pgmpy"), ("to_dowhy", "dowhy"), ("to_pyro", "pyro")])
def test_a_missing_package_is_named(monkeypatch, call, package):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CausalCFError, match=rf"{package}.*causalcf\[{package}\]"):
        getattr(bald(), call)()

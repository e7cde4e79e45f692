"""pgmpy, dowhy and Pyro give the label model's answers. They are large, so that only the slow tests install them:
pip install ".[test,pgmpy,dowhy,pyro]"
"""

import warnings

import numpy as np
import pytest
import torch
from helpers.dags import listings
from helpers.networks import bald, random_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from causalcf.errors import GraphError, ImpossibleWorldError
from causalcf.labels import LabelSCM
from causalcf.labels.evidence import configurations

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ALPHA = 1e-5
NAMES = st.sampled_from([f"N{i}" for i in range(8)])
FACTS = {"Young": 1, "Male": 1, "Bald": 0}
few = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@few
@given(listings(max_nodes=6, names=NAMES), st.integers(0, 2**20), st.sampled_from([0.0, 0.53, 1.0]), st.data())
def test_pgmpy_answers_in_the_twin_network(listing, seed, stickiness, data):
    inference = pytest.importorskip("pgmpy.inference")
    scm = random_model(listing, seed)
    some = st.dictionaries(st.sampled_from(scm.graph.nodes), st.integers(0, 1), max_size=2)
    facts, antecedent, mode = data.draw(some), data.draw(some), data.draw(st.sampled_from(["do", "observe"]))
    effect = data.draw(st.sampled_from([node for node in scm.graph.nodes if node not in antecedent] or [None]))
    if effect is None:
        return
    model = scm.to_pgmpy(twin=True, stickiness=stickiness, do=antecedent if mode == "do" else None)
    assert model.check_model()
    evidence = facts | ({f"{n}_cf": v for n, v in antecedent.items()} if mode == "observe" else {})
    try:
        exact = scm.counterfactual_probability({effect: 1}, facts, **{mode: antecedent}, stickiness=stickiness)
    except ImpossibleWorldError:
        return
    found = inference.VariableElimination(model).query([f"{effect}_cf"], evidence=evidence, show_progress=False)
    assert float(found.get_value(**{f"{effect}_cf": 1})) == pytest.approx(exact, abs=1e-9)


@few
@given(listings(max_nodes=6, names=NAMES), st.integers(0, 2**20))
def test_a_pgmpy_network_comes_back(listing, seed):
    pytest.importorskip("pgmpy")
    scm = random_model(listing, seed, responses=False)
    again = LabelSCM.from_pgmpy(scm.to_pgmpy())
    rows = configurations(len(scm.graph))
    ours = torch.stack([rows[:, scm.graph.nodes.index(n)] for n in again.graph.nodes], 1)
    assert torch.allclose(again.log_probability(ours).exp(), scm.log_probability(rows).exp(), atol=1e-12)


def test_a_pgmpy_network_with_other_variables_is_refused():
    pytest.importorskip("pgmpy")
    with pytest.raises(GraphError, match="'U_Bald' has the 5 states"):
        LabelSCM.from_pgmpy(bald().to_pgmpy(twin=True))


def test_bif_files_are_read_by_others(tmp_path):
    scm = bald()
    scm.to_bif(tmp_path / "twin.bif", twin=True, do={"Young": 0})
    gum = pytest.importorskip("pyagrum")
    network = gum.loadBN(str(tmp_path / "twin.bif"))
    inference = gum.LazyPropagation(network)
    inference.setEvidence({name: str(value) for name, value in FACTS.items()})
    found = float(inference.posterior("Bald_cf")[{"Bald_cf": "1"}])
    assert found == pytest.approx(scm.counterfactual_probability({"Bald": 1}, FACTS, do={"Young": 0}), abs=1e-6)
    reader = pytest.importorskip("pgmpy.readwrite").BIFReader(str(tmp_path / "twin.bif"))
    assert reader.get_model().check_model()


def test_dowhy_draws_counterfactuals_and_samples():
    gcm = pytest.importorskip("dowhy.gcm")
    import pandas as pd

    np.random.seed(0)
    scm, n = bald(), 20_000
    model = scm.to_dowhy()
    rows = pd.DataFrame([FACTS] * n)
    drawn = gcm.counterfactual_samples(model, {"Young": lambda young: 0}, observed_data=rows)
    exact = scm.counterfactual_probability({"Bald": 1}, FACTS, do={"Young": 0})
    hits = int(drawn["Bald"].sum())
    assert binomtest(hits, n, exact).pvalue > ALPHA
    assert binomtest(hits, n, scm.probability({"Bald": 1}, given={"Male": 1}, do={"Young": 0})).pvalue < ALPHA
    assert (drawn["Young"] == 0).all() and (drawn["Male"] == 1).all()
    sampled = gcm.draw_samples(model, n)
    for node in scm.graph.nodes:
        assert binomtest(int(sampled[node].sum()), n, scm.probability({node: 1})).pvalue > ALPHA
    intervened = gcm.interventional_samples(model, {"Male": lambda male: 1}, num_samples_to_draw=n)
    assert binomtest(int(intervened["Bald"].sum()), n, scm.probability({"Bald": 1}, do={"Male": 1})).pvalue > ALPHA


@few
@given(listings(max_nodes=5, names=NAMES), st.integers(0, 2**20), st.data())
def test_dowhy_gives_parents_in_its_own_order(listing, seed, data):
    gcm = pytest.importorskip("dowhy.gcm")
    scm = random_model(listing, seed)
    cut = {data.draw(st.sampled_from(scm.graph.nodes)): data.draw(st.integers(0, 1))}
    np.random.seed(seed % 2**31)
    actions = {node: (lambda _, value=value: value) for node, value in cut.items()}
    drawn = gcm.interventional_samples(scm.to_dowhy(), actions, num_samples_to_draw=400)
    for node in scm.graph.nodes:
        assert binomtest(int(drawn[node].sum()), 400, scm.probability({node: 1}, do=cut)).pvalue > ALPHA


@few
@given(listings(max_nodes=5, names=NAMES), st.integers(0, 2**20), st.data())
def test_pyro_enumerates_the_same_probabilities(listing, seed, data):
    pyro = pytest.importorskip("pyro")
    from pyro.infer import TraceEnum_ELBO, config_enumerate

    scm = random_model(listing, seed)
    event = data.draw(st.dictionaries(st.sampled_from(scm.graph.nodes), st.integers(0, 1), min_size=1, max_size=3))
    exact = scm.probability(event)
    observed = {name: torch.tensor(float(value)) for name, value in event.items()}
    model = config_enumerate(pyro.condition(scm.to_pyro(enumerable=True), data=observed))
    found = np.exp(-TraceEnum_ELBO(max_plate_nesting=0).loss(model, lambda: None))
    assert found == pytest.approx(exact, rel=1e-4, abs=1e-6)  # Pyro's probability of 0 is 1e-7, of float32


def test_pyro_samples_and_intervenes():
    pyro = pytest.importorskip("pyro")
    pyro.set_rng_seed(0)
    scm, n = bald(), 20_000
    for cut in ({}, {"Young": 0}):
        model = pyro.do(scm.to_pyro(), data={name: torch.tensor(float(value)) for name, value in cut.items()})
        with pyro.plate("people", n):
            drawn = model()
        hits = int(drawn["Bald"].sum())
        assert binomtest(hits, n, scm.probability({"Bald": 1}, do=cut)).pvalue > ALPHA
    assert binomtest(hits, n, scm.probability({"Bald": 1})).pvalue < ALPHA


def test_chirho_draws_counterfactuals():
    pytest.importorskip("chirho")
    import pyro
    from chirho.counterfactual.handlers import MultiWorldCounterfactual
    from chirho.interventional.handlers import do

    pyro.set_rng_seed(0)
    scm, n = bald(), 200_000
    with (
        MultiWorldCounterfactual(first_available_dim=-2),
        do(actions={"Young": torch.tensor(0.0)}),
        pyro.plate("people", n, dim=-1),
    ):
        drawn = scm.to_pyro()()
    young, bald_, male = drawn["Young"].reshape(2, n), drawn["Bald"].reshape(2, n), drawn["Male"]
    like = (young[0] == 1) & (male == 1) & (bald_[0] == 0)
    exact = scm.counterfactual_probability({"Bald": 1}, FACTS, do={"Young": 0})
    assert binomtest(int(bald_[1][like].sum()), int(like.sum()), exact).pvalue > ALPHA
    assert (young[1] == 0).all()

"""Fits by likelihood: counting in closed form, CelebA's numbers, recovery of known laws, refusals."""

import math
import time

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.celeba_table import celeba_table, needs_celeba
from helpers.label_oracles import graphs
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from causalcf.data.faces.units import celeba_scm
from causalcf.errors import CausalCFError, DataError
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, empirical_joint, fit_label_scm, total_variation
from causalcf.labels.fitting import fit_neural
from causalcf.labels.mechanisms import NeuralMechanism

GRAPH = CausalGraph({"Bald": ["Male", "Young"], "Young": [], "Male": []})
TABLE = {"Young": [1, 1, 0, 0, 1], "Male": [1, 0, 1, 1, 1], "Bald": [0, 0, 1, 0, 1], "Extra": [7, 7, 7, 7, 7]}


def rows(graph: CausalGraph, table) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(table[node]) for node in graph.nodes], 1))


def test_counts_in_closed_form():
    scm = fit_label_scm(GRAPH, TABLE)
    assert scm.probability({"Young": 1}) == 0.6
    assert scm.probability({"Bald": 1}, do={"Male": 1, "Young": 0}) == 0.5
    assert scm.probability({"Bald": 1}, do={"Male": 0, "Young": 1}) == 0.0
    assert scm.probability({"Bald": 1}, do={"Male": 0, "Young": 0}) == 0.4  # never seen: the marginal
    smooth = fit_label_scm(GRAPH, TABLE, smoothing=2.0)
    assert smooth.probability({"Bald": 1}, do={"Male": 0, "Young": 1}) == pytest.approx(2 * 0.4 / 3)


def each_column(make):
    return lambda table: {name: make(values) for name, values in table.items() if name != "Extra"}


def as_text(values):
    return [str(value) for value in values]


FORMS = [
    pd.DataFrame,
    lambda t: rows(GRAPH, t),
    lambda t: rows(GRAPH, t).bool().tolist(),
    lambda t: rows(GRAPH, t).numpy().astype(str).tolist(),  # as csv.reader gives them
    lambda t: [dict(zip(t, map(str, row), strict=True)) for row in zip(*t.values(), strict=True)],  # csv.DictReader
    lambda t: pd.DataFrame(t).astype(str),
    lambda t: pd.DataFrame(t).astype("category"),
    lambda t: pd.DataFrame(t).astype("Int64")[["Extra", "Bald", "Young", "Male"]],
    each_column(as_text),
    each_column(lambda values: np.array(as_text(values))),
    each_column(lambda values: np.array(as_text(values), "S1")),
    each_column(lambda values: np.array(values, object)),
    each_column(lambda values: [f" {value}.0" for value in values]),
    each_column(lambda values: pd.Categorical(as_text(values))),
    each_column(lambda values: pd.array(values, "boolean")),
    each_column(lambda values: pd.array(as_text(values), "string")),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_table_gives_the_same_model(form):
    expected = fit_label_scm(GRAPH, TABLE)
    assert torch.equal(fit_label_scm(GRAPH, form(TABLE)).joint(), expected.joint())


@pytest.mark.parametrize("form", FORMS[1:])
def test_every_form_of_table_is_taken_as_facts(form):
    scm, units = fit_label_scm(GRAPH, TABLE, smoothing=1.0), form(TABLE)
    if isinstance(units, pd.DataFrame):
        units = units.drop(columns="Extra")
    wanted = scm.counterfactual_probabilities({"Bald": 1}, rows(GRAPH, TABLE), do={"Young": 0})
    if isinstance(units, list) and isinstance(units[0], dict):
        units = [{name: row[name] for name in GRAPH.nodes} for row in units]
    assert torch.equal(scm.counterfactual_probabilities({"Bald": 1}, units, do={"Young": 0}), wanted)
    if not isinstance(units, dict):
        assert torch.equal(scm.log_probability(units), scm.log_probability(rows(GRAPH, TABLE)))


@given(graphs(5, 4), st.integers(0, 2**31))
def test_tables_are_relative_frequencies_and_no_neighbour_is_likelier(graph, seed):
    g = torch.Generator().manual_seed(seed)
    labels = (torch.rand(60, len(graph), generator=g) < 0.5).to(torch.int8)
    scm, worlds = fit_label_scm(graph, labels), [dict(zip(graph.nodes, row, strict=True)) for row in labels.tolist()]
    best = float(scm.log_probability(labels).sum())
    tables = {node: mechanism.table for node, mechanism in scm.mechanisms.items()}
    for node in graph.nodes:
        for cell in np.ndindex(*tables[node].shape):
            held = dict(zip(graph.parents(node), cell, strict=True))
            seen = [w[node] for w in worlds if all(w[k] == v for k, v in held.items())] or [w[node] for w in worlds]
            assert float(tables[node][cell]) == pytest.approx(sum(seen) / len(seen), abs=1e-12)
        for change in (0.05, -0.05):
            moved = LabelSCM.from_probabilities(graph, tables | {node: (tables[node] + change).clamp(0.01, 0.99)})
            assert float(moved.log_probability(labels).sum()) < best + 1e-9


@pytest.mark.parametrize(
    ("table", "culprit"),
    [
        ({"Young": [1], "Male": [1]}, "'graph'.*'Bald'"),
        ({"Young": [1], "Male": [1], "Balt": [0]}, "'Bald'.*'Balt'"),
        ({"Young": [1, 0], "Male": [1, 0], "Bald": [1]}, r"'Bald'.*\b1\b.*'Young'.*\b2\b"),
        ({"Young": [], "Male": [], "Bald": []}, "no rows"),
        ({"Young": [1, 0], "Male": [1, -1], "Bald": [0, 0]}, r"'Male', row 1\b.*-1\b"),
        ({"Young": [1, 0.5], "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*\b0\.5\b"),
        ({"Young": [1, math.nan], "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*\bnan\b"),
        ({"Young": ["a", "b"], "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 0\b.*'a'"),
        ({"Young": ["1", "0"], "Male": ["1", "yes"], "Bald": [0, 0]}, r"'Male', row 1\b.*'yes'"),
        ({"Young": ["1", "0"], "Male": ["1", "True"], "Bald": [0, 0]}, r"'Male', row 1\b.*'True'"),
        ({"Young": ["1", ""], "Male": ["1", "1"], "Bald": [0, 0]}, r"'Young', row 1\b.*''"),
        ({"Young": ["1", "0"], "Male": ["1", "-1"], "Bald": [0, 0]}, r"'Male', row 1\b.*'-1'.*CelebA"),
        ({"Young": ["1", "2"], "Male": ["1", "1"], "Bald": [0, 0]}, r"'Young', row 1\b.*'2'"),
        ({"Young": [1, None], "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*None"),
        ({"Young": pd.array([1, None], "Int8"), "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*(nan|<NA>)"),
        ({"Young": pd.array([True, None], "boolean"), "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*(nan|<NA>)"),
        ({"Young": pd.Categorical(["0", "old"]), "Male": [1, 1], "Bald": [0, 0]}, r"'Young', row 1\b.*'old'"),
        (pd.DataFrame({"Young": ["1", None], "Male": [1, 1], "Bald": [0, 0]}), r"'Young', row 1\b"),
        ([["Young", "Male", "Bald"], ["1", "0", "1"]], r"'Young', row 0\b.*'Young'"),
        ([{"Young": "1", "Male": "0", "Bald": "1"}, {"Young": "1", "Male": "0"}], r"'Bald', row 1\b.*None"),
        ([[1, 0, 1], [1, 0]], r"\[\[1, 0, 1\], \[1, 0\]\].*\(n, 3\)"),
        ({"Young": np.array(["2001-01-01"], "M8[D]"), "Male": [1], "Bald": [0]}, "'Young'.*datetime64"),
        ({"Young": [[1, 0]], "Male": [1, 1], "Bald": [0, 0]}, r"'Young'.*\(1, 2\)"),
        (np.zeros((4, 2)), r"\(4, 2\).*\(n, 3\).*Young, Male, Bald"),
        (np.zeros((0, 3)), "no rows"),
        ("table.csv", r"'table\.csv'.*\bread\b"),
        (pd.DataFrame({"Young": [1, None], "Male": [1, 1], "Bald": [0, 0]}), r"'Young', row 1\b.*\bnan\b"),
    ],
)
def test_broken_tables_name_the_culprit(table, culprit):
    with pytest.raises(DataError, match=culprit):
        fit_label_scm(GRAPH, table)


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"method": "likelyhood"}, "'likelyhood'.*'likelihood'"),
        ({"steps": 3}, "'likelihood'.*'steps'"),
        ({"smoothing": -1.0}, r"smoothing=-1\.0"),
        ({"smoothing": math.inf}, "smoothing=inf"),
        ({"method": "adversarial", "smoothing": 1.0}, "smoothing.*'likelihood'"),
        ({"method": "adversarial", "step": 1}, "'adversarial'.*'step'.*'steps'"),
        ({"method": "adversarial", "steps": 0}, r"\bsteps is 0\b.*\b1\b"),
        ({"method": "adversarial", "steps": True}, r"\bsteps is True\b"),
        ({"method": "adversarial", "rate": 0.0}, r"\brate is 0\.0\b.*\babove 0"),
        ({"method": "adversarial", "rate": "fast"}, r"\brate is 'fast'"),
        ({"method": "adversarial", "average": 1.0}, r"\baverage is 1\.0\b.*\[0, 1\)"),
    ],
)
def test_bad_options_name_the_culprit(options, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        fit_label_scm(GRAPH, TABLE, **options)


def test_recovers_the_law_it_was_sampled_from():
    truth = celeba_scm()
    labels = truth.sample(50_000, generator=torch.Generator().manual_seed(0))
    fitted = fit_label_scm(truth.graph, labels)
    assert total_variation(truth.joint(), fitted.joint()) < 0.02
    assert total_variation(truth.joint(), fit_label_scm(truth.graph, labels[:100]).joint()) > 0.05, "negative control"


def test_shipped_law_answers_do_and_given():
    scm = celeba_scm()
    assert scm.probability({"Male": 1}, do={"Mustache": 1}) == pytest.approx(0.417, abs=5e-4)
    # The graph holds Young and Male independent, which the data do not; in the data themselves it is .9996 (below).
    assert scm.probability({"Male": 1}, given={"Mustache": 1}) == pytest.approx(0.9994, abs=5e-5)


@needs_celeba
def test_celeba_numbers():
    table, expected = celeba_table(), {"celeba": 0.1517, "celeba-complete": 0, "celeba-reversed": 0}
    expected["celeba-independent"] = 0.4759
    fitted = {}
    for name, tvd in expected.items():
        graph = load_graph(name)
        started = time.process_time()
        fitted[name] = fit_label_scm(graph, table)
        assert time.process_time() - started < 5
        data = empirical_joint(rows(graph, table))
        assert total_variation(data, fitted[name].joint()) == pytest.approx(tvd, abs=5e-5)
        if name == "celeba":
            assert float(entropy(data.flatten(), fitted[name].joint().flatten())) == pytest.approx(0.0779, abs=5e-5)
            torch.testing.assert_close(celeba_scm().joint(), fitted[name].joint(), rtol=0, atol=1e-9)
    do, given_ = {"do": {"Mustache": 1}}, {"given": {"Mustache": 1}}
    assert fitted["celeba"].probability({"Male": 1}, **do) == pytest.approx(0.417, abs=5e-4)
    assert fitted["celeba"].probability({"Male": 1}, **given_) == pytest.approx(0.9994, abs=5e-5)
    for name in ("celeba-complete", "celeba-reversed"):  # these repeat the data: all but 3 of 8,416 moustaches
        assert fitted[name].probability({"Male": 1}, **given_) == pytest.approx(0.9996, abs=5e-5)
    assert fitted["celeba-reversed"].probability({"Male": 1}, **do) == pytest.approx(0.90, abs=0.02)


def test_logistic_regression_recovers_its_weights():
    g = torch.Generator().manual_seed(1)
    parents = (torch.rand(60_000, 12, generator=g) < 0.4).to(torch.int8)
    weights = torch.linspace(-1, 1, 12, dtype=torch.float64)
    p = torch.sigmoid(0.3 + (2.0 * parents.double() - 1) @ weights)
    label = torch.rand(60_000, generator=g, dtype=torch.float64) < p
    fitted = fit_neural(label, parents, hidden=0)
    # Standard errors are about 1 / sqrt(n p(1-p) 4 .24) = .01; eight of them.
    torch.testing.assert_close(fitted.linear, weights, rtol=0, atol=0.08)
    assert float(fitted.bias) == pytest.approx(0.3, abs=0.08)


def test_network_learns_what_a_logistic_regression_cannot():
    g = torch.Generator().manual_seed(2)
    parents = (torch.rand(20_000, 12, generator=g) < 0.5).to(torch.int8)
    p = torch.where(parents[:, 0] == parents[:, 7], 0.9, 0.1).double()
    label = torch.rand(20_000, generator=g, dtype=torch.float64) < p
    before = torch.get_rng_state()
    network, logistic = fit_neural(label, parents), fit_neural(label, parents, hidden=0)
    assert torch.equal(before, torch.get_rng_state())
    assert float((network.probability(parents) - p).abs().mean()) < 0.08
    assert float((logistic.probability(parents) - p).abs().mean()) > 0.3, "negative control"
    assert torch.equal(fit_neural(label, parents).output, network.output), "deterministic"


def test_many_parents_get_a_network_and_decided_labels_stay_finite():
    names = [f"A{i}" for i in range(12)]
    graph = CausalGraph({name: names[:i] for i, name in enumerate(names)})
    labels = (torch.rand(2000, 12, generator=torch.Generator().manual_seed(3)) < 0.3).to(torch.int8)
    labels[:, 11] = labels[:, 4]  # decided by one parent
    scm = fit_label_scm(graph, labels)
    assert isinstance(scm.mechanisms["A11"], NeuralMechanism)
    assert not isinstance(scm.mechanisms["A10"], NeuralMechanism)
    p = scm.mechanisms["A11"].probability(labels[:, :11])
    assert bool(((p > 0) & (p < 1)).all()) and float((p - labels[:, 4]).abs().mean()) < 0.05
    constant = fit_neural(torch.zeros(100), labels[:100, :11])
    assert float(constant.probability(labels[:100, :11]).max()) < 0.05


@pytest.mark.slow
@needs_celeba
def test_all_forty_attributes_fit_and_sample():
    graph, table = load_graph("celeba-all"), celeba_table()
    started = time.process_time()
    scm = fit_label_scm(graph, table)
    assert time.process_time() - started < 240  # about 65 s on one idle core
    labels, n = rows(graph, table), 10_000
    root = graph.nodes[0]
    sampled = scm.sample(n, given={root: 1}, generator=torch.Generator().manual_seed(0)).double().mean(0)
    # 4.5 standard errors of a share, and as much for what the networks smooth away.
    gap = (sampled - labels[labels[:, 0] == 1].double().mean(0)).abs().max()
    assert float(gap) < 2 * 4.5 * 0.5 / n**0.5
    assert float((sampled - labels.double().mean(0)).abs().max()) > 0.3, "negative control: without the condition"

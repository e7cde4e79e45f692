"""How well a graph fits a table: by hand, by scipy, on tables drawn from the graph itself, and on CelebA's own."""

import numpy as np
import pytest
import torch
from helpers.celeba_table import celeba_table, needs_celeba
from scipy.stats import binomtest, chi2_contingency

from causalcf.data.faces import true_scm
from causalcf.evaluation.graph_fit import graph_fit, local_independences
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph

ALPHA = 1e-5


def drawn(n, seed=0):
    return true_scm().sample(n, generator=torch.Generator().manual_seed(seed))


def test_two_labels_by_hand():
    table = {"a": [0, 0, 0, 1, 1, 1, 1, 1], "b": [0, 0, 1, 0, 1, 1, 1, 1]}
    fit = graph_fit(CausalGraph({"a": [], "b": []}), table, draws=0, generator=torch.Generator())
    p = np.array([[2, 1], [1, 4]]) / 8
    q = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    assert fit.tvd == pytest.approx(abs(p - q).sum() / 2) and fit.kl == pytest.approx((p * np.log(p / q)).sum())
    assert fit.tvd_by_chance is None


def test_the_g_test_is_scipys():
    labels = drawn(3000)
    names = true_scm().graph.nodes
    found = local_independences(CausalGraph({name: [] for name in names}), labels)
    assert len(found) == 72
    for one in found[:20]:
        pair = labels[:, [names.index(one.x), names.index(one.y)]].numpy()
        table = [[int(((pair[:, 0] == x) & (pair[:, 1] == y)).sum()) for y in (0, 1)] for x in (0, 1)]
        expected = chi2_contingency(table, correction=False, lambda_="log-likelihood")
        if expected.expected_freq.min() < 5:  # too thin for the chi-squared law: pooled
            continue
        assert 2 * len(labels) * one.mutual_information == pytest.approx(expected.statistic, rel=1e-9)
        assert one.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)


def test_a_right_graph_misfits_by_chance_alone_and_a_lost_edge_is_found_first():
    labels, graph = drawn(5000), true_scm().graph
    right = graph_fit(graph, labels, generator=torch.Generator().manual_seed(0))
    assert not right.violated and right.tvd == pytest.approx(right.tvd_by_chance, rel=0.25)
    lost = ("Male", "Wearing_Lipstick")
    parents = {node: [p for p in graph.parents(node) if (p, node) != lost] for node in graph.nodes}
    wrong = graph_fit(CausalGraph(parents), labels, generator=torch.Generator().manual_seed(0))
    worst = wrong.violated[0]
    assert {worst.x, worst.y} == {"Male", "Wearing_Lipstick"} and worst.p_holm < ALPHA and worst.difference > 0.5
    assert wrong.missing_edges[0].cause == "Male" and wrong.tvd > 3 * wrong.tvd_by_chance
    assert wrong.missing_edges[0].tvd_after == pytest.approx(right.tvd, abs=1e-9)


def test_p_values_of_true_independences_are_below_a_twentieth_no_more_often_than_that():
    found = [one.p_value for seed in range(40) for one in local_independences(true_scm().graph, drawn(2000, seed))]
    assert binomtest(sum(p < 0.05 for p in found), len(found), 0.05, alternative="greater").pvalue > ALPHA
    empty = CausalGraph({name: [] for name in true_scm().graph.nodes})
    wrong = [one.p_value for one in local_independences(empty, drawn(2000))]
    assert binomtest(sum(p < 0.05 for p in wrong), len(wrong), 0.05, alternative="greater").pvalue < ALPHA


def test_the_report_is_json_ready():
    description = graph_fit(true_scm().graph, drawn(400), draws=2, generator=torch.Generator().manual_seed(0)).to_dict()
    assert set(description) >= {"graph", "n", "tvd", "tvd_by_chance", "kl", "kl_by_chance", "violated", "missing_edges"}


@needs_celeba
def test_celeba_misfits_its_graph_by_the_known_distance_and_lacks_young_male_first():
    fit = graph_fit(load_graph("celeba"), celeba_table(), draws=0, generator=torch.Generator())
    assert round(fit.tvd, 3) == 0.152
    first, worst = fit.missing_edges[0], fit.violated[0]
    assert {first.cause, first.effect} == {worst.x, worst.y} == {"Young", "Male"}
    assert graph_fit(load_graph("celeba-complete"), celeba_table(), draws=0, generator=torch.Generator()).tvd < 1e-6


@needs_celeba
def test_forty_labels_take_seconds():
    table = celeba_table()
    graph = CausalGraph({name: [] for name in table})
    fit = graph_fit(
        graph, {name: column[:20_000] for name, column in table.items()}, draws=0, generator=torch.Generator()
    )
    assert fit.statements == 1560 and len(fit.violated) > 300

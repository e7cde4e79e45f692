"""What a graph holds independent: the pairs by networkx, the figures by listing rows, the test where data are thin."""

import math

import networkx as nx
import numpy as np
import pytest
import torch
from helpers.celeba_table import celeba_table, needs_celeba
from helpers.label_oracles import graphs
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, chi2_contingency, entropy

from causalcf.errors import DataError
from causalcf.evaluation.graph_fit import TIE, distances, graph_fit, local_independences
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.labels import empirical_joint, fit_label_scm, total_variation

ALPHA = 1e-5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def coins(n, d, seed):
    """Rows of dependent labels: fair coins mixed with copies of their neighbours."""
    g = seeded(seed)
    rows = (torch.rand(n, d, generator=g) < torch.rand(d, generator=g)).to(torch.int8)
    copied = torch.rand(n, d, generator=g) < 0.3
    return torch.where(copied, rows.roll(1, 1), rows)


def with_edge(graph, cause, effect):
    parents = {node: graph.parents(node) for node in graph.nodes}
    return CausalGraph(parents | {effect: (*parents[effect], cause)})


def columns(graph, rows):
    return dict(zip(graph.nodes, rows.unbind(1), strict=True))


@given(graphs(5, 3), st.integers(0, 2**31))
def test_statements_are_the_edges_without_a_cycle_and_each_is_a_separation(graph, seed):
    found = local_independences(graph, coins(40, len(graph), seed))
    allowed = set()
    for x in graph.nodes:
        for y in graph.nodes:
            longer = nx.DiGraph([*graph.edges, (y, x)])
            if x != y and (y, x) not in graph.edges and nx.is_directed_acyclic_graph(longer):
                allowed.add((x, y))
    assert {(s.x, s.y) for s in found} == allowed and len(found) == len(allowed)
    for s in found:
        assert nx.is_d_separator(graph.to_networkx(), {s.x}, {s.y}, set(s.given))


@given(graphs(4, 3), st.integers(0, 2**31), st.integers(2, 40))
def test_figures_by_listing_rows_and_the_fall_of_the_divergence(graph, seed, n):
    rows = coins(n, len(graph), seed)
    worlds = [dict(zip(graph.nodes, row, strict=True)) for row in rows.tolist()]
    _, kl = distances(fit_label_scm(graph, rows), rows)
    for s in local_independences(graph, rows):
        strata: dict[tuple, list] = {}
        for world in worlds:
            strata.setdefault(tuple(world[g] for g in s.given), []).append((world[s.x], world[s.y]))
        difference, parameters = 0.0, 0
        for pairs in strata.values():
            with_y, without = [x for x, y in pairs if y], [x for x, y in pairs if not y]
            if with_y and without:
                parameters += 1
                difference += len(pairs) / n * abs(np.mean(with_y) - np.mean(without))
        assert s.difference == pytest.approx(difference, abs=1e-12) and s.parameters == parameters
        graph_after = with_edge(graph, s.y, s.x)
        scm = fit_label_scm(graph_after, columns(graph, rows))
        _, kl_after = distances(scm, torch.stack([columns(graph, rows)[node] for node in graph_after.nodes], 1))
        assert s.mutual_information == pytest.approx(kl - kl_after, abs=1e-12)


@given(graphs(5, 3), st.integers(0, 2**31), st.integers(1, 60))
def test_distances_over_occurring_rows_are_those_over_all_cells(graph, seed, n):
    rows = coins(n, len(graph), seed)
    scm = fit_label_scm(graph, rows)
    tvd, kl = distances(scm, rows)
    assert tvd == pytest.approx(total_variation(empirical_joint(rows), scm.joint()), abs=1e-12)
    assert kl == pytest.approx(float(entropy(empirical_joint(rows).flatten(), scm.joint().flatten())), abs=1e-12)


def test_labels_that_never_vary_change_no_distance_and_no_joint_table_limits_their_number():
    rows = coins(500, 3, 1)
    few = graph_fit(CausalGraph({"a": [], "b": [], "c": []}), rows, seeded(), draws=0)
    names = [f"L{i}" for i in range(70)]
    wide = torch.cat([rows, torch.zeros(500, 67, dtype=torch.int8)], 1)
    many = graph_fit(CausalGraph({name: [] for name in names}), wide, seeded(), draws=0)
    assert few.tvd > 0.05, "something to compare"
    assert (many.tvd, many.kl) == (pytest.approx(few.tvd, abs=1e-12), pytest.approx(few.kl, abs=1e-12))
    constant = [s for s in local_independences(CausalGraph({n: [] for n in names}), wide) if s.y == "L69"]
    assert {(s.p_value, s.mutual_information, s.difference, s.parameters) for s in constant} == {(1.0, 0.0, 0.0, 0)}


def conditional(n_parents, n, tie, seed):
    """x and y given fair parents; with probability `tie`, y repeats x."""
    g = seeded(seed)
    parents = (torch.rand(n, n_parents, generator=g) < 0.5).to(torch.int8)
    x, y = ((torch.rand(n, generator=g) < 0.4).to(torch.int8) for _ in range(2))
    y = torch.where(torch.rand(n, generator=g) < tie, x, y)
    return torch.cat([parents, x[:, None], y[:, None]], 1)


def thin_graph(n_parents):
    names = [f"p{i}" for i in range(n_parents)]
    return CausalGraph({**{name: [] for name in names}, "x": names, "y": []})


def statement(graph, rows, x, y):
    return next(s for s in local_independences(graph, rows) if (s.x, s.y) == (x, y))


def plain_p(rows, n_parents):
    """The G-test that counts every configuration in which both vary, however thin, by scipy."""
    statistic, freedom = 0.0, 0
    for configuration in rows[:, :n_parents].unique(dim=0):
        pairs = rows[(rows[:, :n_parents] == configuration).all(1)][:, n_parents:].long()
        table = torch.bincount(2 * pairs[:, 0] + pairs[:, 1], minlength=4).reshape(2, 2).numpy()
        if table.sum(0).all() and table.sum(1).all():
            statistic += chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
            freedom += 1
    return chi2.sf(statistic, freedom)


def test_thin_configurations_reject_no_true_graph_where_the_plain_g_test_does():
    """256 configurations of about 5 rows each."""
    graph, tables = thin_graph(8), [conditional(8, 1300, 0.0, seed) for seed in range(60)]
    found = [statement(graph, rows, "x", "y") for rows in tables]
    assert all(len(s.given) == 8 for s in found)
    small = sum(s.p_value < 0.05 for s in found)
    assert binomtest(small, 60, 0.05, alternative="greater").pvalue > ALPHA
    plain = sum(plain_p(rows, 8) < 0.05 for rows in tables[:10])
    assert binomtest(plain, 10, 0.05, alternative="greater").pvalue < ALPHA, "negative control"
    assert statement(graph, conditional(8, 1300, 0.3, 0), "x", "y").p_value < ALPHA, "power"


def test_one_thin_table_keeps_its_g_but_for_one_row():
    rows = torch.zeros(400, 2, dtype=torch.int8)
    rows[:12, 0], rows[6:26, 1] = 1, 1
    s = local_independences(CausalGraph({"x": [], "y": []}), rows)[0]
    assert 12 * 20 / 400 < 5 and s.degrees_of_freedom == 1
    assert s.p_value == pytest.approx(chi2.sf(2 * 400 * s.mutual_information * 399 / 400, 1), rel=1e-9)


def test_full_configurations_have_a_degree_of_freedom_each_and_sum_their_g():
    rows = conditional(2, 4000, 0.02, 3)
    s = statement(thin_graph(2), rows, "x", "y")
    assert s.degrees_of_freedom == 4 and s.p_value == pytest.approx(plain_p(rows, 2), rel=1e-9)


def test_a_tie_is_told_once_along_the_order_of_the_nodes_and_a_clear_difference_twice():
    """a = b mostly: as roots both directions gain the same. With c, a cause of b and nearly b, a -> b gains little."""
    g = seeded()
    c = (torch.rand(3000, generator=g) < 0.5).to(torch.int8)
    b = torch.where(torch.rand(3000, generator=g) < 0.1, 1 - c, c)
    a = torch.where(torch.rand(3000, generator=g) < 0.1, 1 - b, b)
    table = {"a": a, "b": b, "c": c}
    tie = graph_fit(CausalGraph({"a": [], "b": []}), table, seeded(), draws=0)
    assert [(e.cause, e.effect) for e in tie.missing_edges] == [("a", "b")] and len(tie.violated) == 1
    clear = graph_fit(CausalGraph({"a": [], "c": [], "b": ["c"]}), table, seeded(), draws=0)
    gains = {(e.cause, e.effect): e.gain for e in clear.missing_edges}
    assert gains["a", "b"] < (1 - TIE) * gains["b", "a"]
    pairs = [frozenset((s.x, s.y)) for s in clear.violated]
    assert len(pairs) == len(set(pairs)) and pairs[0] == {"a", "b"}
    assert [e.gain for e in clear.missing_edges] == sorted(gains.values(), reverse=True)


def test_bic_by_hand_and_refits_are_those_of_the_longer_graph():
    rows = conditional(2, 3000, 0.3, 5)
    graph = thin_graph(2)
    fit = graph_fit(graph, rows, seeded(), draws=0, refits=1)
    first, *others = fit.missing_edges
    assert first.bic == pytest.approx((1 if first.effect == "y" else 4) * math.log(3000) - 2 * 3000 * first.gain)
    longer = with_edge(graph, first.cause, first.effect)
    table = dict(zip(graph.nodes, rows.unbind(1), strict=True))
    refitted = graph_fit(longer, table, seeded(), draws=0)
    assert first.tvd_after == pytest.approx(refitted.tvd, abs=1e-12) and first.tvd_after < fit.tvd
    assert all(edge.tvd_after is None for edge in others)


def test_equal_generators_give_equal_fits_and_global_state_stays():
    rows, before = coins(300, 3, 2), torch.get_rng_state()
    graph = CausalGraph({"a": [], "b": ["a"], "c": ["b"]})
    fits = [graph_fit(graph, rows, seeded(seed), draws=3).tvd_by_chance for seed in (0, 0, 1)]
    assert fits[0] == fits[1] != fits[2] and torch.equal(before, torch.get_rng_state())


def test_refusals():
    graph, rows = CausalGraph({"a": [], "b": []}), coins(20, 2, 0)
    with pytest.raises(DataError, match="'b'"):
        graph_fit(graph, {"a": [0, 1]}, seeded())
    with pytest.raises(DataError, match="no rows"):
        local_independences(graph, rows[:0])


@needs_celeba
def test_celeba_numbers():
    table = celeba_table()
    fit = graph_fit(load_graph("celeba"), table, seeded(), draws=0, refits=1)
    first = fit.missing_edges[0]
    assert fit.n == 202_599 and fit.tvd == pytest.approx(0.1517, abs=5e-5) and fit.kl == pytest.approx(0.0779, abs=5e-5)
    assert (first.cause, first.effect) == ("Young", "Male") and first.tvd_after == pytest.approx(0.0849, abs=5e-5)
    independent = graph_fit(load_graph("celeba-independent"), table, seeded(), draws=0, refits=0)
    assert independent.tvd == pytest.approx(0.4759, abs=5e-5) and independent.statements == 72
    reversed_ = graph_fit(load_graph("celeba-reversed"), table, seeded(), draws=0)
    assert reversed_.tvd == pytest.approx(0, abs=1e-12) and not reversed_.statements

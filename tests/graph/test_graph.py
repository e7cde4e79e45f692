"""CausalGraph against networkx, on random graphs; and what it refuses, by name."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from itertools import pairwise

import networkx as nx
import pytest
from helpers.dags import as_networkx, listings
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError, GraphError
from causalcf.graph.graph import CausalGraph, check_attributes


@given(listings())
def test_relations_are_those_of_networkx(listing):
    graph, oracle = CausalGraph(listing), as_networkx(listing)
    assert set(graph.edges) == set(oracle.edges)
    assert len(graph.edges) == oracle.number_of_edges()
    assert len(graph) == len(listing)
    for node in listing:
        assert node in graph
        assert graph.parents(node) == tuple(listing[node])
        assert graph.ancestors(node) == nx.ancestors(oracle, node)
        assert graph.descendants(node) == nx.descendants(oracle, node)
        assert set(graph.children(node)) == set(oracle.successors(node))
        assert list(graph.children(node)) == sorted(graph.children(node), key=graph.nodes.index)


@given(listings())
def test_nodes_are_in_the_topological_order_that_keeps_to_the_order_of_appearance(listing):
    place = {node: i for i, node in enumerate(listing)}
    expected = nx.lexicographical_topological_sort(as_networkx(listing), key=place.__getitem__)
    assert CausalGraph(listing).nodes == tuple(expected)


@given(listings(), st.randoms(use_true_random=False))
def test_listing_in_another_order_changes_nothing_but_the_order(listing, random):
    items = list(listing.items())
    random.shuffle(items)
    graph, other = CausalGraph(listing), CausalGraph(items)
    assert set(graph.edges) == set(other.edges)
    assert all(graph.parents(node) == other.parents(node) for node in graph.nodes)
    assert all(graph.ancestors(node) == other.ancestors(node) for node in graph.nodes)
    assert (graph == other) == (graph.nodes == other.nodes)


@given(listings())
def test_to_networkx_keeps_nodes_edges_and_their_order(listing):
    graph = CausalGraph(listing, "mine", "about it")
    seen = graph.to_networkx()
    assert tuple(seen.nodes) == graph.nodes
    assert tuple(seen.edges) == tuple(sorted(graph.edges, key=lambda edge: graph.nodes.index(edge[0])))
    assert all(tuple(seen.predecessors(node)) == graph.parents(node) for node in graph.nodes)
    assert (seen.graph["name"], seen.graph["description"]) == ("mine", "about it")
    seen.add_edge("new", "newer")  # a copy: the graph does not see it
    assert "new" not in graph


@given(listings())
def test_without_edges_keeps_the_nodes(listing):
    graph = CausalGraph(listing)
    bare = graph.without_edges()
    assert bare.nodes == graph.nodes
    assert bare.edges == ()
    assert all(bare.parents(node) == () for node in bare.nodes)


def test_equality_is_of_nodes_and_parents_not_of_names():
    listing = {"A": [], "B": [], "C": ["A", "B"]}
    graph = CausalGraph(listing, "one")
    assert graph == CausalGraph(listing, "two", "other words")
    assert hash(graph) == hash(CausalGraph(listing, "two"))
    assert graph != CausalGraph({**listing, "C": ["B", "A"]})  # the order of the parents has a meaning
    assert graph != CausalGraph({"B": [], "A": [], "C": ["A", "B"]})
    assert graph != CausalGraph({"A": [], "B": [], "C": ["A"]})
    assert graph != listing


def test_a_graph_is_frozen_and_can_be_copied_and_pickled():
    graph = CausalGraph({"A": [], "B": ["A"]})
    with pytest.raises(dataclasses.FrozenInstanceError):
        graph.nodes = ()
    for twin in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert twin == graph
        assert twin.descendants("A") == {"B"}


def test_the_listing_is_copied():
    listing = {"A": [], "B": []}
    graph = CausalGraph(listing)
    listing["B"].append("A")
    assert graph.edges == ()


def test_deep_graphs_need_no_recursion():
    depth = 20_000
    names = [f"N{i}" for i in range(depth)]
    chain = {"N0": []} | {name: names[i : i + 1] for i, name in enumerate(names[1:])}
    graph = CausalGraph(chain)
    assert graph.nodes == tuple(names)
    assert graph.ancestors(names[-1]) == set(names[:-1])
    with pytest.raises(GraphError, match=r"\bN0 -> N1 -> .*\b19988\b.* -> N19999 -> N0"):
        CausalGraph({**chain, "N0": [names[-1]]})


@given(listings(max_nodes=6, names=st.sampled_from("ABCDEFGH")), st.data())
def test_a_cycle_is_shown_as_it_is(listing, data):
    edges = [(parent, child) for child, parents in listing.items() for parent in parents]
    if not edges:
        return
    first, last = data.draw(st.sampled_from(edges))
    closed = {**listing, first: [*listing[first], last]}  # turns first -> last into a cycle
    with pytest.raises(GraphError, match=" -> ") as caught:
        CausalGraph(closed)
    shown = str(caught.value).rpartition(": ")[2].split(" -> ")
    assert shown[0] == shown[-1]
    assert len(set(shown)) == len(shown) - 1
    assert all(parent in closed[child] for parent, child in pairwise(shown))


REFUSED = [
    ({"A": ["B"], "B": ["A"]}, r"\bA -> B -> A$"),
    ({"X": [], "C": ["B"], "B": ["A", "X"], "A": ["C"]}, r"\bC -> A -> B -> C$"),
    ({"A": ["A"]}, r"\bA -> A\b"),
    ([["A", []], ["A", []]], "duplicate.*'A'"),
    ({"A": [], "B": ["A", "A"]}, r"\bA -> B\b"),
    ({"Male": [], "Hat": ["male"]}, "'male'.*'Hat'.*'Male'"),
    ({"Qq": ["Young"]}, "'Young'.*'Qq'"),
    ({"Young ": []}, "'Young '.*'Young'"),
    ({"A": [], "B": [" A"]}, "'B'.*' A'.*'A'"),
    ({"A\n": []}, r"'A\\n'.*'A'"),
    ({"A\u200bB": []}, r"'A\\u200bB'"),
    ({"": []}, "''"),
    ({5: []}, r"\b5\b.*\bint\b"),
    ({"A": [], "B": [True]}, r"'B'.*\bTrue\b.*\bbool\b"),
    ({}, "empty"),
    ([], "empty"),
    ({"A": "B"}, "'A'.*'B'$"),
    ({"A": None}, "'A'.*None$"),
    ({"A": {"B"}, "B": []}, r"'A'.*\{'B'\}$"),
    ([("A",)], r"\('A',\)$"),
    ([3], r"\bentry\b.*\b3$"),
    (3, r"\b3$"),
]


@pytest.mark.parametrize(("listing", "culprit"), REFUSED)
def test_refusals(listing, culprit):
    with pytest.raises(GraphError, match=culprit) as caught:
        CausalGraph(listing)
    assert isinstance(caught.value, CausalCFError)
    assert isinstance(caught.value, ValueError)


def test_a_graphs_own_name_and_description_are_checked():
    with pytest.raises(GraphError, match=r"\bname\b.*' x'.*'x'"):
        CausalGraph({"A": []}, " x")
    with pytest.raises(GraphError, match=r"\bdescription\b.*\b3$"):
        CausalGraph({"A": []}, "x", 3)


def test_asking_for_an_unknown_node_names_the_nearest():
    graph = CausalGraph({"Young": [], "Bald": ["Young"]}, "small")
    for ask in (graph.parents, graph.children, graph.ancestors, graph.descendants):
        with pytest.raises(GraphError, match=r"'small'.*'bold'.*'Bald'.*Young, Bald$"):
            ask("bold")


def test_check_attributes():
    graph = CausalGraph({"Smilling": [], "Male": [], "Eyeglass": [], "Qqq": []}, "mine")
    names = ["Male", "Smiling", "Eyeglasses"]
    culprits = "'mine'.*'faces'.*'Smilling'.*'Smiling'.*Male, Smiling, Eyeglasses.*'Eyeglass'.*'Eyeglasses'.*'Qqq'"
    with pytest.raises(GraphError, match=culprits):
        check_attributes(graph, names, "data set 'faces'")
    check_attributes(CausalGraph({"Male": [], "Smiling": ["Male"]}), iter(names), "data set 'faces'")


def test_a_part_of_a_graph_keeps_order_and_parents_and_must_have_all_causes():
    graph = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"], "Hat": ["Bald"]}, "small")
    part = graph.with_nodes(["Bald", "Young", "Male"])
    assert part.nodes == ("Young", "Male", "Bald") and part.parents("Bald") == ("Male", "Young")
    assert graph.roots() == ("Young", "Male") and part.roots() == ("Young", "Male")
    with pytest.raises(GraphError, match=r"'small'.*\bMale\b is a cause of Bald.*Young, Bald$"):
        graph.with_nodes(["Young", "Bald"])
    with pytest.raises(GraphError, match=r"'Yung'.*'Young'"):
        graph.with_nodes(["Yung"])
    for nothing in ([], "Young"):
        with pytest.raises(GraphError, match="names"):
            graph.with_nodes(nothing)


def test_importing_graphs_needs_neither_networkx_nor_torch():
    code = (
        "import sys, causalcf.graph.files; print([m for m in ('networkx', 'matplotlib', 'torch') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

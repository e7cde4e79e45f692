"""Graphs from files, presets, networkx, dictionaries and lists: round trips, the shipped graphs, every refusal."""

from __future__ import annotations

import re
import time
from pathlib import Path

import networkx as nx
import pytest
import yaml
from helpers.dags import as_networkx, listings
from hypothesis import example, given
from hypothesis import strategies as st

from causalcf.errors import GraphError
from causalcf.graph.files import load_graph, save_graph, to_yaml
from causalcf.graph.graph import CausalGraph, check_attributes
from causalcf.io.yaml import preset_names
from causalcf.language.vocabulary import CELEBA_ATTRIBUTES

NINE = (
    "Young",
    "Male",
    "Eyeglasses",
    "Bald",
    "Mustache",
    "Smiling",
    "Wearing_Lipstick",
    "Mouth_Slightly_Open",
    "Narrow_Eyes",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@given(listing=listings(), name=st.sampled_from(["x", "No", "a: b", "5", "ß"]), description=st.text(max_size=200))
@example(listing={"A": []}, name="x", description="\x85")
@example(listing={"A": []}, name="x", description="ü\n\tb\r")
def test_yaml_round_trip(folder, listing, name, description):
    graph = CausalGraph(listing, name, description)
    save_graph(graph, folder / "trip.yaml")
    again = load_graph(folder / "trip.yaml")
    assert again == graph
    assert (again.name, again.description) == (name, description)
    assert to_yaml(again) == to_yaml(graph)


@given(listings())
def test_yaml_is_what_other_yaml_readers_understand(listing):
    graph = CausalGraph(listing)
    document = yaml.safe_load(to_yaml(graph))
    assert list(document) == ["name", "description", "nodes"]
    assert document["nodes"] == listing
    assert tuple(document["nodes"]) == graph.nodes


@given(listings())
def test_every_form_gives_the_same_graph(listing):
    graph = load_graph(listing)
    assert load_graph(graph) is graph
    assert load_graph([[child, parents] for child, parents in listing.items()]) == graph
    assert load_graph(tuple((child, tuple(parents)) for child, parents in listing.items())) == graph
    assert load_graph(as_networkx(listing)) == graph
    assert load_graph(graph.to_networkx()) == graph


def test_networkx_keeps_name_and_description():
    graph = CausalGraph({"A": [], "B": ["A"]}, "mine", "about it")
    again = load_graph(graph.to_networkx())
    assert (again.name, again.description) == ("mine", "about it")
    assert load_graph(nx.DiGraph([("A", "B")])).name == "graph"


def test_a_file_needs_no_more_than_nodes(tmp_path):
    (tmp_path / "mine.yaml").write_text("nodes:\n  5_o_Clock_Shadow: []\n  Bald: [5_o_Clock_Shadow]\n")
    graph = load_graph(tmp_path / "mine.yaml")
    assert (graph.name, graph.description) == ("mine", "")
    assert graph.parents("Bald") == ("5_o_Clock_Shadow",)
    assert load_graph(str(tmp_path / "mine.yaml")) == graph


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xef\xbb\xbfname: caf\xc3\xa9\r\nnodes:\r\n  A: []\r\n")
    assert load_graph(tmp_path / "mine.yaml").name == "café"


# The shipped graphs: name -> (nodes, edges)
SHIPPED = {
    "celeba": (9, 14),
    "celeba-all": (40, 780),
    "celeba-bald": (3, 2),
    "celeba-complete": (9, 36),
    "celeba-independent": (9, 0),
    "celeba-reversed": (9, 36),
    "celeba-small": (7, 12),
    "gray-hair-young": (2, 1),
    "male-lipstick": (2, 1),
    "male-mustache": (2, 1),
    "mouth-smiling": (2, 1),
    "mustache-male": (2, 1),
    "smiling-mouth": (2, 1),
    "young-gray-hair": (2, 1),
}


def test_the_shipped_graphs_are_those_listed():
    assert preset_names("graphs") == sorted(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_graph(name):
    graph = load_graph(name)
    assert (len(graph), len(graph.edges)) == SHIPPED[name]
    assert graph.name == name
    assert graph.description.endswith(".")
    check_attributes(graph, CELEBA_ATTRIBUTES, "CelebA")
    assert load_graph(f"graphs/{name}.yaml") == graph


def test_celeba_is_causalgans_main_graph():
    graph = load_graph("celeba")
    assert graph.nodes == NINE
    assert {node: set(graph.parents(node)) for node in NINE} == {
        "Young": set(),
        "Male": set(),
        "Eyeglasses": {"Young"},
        "Bald": {"Male", "Young"},
        "Mustache": {"Male", "Young"},
        "Smiling": {"Male", "Young"},
        "Wearing_Lipstick": {"Male", "Young"},
        "Mouth_Slightly_Open": {"Young", "Smiling"},
        "Narrow_Eyes": {"Male", "Young", "Smiling"},
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_parents_are_listed_in_the_order_of_the_nodes(name):
    graph = load_graph(name)
    assert all(graph.parents(node) == tuple(n for n in graph.nodes if n in graph.parents(node)) for node in graph.nodes)


def test_complete_graphs_and_their_orders():
    assert load_graph("celeba-complete").nodes == NINE
    assert load_graph("celeba-reversed").nodes == NINE[::-1]
    assert load_graph("celeba-all").nodes == CELEBA_ATTRIBUTES
    for name in ("celeba-complete", "celeba-reversed", "celeba-all"):
        graph = load_graph(name)
        assert all(graph.parents(node) == graph.nodes[:i] for i, node in enumerate(graph.nodes))
    assert load_graph("celeba-independent") == load_graph("celeba-complete").without_edges()


@pytest.mark.parametrize(
    ("name", "edge"),
    [
        ("male-mustache", ("Male", "Mustache")),
        ("mustache-male", ("Mustache", "Male")),
        ("young-gray-hair", ("Young", "Gray_Hair")),
        ("gray-hair-young", ("Gray_Hair", "Young")),
        ("smiling-mouth", ("Smiling", "Mouth_Slightly_Open")),
        ("mouth-smiling", ("Mouth_Slightly_Open", "Smiling")),
        ("male-lipstick", ("Male", "Wearing_Lipstick")),
    ],
)
def test_direction_pairs(name, edge):
    assert load_graph(name).edges == (edge,)


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
# Text of a file -> what is named after the file
REFUSED = {
    "": "empty",
    "# nothing\n---\n": "empty",
    "- A\n- B\n": "a list",
    "true": "a single value",
    "name: x": r"'nodes'.*\bname$",
    "nodes: {A: []}\nnames: x": "'names'.*'name'",
    "nodes: [A]": r"'nodes'.*\['A'\]$",
    "nodes: {}": "empty",
    "nodes:\n  A: []\n  B: []\n  A: [B]": r"line 4\b.*'A'.*line 2\b",
    "nodes: {A: []}\nnodes: {B: []}": r"line 2\b.*'nodes'.*line 1\b",
    "nodes: {A: [B], B: [A]}": r"\bA -> B -> A$",
    "nodes: {A: [A]}": r"\bA -> A\b",
    "nodes: {A: [], B: [A, A]}": r"\bA -> B\b",
    "nodes: {Male: [], Hat: [Mal]}": "'Mal'.*'Hat'.*'Male'",
    "nodes: {'Male ': []}": "'Male '.*'Male'",
    "nodes:\n  No: []": r"line 2, column 3\b.*\bNo\b.*'No'",
    "nodes:\n  A: [5]": r"line 2, column 7\b.*\b5\b.*'5'",
    "nodes:\n  2020-99-99: []": r"line 2, column 3\b.*\b2020-99-99\b.*'2020-99-99'",
    "nodes:\n  A:\n": r"line 2, column 5\b.*\[\]",
    "nodes:\n  A: B\n  B: []": "'A'.*'B'$",
    "nodes: {A: []}\n? [a]\n: b": r"line 2, column 3\b.*\bkey\b",
    "nodes: {<<: {A: []}}": r"line 1, column 9\b.*'<<'.*'tag:yaml\.org,2002:merge'",
    "nodes: !!python/object:os.system x": r"line 1, column 8\b.*'x'.*'tag:yaml\.org,2002:python/object:os\.system'",
    "name: a: b": r"line 1, column 8\b.*YAML",
    "nodes:\n  A: [": r"line 2, column 7\b.*YAML.*'<stream end>'",
    "nodes: {A: []}\n---\nnodes: {B: []}": r"line 2, column 1\b.*YAML",
    "name: x\nnodes: {A\x00: []}": r"line 2, column 10\b.*#x0000\b",
    LAUGHS: r"line 1, column 4\b.*\banchors\b",
    "nodes: {A: &x [], B: *x}": r"line 1, column 12\b.*\banchors\b",
    "nodes: {A: [*undefined]}": r"line 1, column 13\b.*\banchors\b",
    "[" * 50_000: r"line 1, column 9\b.*\b8\b",
    "name: 3\nnodes: {A: []}": r"line 1, column 7\b.*\b3\b.*'3'",
}


@pytest.mark.parametrize(("text", "culprit"), REFUSED.items(), ids=[repr(text[:30]) for text in REFUSED])
def test_refused_files(tmp_path, text, culprit):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GraphError) as caught:
        load_graph(path)
    assert re.match(rf"{re.escape(str(path))}: .*{culprit}", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b"nodes: {A\xe9: []}", r"UTF-8.*0xe9\b.*\b9$"),
        ("nodes: {A: []}".encode("utf-16"), r"UTF-8.*0xff\b.*\b0$"),
        (b"nodes: [" + b"*a," * 3_500_000 + b"]", r"\b128 kB\b"),
        (b"x: &a [y]\nnodes: [" + b"*a," * 40_000 + b"]", r"line 1, column 4\b.*\banchors\b"),
    ],
    ids=["latin-1", "utf-16", "10 MB of aliases", "120 kB of aliases"],
)
def test_refused_bytes_within_a_second(tmp_path, content, culprit):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(GraphError) as caught:
        load_graph(path)
    assert time.process_time() - start < 1
    assert re.match(rf"{re.escape(str(path))}: .*{culprit}", str(caught.value))


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail_otherwise(folder, content):
    path = folder / "any.yaml"
    path.write_bytes(content)
    with pytest.raises(GraphError, match=r"^" + re.escape(str(path))):
        load_graph(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(GraphError, match=r"'celebra'.*'celeba'"):
        load_graph("celebra")
    with pytest.raises(GraphError, match=rf"{re.escape(str(tmp_path))} .*celeba, "):
        load_graph(tmp_path)
    with pytest.raises(GraphError, match=r"\bx{100,}"):
        load_graph("x" * 5000)


@pytest.mark.parametrize(
    ("source", "culprit"),
    [
        (3, r"\bint\b"),
        (None, r"\bNoneType\b"),
        (nx.Graph([("A", "B")]), r"\bnetworkx\.DiGraph\b"),
        (nx.DiGraph([("A", "B"), ("B", "A")]), r"\bA -> B -> A$"),
        (nx.MultiDiGraph([("A", "B"), ("A", "B")]), r"\bA -> B\b"),
        (nx.DiGraph([(1, 2)]), r"\b1\b.*\bint\b"),
        (nx.DiGraph(), "empty"),
        (b"digraph { A -> B }", r"\bbytes\b.*\bnetworkx\b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refused_objects(source, culprit):
    with pytest.raises(GraphError, match=culprit):
        load_graph(source)


DOT = "digraph { Young -> Bald; }"
TEXTS = {
    "dot": DOT,
    "gv": "// drawn by hand\nstrict digraph faces {\n  Young -> Bald\n}\n",
    "gml": 'graph [\n  directed 1\n  node [ id 0 label "Young" ]\n  node [ id 1 label "Bald" ]\n]\n',
    "graphml": '<?xml version="1.0"?><graphml><graph edgedefault="directed"/></graphml>',
    "json": '{"directed": true, "nodes": [{"id": "Young"}, {"id": "Bald"}], "links": []}',
    "dagitty": "dag { Young -> Bald\n U [latent] }",
    "bif": "network faces {\n}\nvariable Young {\n  type discrete [ 2 ] { 0, 1 };\n}\n",
    "mmd": "graph TD\n  Young --> Bald\n",
    "csv": "cause,effect\nYoung,Bald\n",
    "txt": "[Young][Bald|Young]",
}
ARROWS = ["Young->Bald", "Young -> Bald", "Bald <- Young", "Young --> Bald", "Young → Bald", "Bald ~ Young"]


@pytest.mark.parametrize("text", [*TEXTS.values(), *ARROWS, "nodes:\n  Young: []\n", DOT * 500, '["Young", "Bald"]'])
def test_a_text_is_not_looked_for_as_a_file(text):
    with pytest.raises(GraphError, match=r"is no file; .*\bDiGraph\b.*\bYAML\b.*\.gml\b.*\.dot\b") as caught:
        load_graph(text)
    assert str(caught.value)[1:5] == repr(text)[1:5] and len(str(caught.value)) < 600


def test_yaml_under_another_suffix_and_names_with_brackets_are_read(tmp_path):
    for name in ("mine.json", "mine.graph", "a->b.yaml", "a[1]"):
        (tmp_path / name).write_text('{"nodes": {"A": [], "B": ["A"]}}')
        assert load_graph(str(tmp_path / name)).edges == (("A", "B"),)
    with pytest.raises(GraphError, match=r"no file .*a<-b\.yaml.*'"):
        load_graph("a<-b.yaml")


class WithLatents(nx.DiGraph):
    """Holds its latent nodes apart, as pgmpy's networks do."""

    def __init__(self, edges=(), latents=()):
        super().__init__(edges)
        self.latents = set(latents)


def confounded(graph_class=nx.DiGraph, **marks):
    graph = graph_class([("Young", "Bald"), ("Genes", "Young"), ("Genes", "Bald")])
    graph.add_node("Genes", **marks)
    return graph


GML = """graph [ directed 1 node [ id 0 label "Young" observed "yes" ] node [ id 1 label "Bald" observed "yes" ]
node [ id 2 label "Genes" observed "no" ] edge [ source 2 target 0 ] edge [ source 2 target 1 ] ]"""
HIDDEN = [
    WithLatents(confounded().edges, latents=["Genes"]),
    nx.parse_gml(GML.replace("\n", " ").split("\n")),
    *(confounded(observed=value) for value in ("no", "No", False, "false", 0, "0", '"no"')),
    *(confounded(**{key: value}) for key in ("latent", "hidden", "unobserved") for value in (True, "yes", None, "", 1)),
    confounded(nx.MultiDiGraph, latent="True"),
    confounded(type="latent"),
]


@pytest.mark.parametrize("graph", HIDDEN)
def test_latent_nodes_are_refused_with_what_to_do(graph):
    with pytest.raises(GraphError, match=r"'Genes' is latent.*remove_node\('Genes'\).*\bYoung, Bald$"):
        load_graph(graph)
    graph.remove_node("Genes")
    graph.latents = set()
    assert load_graph(graph).nodes == ("Young", "Bald")


def test_nodes_that_are_said_to_be_observed_are_labels():
    shown = [{"observed": "yes"}, {"observed": True}, {"latent": "no"}, {"hidden": False}, {"label": "latent"}]
    for marks in [*shown, {"type": "discrete"}, {"latent": 0, "observed": 1}, {"weight": 0}]:
        assert load_graph(confounded(**marks)).nodes == ("Genes", "Young", "Bald")
    assert load_graph(WithLatents([("A", "B")])).nodes == ("A", "B")
    only = nx.DiGraph([("Genes", "Bald")])
    only.nodes["Genes"]["latent"] = True
    with pytest.raises(GraphError, match=r"remove_node\('Genes'\)$"):
        load_graph(only)


@pytest.mark.parametrize("marks", [{"dir": "both"}, {"type": "bidirected"}, {"bidirected": True}, {"arrow": '"<->"'}])
@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiDiGraph])
def test_bidirected_edges_are_refused(kind, marks):
    graph = kind([("Male", "Bald")])
    graph.add_edge("Young", "Bald", **marks)
    with pytest.raises(GraphError, match=r"\bYoung <-> Bald\b.*\bdirection\b"):
        load_graph(graph)
    plain = kind([("Young", "Bald")])
    plain.add_edge("Male", "Bald", dir="forward", bidirected=False, weight=2)
    assert load_graph(plain).edges == (("Young", "Bald"), ("Male", "Bald"))


@pytest.mark.parametrize("way", ["back", "none", '"back"'])
def test_arrows_that_are_not_drawn_forward_are_refused(way):
    graph = nx.DiGraph([("Male", "Bald")])
    graph.add_edge("Young", "Bald", dir=way)
    with pytest.raises(GraphError, match=r"\bYoung -> Bald\b.*\bdir=.*from the cause to the effect"):
        load_graph(graph)

"""Graphs in other tools' formats. Oracle: the graph that was written; networkx and pydot read what is written, too."""

import json
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from helpers.dags import listings
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import CausalCFError, GraphError
from causalcf.graph import CausalGraph, load_graph, save_graph
from causalcf.graph.bif import bif_text, parse_bif
from causalcf.graph.drawing import draw_graph
from causalcf.graph.formats import READERS, WRITERS

BOTH = sorted(set(WRITERS) - {".bif"})
NAMES = CausalGraph({"A b": [], 'say "no"': ["A b"], "C": ["A b", 'say "no"'], "Ünï_cödé": [], "graph": ["Ünï_cödé"]})


def rewritten(graph, path):
    save_graph(graph, path)
    return load_graph(path)


@pytest.mark.parametrize("suffix", BOTH)
@given(listing=listings())
def test_a_graph_comes_back_as_it_was(tmp_path_factory, suffix, listing):
    graph = CausalGraph(listing)
    path = tmp_path_factory.mktemp("formats") / f"mine{suffix}"
    if suffix in (".dot", ".gv", ".dagitty") and any("\\" in node for node in graph.nodes):
        with pytest.raises(GraphError, match="backslash"):
            save_graph(graph, path)
        return
    found = rewritten(graph, path)
    assert {node: set(found.parents(node)) for node in found.nodes} == {
        node: set(graph.parents(node)) for node in graph.nodes
    }


@pytest.mark.parametrize("suffix", BOTH)
def test_names_with_spaces_quotes_and_accents_come_back(tmp_path, suffix):
    assert set(rewritten(NAMES, tmp_path / f"mine{suffix}").edges) == set(NAMES.edges)


@pytest.mark.parametrize("suffix", [".gml", ".graphml", ".json"])
def test_name_and_description_come_back(tmp_path, suffix):
    graph = CausalGraph({"A": []}, "my graph", "what <it> says & means")
    found = rewritten(graph, tmp_path / f"other{suffix}")
    assert (found.name, found.description) == (graph.name, graph.description)
    assert rewritten(CausalGraph({"A": []}, "mine"), tmp_path / "file.csv").name == "file"


def test_networkx_reads_what_is_written(tmp_path):
    graph = load_graph("celeba")
    for suffix, read in ((".gml", nx.read_gml), (".graphml", nx.read_graphml), (".dot", nx.nx_pydot.read_dot)):
        save_graph(graph, tmp_path / f"x{suffix}")
        edges = {tuple(str(end).strip('"') for end in edge[:2]) for edge in read(tmp_path / f"x{suffix}").edges}
        assert edges == set(graph.edges)


READ = {
    "mine.dot": "// x\nstrict digraph faces {\n node [shape=box];\n  Young -> Bald [color=red]; Young -> {Gray}\n}\n",
    "mine.dagitty": 'dag {\nbb="0,0,1,1"\nYoung [exposure,pos="0.1,-1"]\nYoung -> {Bald Gray}\nGray\n}\n',
    "chain.dagitty": "dag{ Bald <- Young -> Gray }",
    "mine.csv": ",Young,Bald,Gray\nYoung,0,1,1\nBald,0,0,0\nGray,,,\n",
    "mine.json": '{"nodes": [{"id": "Young"}, {"id": "Bald"}, {"id": "Gray"}], "links": [{"source": "Young", "target": '
    '"Bald"}, {"source": "Young", "target": "Gray"}]}',
    "mine.bif": """network unknown { }
variable Young { type discrete [ 2 ] { no, yes }; }
variable Bald { type discrete[2] {no yes}; property x = y; }
variable Gray { type discrete [ 2 ] { a, b }; }
probability ( Young ) { table 0.2, 0.8; }
probability ( Bald | Young ) { (no) 0.5, 0.5; (yes) 1, 0; }
probability(Gray|Young) {default .5 .5;}
""",
}


@pytest.mark.parametrize("name", READ)
def test_files_of_other_tools_are_read(tmp_path, name):
    (tmp_path / name).write_text(READ[name])
    assert set(load_graph(tmp_path / name).edges) == {("Young", "Bald"), ("Young", "Gray")}


BAD = {
    "cycle.dot": ("digraph { A -> B; B -> A }", "cycle"),
    "undirected.dot": ("graph { A -- B }", "undirected"),
    "broken.dot": ("digraph { A -> ", "DOT"),
    "two.dot": ("digraph { A } digraph { B }", "DOT|2 graphs"),
    "undirected.gml": (
        'graph [ node [ id 0 label "A" ] node [ id 1 label "B" ] edge [ source 0 target 1 ] ]',
        "undirected",
    ),
    "broken.gml": ("graph [ node [", "GML"),
    "broken.graphml": ("<graphml><graph", "GraphML"),
    "entity.graphml": ('<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]><graphml/>', "line 2: .*entity"),
    "broken.json": ("{", "JSON"),
    "other.json": ('{"a": 1}', "node-link"),
    "ends.json": ('{"nodes": [], "links": 7}', "node-link"),
    "mixed.dagitty": ("dag {\n A -> B\n B -- C }", "line 3: '--' has no direction"),
    "both.dagitty": ("dag {\n A <-> B }", "line 2: '<->' has no direction"),
    "latent.dagitty": ("dag {\n U [latent]\n U -> A }", "line 2: U is latent"),
    "ends.dagitty": ("dag { A -> }", "nothing follows"),
    "pdag.dagitty": ("pdag { A -> B }", "dag"),
    "cycle.csv": (",A,B\nA,0,1\nB,1,0\n", "cycle"),
    "cell.csv": (",A,B\nA,0,x\nB,0,0\n", "line 2: 'x' from A to B"),
    "short.csv": (",A,B\nA,0\nB,0,0\n", "line 2: 1 cells for 2"),
    "row.csv": (",A,B\nA,0,0\nC,0,0\n", "line 3: the row 'C'"),
    "missing.csv": (",A,B\nA,0,0\n", "'B' has no row"),
    "mark.bif": ("network x { }\nvariable A ? }", "line 2"),
    "unknown.bif": ("variable A { type discrete [ 2 ] { 0, 1 }; }\nprobability ( A | B ) { }", "line 2: 'B'"),
    "sum.bif": (
        "variable A { type discrete [ 2 ] { 0, 1 }; }\nprobability ( A ) { table 0.5, 0.6; }",
        "line 2: .*sum 1",
    ),
    "none.bif": ("variable A { type discrete [ 2 ] { 0, 1 }; }", "'A' has no table"),
    "count.bif": ("variable A { type discrete [ 3 ] { 0, 1 }; }", "'A' has 3 states"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_line(tmp_path, name):
    text, why = BAD[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(GraphError, match=why) as caught:
        load_graph(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_nothing_else_is_read(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    with pytest.raises(GraphError, match="mine"):
        load_graph(path)
    for content in (b"\xff\xfe\x00", b"", b"x" * (2**20 + 1)):
        path.write_bytes(content)
        with pytest.raises(CausalCFError, match="mine"):
            load_graph(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(GraphError, match="mine"):
        load_graph(path)


def test_a_label_model_is_needed_for_bif(tmp_path):
    with pytest.raises(GraphError, match="to_bif"):
        save_graph(CausalGraph({"A": []}), tmp_path / "x.bif")


def test_bif_text_is_read_as_it_was_written():
    name, variables = parse_bif(READ["mine.bif"])
    again = parse_bif(bif_text(variables, name))
    assert again[0] == "unknown" and [vars(one).keys() for one in again[1]] == [vars(one).keys() for one in variables]
    for one, other in zip(variables, again[1], strict=True):
        assert (one.name, one.states, one.parents) == (other.name, other.states, other.parents)
        assert (one.table == other.table).all()
    with pytest.raises(GraphError, match="no way to write the name 'a b'"):
        bif_text([type(variables[0])("a b", ("0", "1"), (), variables[0].table)], "x")


def test_no_entity_is_expanded(tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file://{Path(tmp_path / "secret")}">]>'
    (tmp_path / "x.graphml").write_text(
        text + '<graphml><graph edgedefault="directed"><node id="&a;"/></graph></graphml>'
    )
    with pytest.raises(GraphError, match="entity"):
        load_graph(tmp_path / "x.graphml")


def test_json_keeps_what_it_is_given(tmp_path):
    save_graph(load_graph("celeba"), tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())["directed"] is True


@given(st.sampled_from(sorted(READ)), st.data())
def test_broken_text_is_taken_or_refused_in_a_sentence(tmp_path_factory, name, data):
    text = READ[name]
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 5))
        put = data.draw(st.text(max_size=4) | st.sampled_from(["{", "}", "->", '"', ";", "|", "<"]))
        text = text[:i] + put + text[i + cut :]
    path = tmp_path_factory.mktemp("broken") / name
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        assert len(load_graph(path)) > 0
    except CausalCFError as error:
        assert name in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".gv"])
def test_drawings_in_other_formats(tmp_path, suffix):
    graph = load_graph("celeba")
    draw_graph(graph, tmp_path / f"a{suffix}")
    draw_graph(graph, tmp_path / f"b{suffix}")
    text = (tmp_path / f"a{suffix}").read_text()
    assert text == (tmp_path / f"b{suffix}").read_text()
    if suffix == ".svg":
        ElementTree.fromstring(text)
        assert text.startswith("<?xml") and len(text) > 5000
    else:
        assert load_graph(tmp_path / f"a{suffix}") == graph


MORE = {
    "groups.dot": ("digraph { X -> Y; {A -> B} -> C; {D {E F}} -> C }", {"XY", "AB", "AC", "BC", "DC", "EC", "FC"}),
    "ports.dot": ('digraph { "A":n -> "B":p0; C:p -> D }', {"AB", "CD"}),
    "strict.dot": ("strict digraph {A->B; A->B}", {"AB"}),
    "sub.dot": ("digraph { subgraph cluster_0 { A -> B } B -> C }", {"AB", "BC"}),
    "lines.dagitty": ('dag {\nbb="0,0,1,1"\nA [label="x]y"]\nA\n-> B\nB ->\nC\nD [latent=false]\n}', {"AB", "BC"}),
    "r.csv": ('"A","B"\n"A",0,1\n"B",0,0\n', {"AB"}),
    "igraph.graphml": (
        '<graphml><key id="v_name" for="node" attr.name="name" attr.type="string"/><graph edgedefault="directed">'
        '<node id="n0"><data key="v_name">A</data></node><node id="n1"><data key="v_name">B</data></node>'
        '<edge source="n0" target="n1"/></graph></graphml>',
        {"AB"},
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_what_tools_really_write_is_read(tmp_path, name):
    text, edges = MORE[name]
    (tmp_path / name).write_text(text)
    assert {"".join(edge) for edge in load_graph(tmp_path / name).edges} == edges


LOST = {
    "default.dot": ("digraph { edge [dir=back]; A -> B }", "dir=back"),
    "hidden.dot": ("digraph { node [observed=no]; A -> B }", "observed=no"),
    "twice.dot": ("digraph { A -> B; A -> B }", "duplicate edge"),
    "both.json": ('{"nodes": [{"id": "A"}], "edges": [{"source": "A", "target": "B"}], "links": [{}]}', "both"),
    "unknown.json": ('{"nodes": {"A": [], "B": ["A"]}, "edges": [["A", "B"]]}', "'edges'"),
    "repeated.json": ('{"nodes": {"A": [], "B": ["A"], "B": []}}', "'B' is there twice"),
    "attributes.json": ('{"nodes": [], "links": [], "graph": "abc"}', "'graph'"),
    "two.graphml": (
        "<graphml><graph edgedefault='directed'/><graph edgedefault='directed'/></graphml>",
        "several graphs",
    ),
    "head.dagitty": ("dag A -> B { A -> C }", "dag { ... }"),
    "value.dagitty": ("dag { A = B\nB -> C }", "'='"),
    "mark.csv": ("x;A;B\nA;0;1\nB;0;0\n", "parted by ';'"),
}


@pytest.mark.parametrize("name", LOST)
def test_nothing_is_dropped_without_a_word(tmp_path, name):
    text, why = LOST[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(GraphError, match=why):
        load_graph(tmp_path / name)

"""Pictures: where boxes and arrows go, on random graphs; and `python -m causalcf.draw` with its exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations, pairwise

import pytest
from helpers.dags import listings
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from causalcf import draw
from causalcf.cli import command
from causalcf.errors import GraphError
from causalcf.graph.drawing import draw_graph, to_mermaid
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.graph.layout import lay_out

LETTERS = st.sampled_from("ABCDEFGHIJKL")
PRESETS = ["celeba", "celeba-complete", "celeba-all", "celeba-independent", "celeba-bald", "male-mustache"]


def layout_of(graph):
    return lay_out(graph, {node: 0.2 + 0.08 * len(node) for node in graph.nodes})


def points_on(curve, steps=20):
    """Points of a chain of cubic Bezier pieces, by their polynomial."""
    for start in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[start : start + 4]
        for t in (i / steps for i in range(steps + 1)):
            s = 1 - t
            yield tuple(s**3 * a[i] + 3 * s * s * t * b[i] + 3 * s * t * t * c[i] + t**3 * d[i] for i in (0, 1))


def assert_legible(graph):
    layout = layout_of(graph)
    assert set(layout.boxes) == set(graph.nodes)
    assert set(layout.curves) == set(graph.edges)
    for (x, y, width, height), (x2, y2, width2, height2) in combinations(layout.boxes.values(), 2):
        assert x + width < x2 or x2 + width2 < x or y + height < y2 or y2 + height2 < y
    for (parent, child), curve in layout.curves.items():
        for node, point in ((parent, curve[0]), (child, curve[-1])):
            x, y, width, height = layout.boxes[node]
            assert min(abs(point[0] - x), abs(point[0] - x - width)) < 1e-9
            assert y < point[1] < y + height
        for px, py in points_on(curve):
            for x, y, width, height in layout.boxes.values():
                assert not (x + 1e-6 < px < x + width - 1e-6 and y < py < y + height)


@given(listings(max_nodes=12, names=LETTERS))
def test_boxes_lie_apart_and_no_edge_crosses_a_box(listing):
    assert_legible(CausalGraph(listing))


@pytest.mark.parametrize("name", PRESETS)
def test_shipped_graphs_are_legible(name):
    assert_legible(load_graph(name))


def test_causes_stand_before_their_effects():
    graph = load_graph("celeba")
    boxes = layout_of(graph).boxes
    assert all(boxes[parent][0] < boxes[child][0] for parent, child in graph.edges)
    graph = load_graph("celeba-complete")
    boxes = layout_of(graph).boxes
    assert all(boxes[parent][1] > boxes[child][1] for parent, child in graph.edges)


def test_edges_that_pass_a_column_keep_apart():
    curves = layout_of(load_graph("celeba")).curves
    levels = sorted(curve[4][1] for curve in curves.values() if len(curve) > 4)  # in the second column
    assert len(levels) == 3
    assert all(above - below > 0.1 for below, above in pairwise(levels))


@pytest.mark.parametrize("name", PRESETS)
def test_draws_a_png_without_touching_global_figures(tmp_path, name):
    draw_graph(load_graph(name), tmp_path / "g.png")
    with Image.open(tmp_path / "g.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 100
        colours = image.convert("RGB").getcolors(maxcolors=2**24)
    assert len(colours) > 20  # boxes, letters and arrows, not a blank sheet
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_names_are_drawn_as_they_are(tmp_path):
    odd = {"$x^$": [], "a_b$": ["$x^$"], "n" * 500: ["a_b$"], "<b>": []}
    draw_graph(CausalGraph(odd, "$\\frac$"), tmp_path / "g.png")
    with Image.open(tmp_path / "g.png") as image:
        assert image.width < 3000  # the long name is shortened


def test_refused_pictures(tmp_path):
    chain = {f"N{i}": [f"N{i - 1}"] if i else [] for i in range(201)}
    with pytest.raises(GraphError, match=r"'graph'.*\b201\b.*\b200\b"):
        draw_graph(CausalGraph(chain), tmp_path / "g.png")
    del chain["N200"]
    draw_graph(CausalGraph(chain), tmp_path / "g.png")
    with pytest.raises(GraphError, match=r"g\.gif\b.*\.png\b"):
        draw_graph(load_graph("celeba"), tmp_path / "g.gif")
    with pytest.raises(GraphError, match=r"nowhere/g\.png.*No such file"):
        draw_graph(load_graph("celeba"), tmp_path / "nowhere" / "g.png")


@given(listings())
def test_mermaid_says_what_the_graph_says(listing):
    graph = CausalGraph(listing)
    head, *lines = to_mermaid(graph).splitlines()
    assert head == "flowchart LR"
    names, edges = {}, []
    for line in lines:
        if node := re.fullmatch(r'    (n\d+)\["([^"]+)"\]', line):
            names[node[1]] = re.sub(r"#(\d+);", lambda entity: chr(int(entity[1])), node[2])
        else:
            edges.append(re.fullmatch(r"    (n\d+) --> (n\d+)", line).groups())
    assert tuple(names.values()) == graph.nodes
    assert tuple((names[parent], names[child]) for parent, child in edges) == graph.edges


def test_mermaid_text():
    text = to_mermaid(CausalGraph({"Bald": ["Male"], 'a"`<': [], "Male": []}))
    assert text == ('flowchart LR\n    n0["a#34;#96;#60;"]\n    n1["Male"]\n    n2["Bald"]\n    n1 --> n2\n')


def test_run_turns_how_a_command_ends_into_an_exit_code(capsys):
    def refuse():
        raise GraphError("no")

    def interrupt():
        raise KeyboardInterrupt

    def break_down():
        raise ZeroDivisionError

    assert command.run(lambda: None) == 0
    assert command.run(lambda: 3) == 3
    assert command.run(refuse) == 2
    assert capsys.readouterr() == ("", "error: no\n")
    assert command.run(interrupt) == 130
    with pytest.raises(ZeroDivisionError):
        command.run(break_down)


BAD_FILES = {
    "cycle": (b"nodes: {A: [B], B: [A]}", r"\bA -> B -> A\b"),
    "duplicate node": (b"nodes:\n  A: []\n  A: []", r"line 3\b.*'A'.*line 2\b"),
    "duplicate edge": (b"nodes: {A: [], B: [A, A]}", r"\bA -> B\b"),
    "self-loop": (b"nodes: {A: [A]}", r"\bA -> A\b"),
    "no node": (b"nodes: {A: [Aa]}", "'Aa'.*'A'.*'A'"),
    "spaces": (b"nodes: {'A ': []}", "'A '.*'A'"),
    "empty": (b"", "empty"),
    "no mapping": (b"[]", "a list"),
    "aliases": (b"a: [" + b"*a," * 3_500_000 + b"]", r"\b128 kB\b"),
    "not UTF-8": (b"\xff", "UTF-8.*0xff.* 0$"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_end_in_exit_code_2_and_one_sentence(tmp_path, capsys, kind):
    content, culprit = BAD_FILES[kind]
    (tmp_path / "g.yaml").write_bytes(content)
    assert command.run(lambda: draw.main([str(tmp_path / "g.yaml")])) == 2
    out, said = capsys.readouterr()
    assert out == "" and said.count("\n") == 1
    assert re.match(rf"error: {re.escape(str(tmp_path / 'g.yaml'))}: .*{culprit}", said)


def test_command_line_end_to_end(tmp_path):
    def ask(*arguments):
        command = [sys.executable, "-m", "causalcf.draw", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    before = os.times()
    shown = ask("--help")
    after = os.times()  # processor time, as others may be at work on this machine
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
    assert (shown.returncode, shown.stderr) == (0, "")
    picture = tmp_path / "g.png"
    done = ask("celeba", "--out", str(picture))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {picture}\n", "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert ask("celeba-bald", "--mermaid").stdout == to_mermaid(load_graph("celeba-bald"))
    refused = ask("celebra")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.match("error: .*'celebra'.*'celeba'", refused.stderr)
    assert ask().returncode == 2

"""Which runs may be compared, and by which graph: what does not go together is named before anything long starts."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.dags import listings
from hypothesis import given
from hypothesis import strategies as st

from causalcf.data.images import DataSource
from causalcf.errors import RunError
from causalcf.evaluation import inputs
from causalcf.graph.graph import CausalGraph
from causalcf.runs.recipe import Recipe

EDGE, NO_EDGE = CausalGraph({"Young": [], "Bald": ["Young"]}), CausalGraph({"Young": [], "Bald": []})
OTHER = CausalGraph({"Young": [], "Smiling": []})


def run(name, graph=EDGE, **recipe):
    return SimpleNamespace(folder=Path(name), graph=graph, recipe=Recipe(**recipe))


def loaded(monkeypatch, *runs):
    stored = {str(one.folder): one for one in runs}
    monkeypatch.setattr(inputs, "load_run", lambda path, device, reader: stored[str(path)])
    return inputs.load_runs(list(stored), "cpu", None)


def test_runs_are_named_by_their_folders_or_where_those_repeat_by_their_paths(monkeypatch):
    assert list(loaded(monkeypatch, run("x/a"), run("x/b"))) == ["a", "b"]
    assert list(loaded(monkeypatch, run("x/a"), run("y/a"))) == ["x/a", "y/a"]


@pytest.mark.parametrize(
    ("other", "culprit"),
    [
        (run("b", data="celeba", data_root="d"), r"\bdata\b.*\ba\b.*\bfaces\b.*\bb\b.*\bceleba\b"),
        (run("b", data_size=7), r"\bdata_size\b.*\ba\b.*\b20000\b.*\bb\b.*\b7\b"),
        (run("b", OTHER), r"\ba and b\b.*\bBald, Smiling\b"),
    ],
)
def test_runs_that_cannot_be_compared_are_named(monkeypatch, other, culprit):
    with pytest.raises(RunError, match=culprit):
        loaded(monkeypatch, run("a"), other)


def test_the_graph_must_have_the_runs_labels():
    with pytest.raises(RunError, match=r"\bceleba-bald\b.*\bMale\b"):
        inputs._graph((run("a"),), "celeba-bald")


def test_photographs_have_one_graph_to_be_held_against_and_rendered_faces_their_own():
    two = [run("a", data="celeba", data_root="d"), run("b", NO_EDGE, data="celeba", data_root="/x/d")]
    with pytest.raises(RunError, match=r"\ba and b\b.*--graph\b"):
        inputs._graph(tuple(two), None)
    assert inputs._graph((run("a"), run("b", NO_EDGE)), None) is EDGE
    conditional = run("b", NO_EDGE, data="celeba", data_root="d", approach="conditional")
    assert inputs._graph((conditional, two[0]), None) is EDGE


@given(listings(), st.data())
def test_the_true_graph_of_some_labels_has_the_same_descendants(listing, data):
    graph = CausalGraph(listing)
    nodes = data.draw(st.lists(st.sampled_from(graph.nodes), min_size=1, unique=True))
    projected = inputs._projected(graph, nodes)
    assert set(projected.nodes) == set(nodes)
    for node in nodes:
        assert set(projected.descendants(node)) == set(graph.descendants(node)) & set(nodes)


def test_a_missing_judge_is_trained_beside_the_runs_once(monkeypatch, tmp_path, capsys):
    asked, faces, judge = [], DataSource("faces", "abc"), tmp_path / "judge-faces"
    monkeypatch.setattr("causalcf.evaluation.inputs.make_classifier", lambda recipe: asked.append(recipe) or judge)
    assert inputs._judge_of(tmp_path, Recipe(), faces, "cpu") == judge
    assert "no judge of faces (abc)" in capsys.readouterr().err
    (recipe,) = asked
    assert (recipe.role, recipe.runs_dir, recipe.data) == ("judge", str(tmp_path), "faces")
    judge.mkdir()
    (judge / "classifier.pt").touch()
    (judge / "meta.json").write_text('{"recipe": {"data": "faces"}, "data_fingerprint": "abc"}')
    assert inputs._judge_of(tmp_path, Recipe(), faces, "cpu") == judge and len(asked) == 1


def test_rendered_faces_have_no_folder_that_could_have_moved():
    with pytest.raises(RunError, match=r"--data-root is elsewhere.* of a are rendered"):
        inputs.load_inputs({"a": run("a")}, None, None, "elsewhere", "cpu")

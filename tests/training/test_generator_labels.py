"""Runs whose generator is given some of the labels: what is trained, what can be asked, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from scipy.stats import binomtest

from causalcf.cli.command import run as run_command
from causalcf.data.faces import true_scm
from causalcf.errors import QueryError, RecipeError
from causalcf.runs.directory import stored_runs
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe, recipe_from_dict
from causalcf.train import main
from causalcf.training.experiment import assemble, graph_of, label_generator, start_run, training_data

pytestmark = pytest.mark.usefixtures("without_pictures")
ALPHA = 1e-5
TINY = Recipe(
    name="tiny", images=16, batch=8, width=2, labeler_width=2, noise_dim=5, data_size=400, tick=16, precision="float32"
)  # fmt: skip


def test_no_names_are_the_roots_and_causes_must_be_among_them():
    assert graph_of(replace(TINY, generator_labels=())).nodes == ("Young", "Male")
    named = graph_of(replace(TINY, generator_labels=("Bald", "Male", "Young")))
    assert named.nodes == ("Young", "Male", "Bald") and len(named.edges) == 2
    with pytest.raises(RecipeError, match=r"generator_labels: .*Young is a cause of Bald"):
        graph_of(replace(TINY, generator_labels=("Bald",)))
    with pytest.raises(RecipeError, match=r"generator_labels is Young; .*dcgan"):
        replace(TINY, generator_labels=("Young",), approach="dcgan").validate()
    with pytest.raises(RecipeError, match="generator_labels is 'Young'"):
        recipe_from_dict({"generator_labels": "Young"})


@pytest.mark.parametrize(("given", "wanted"), [(["Young"], ("Young",)), ([], ())])
def test_the_command_line_takes_names_or_none(capsys, given, wanted):
    assert run_command(lambda: main(["--dry-run", "--generator-labels", *given])) == 0
    text = capsys.readouterr().out
    assert "generator_labels:" in text
    assert recipe_from_dict(yaml.safe_load(text)).generator_labels == wanted


def test_the_other_labels_keep_their_share_among_those_who_are_alike():
    """Rows are weighed by the labels that the generator is given: of old men as many are bald as in the data."""
    recipe = replace(TINY, generator_labels=(), data_size=4000, balance=0.9)
    graph = graph_of(recipe)
    data = training_data(recipe, graph)
    scm = label_generator(recipe, graph, data)
    training = assemble(recipe, graph, scm, data, torch.device("cpu"), "float32")
    rows = training.batches.draw.rows(40_000, torch.Generator().manual_seed(0))
    young, male, bald = data.select(("Young", "Male", "Bald"))[rows].bool().T
    own = data.select(("Young", "Male", "Bald")).bool()
    share = float(own[~own[:, 0] & own[:, 1], 2].double().mean())
    old_men = ~young & male
    assert binomtest(int(bald[old_men].sum()), int(old_men.sum()), share).pvalue > ALPHA
    whole = replace(recipe, generator_labels=None)
    labelled = assemble(
        whole, graph_of(whole), label_generator(whole, graph_of(whole), data), data, torch.device("cpu"), "float32"
    )
    rows = labelled.batches.draw.rows(40_000, torch.Generator().manual_seed(0))
    young, male, bald = data.select(("Young", "Male", "Bald"))[rows].bool().T
    assert binomtest(int(bald[~young & male].sum()), int((~young & male).sum()), share).pvalue < ALPHA


def test_a_run_is_asked_about_the_labels_that_it_is_given(tmp_path):
    assert start_run(replace(TINY, generator_labels=(), runs_dir=str(tmp_path))) == 0
    run = load_run(tmp_path / "latest", "cpu")
    assert run.graph.nodes == run.labels.graph.nodes == ("Young", "Male")
    worlds = run.sample(6, do={"Young": 0})
    assert worlds.labels.shape == (6, 2) and not worlds.labels[:, 0].any()
    moved = run.counterfactual(worlds, do={"Young": 1})
    assert bool((moved.labels[:, 0, 0] == 1).all()) and torch.equal(moved.noise[:, 0], worlds.noise)
    assert [one.kind for one in stored_runs(tmp_path)] == ["causalgan-partial"]
    law = true_scm().probability({"Male": 1})
    assert run.labels.probability({"Male": 1}) == pytest.approx(law, abs=0.1)


def test_all_labels_are_no_part(tmp_path):
    with pytest.raises(RecipeError, match="generator_labels is all labels"):
        graph_of(replace(TINY, graph="celeba-independent", generator_labels=()))


@pytest.mark.parametrize("value", ["Young", "{a: 1}", "[1]"])
def test_what_is_no_list_of_names_in_a_file_is_said(tmp_path, capsys, value):
    (tmp_path / "r.yaml").write_text(f"generator_labels: {value}\n")
    assert run_command(lambda: main(["--recipe", str(tmp_path / "r.yaml"), "--dry-run"])) == 2
    assert "must be a list of names" in capsys.readouterr().err


STATEMENTS = {
    "set": ("If this young man were bald, he might be old.", "Bald cannot be set"),
    "observe": (
        "{given: {Male: 1}, antecedent: {Young: 0}, modal: might, consequent: {Bald: 1}, mode: observe}",
        "mode do",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("recipe", ["faces", "people"])
def test_statements_that_cannot_be_told_are_refused_before_any_training(tmp_path, capsys, name, recipe):
    said, why = STATEMENTS[name]
    (tmp_path / "said.yaml").write_text(f"statements: {{a: {said if said[0] == '{' else repr(said)}}}\n")
    told = ["--statements"] if recipe == "faces" else ["--constraints", "none"]
    command = [
        "--recipe",
        recipe,
        *told,
        str(tmp_path / "said.yaml"),
        "--generator-labels",
        "Young",
        "Male",
        "--dry-run",
    ]
    assert run_command(lambda: main(command)) == 2
    assert why in capsys.readouterr().err


def test_labels_that_the_data_lack_are_refused_although_the_generator_is_not_given_them(tmp_path, capsys):
    (tmp_path / "g.yaml").write_text("nodes: {Young: [], Male: [], Balding: [Young, Male]}\n")
    command = ["--graph", str(tmp_path / "g.yaml"), "--generator-labels", "--dry-run"]
    assert run_command(lambda: main(command)) == 2
    assert "Balding" in capsys.readouterr().err


def test_the_whole_graph_stays_with_the_run_and_with_what_is_exported(tmp_path):
    from causalcf.evaluation.inputs import all_labels
    from causalcf.export import export

    file = tmp_path / "g.yaml"
    file.write_text("nodes: {Young: [], Male: [], Bald: [Young, Male]}\n")
    recipe = replace(TINY, graph=str(file), generator_labels=(), runs_dir=str(tmp_path / "runs"))
    assert start_run(recipe) == 0
    file.unlink()
    run = load_run(tmp_path / "runs" / "latest", "cpu")
    assert run.graph.nodes == ("Young", "Male") and all_labels(run) == ("Young", "Male", "Bald")
    export(run.folder, tmp_path / "out")
    assert all_labels(load_run(tmp_path / "out", "cpu")) == ("Young", "Male", "Bald")


def test_resuming_takes_the_same_labels_again(tmp_path, capsys):
    assert start_run(replace(TINY, generator_labels=("Young", "Male"), runs_dir=str(tmp_path))) == 0
    command = ["--resume", str(tmp_path / "latest"), "--generator-labels", "Young", "Male", "--dry-run"]
    assert run_command(lambda: main(command)) == 0


def test_a_question_on_another_label_says_what_the_generator_is_given(tmp_path):
    from causalcf import Query, answer

    assert start_run(replace(TINY, generator_labels=(), runs_dir=str(tmp_path))) == 0
    with pytest.raises(QueryError, match=r"given Young, Male alone.*'Bald'"):
        answer(load_run(tmp_path / "latest", "cpu"), Query({"Bald": 1}, {"Young": 0}), faces=2)


def test_a_run_goes_on_with_the_same_labels_alone(tmp_path):
    recipe = replace(TINY, generator_labels=("Young", "Male"), runs_dir=str(tmp_path))
    assert start_run(recipe) == 0
    first = (Path(recipe.runs_dir) / "latest").resolve().name
    assert start_run(replace(recipe, init_from=first, images=32)) == 0
    with pytest.raises(RecipeError, match="generator_labels"):
        start_run(replace(recipe, init_from=first, images=32, generator_labels=None))

"""Runs whose generator is given some of the labels: what is trained, what can be asked, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from scipy.stats import binomtest

from causalcf.cli.command import run as run_command
from causalcf.data.faces import true_scm
from causalcf.errors import RecipeError
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


def test_a_run_goes_on_with_the_same_labels_alone(tmp_path):
    recipe = replace(TINY, generator_labels=("Young", "Male"), runs_dir=str(tmp_path))
    assert start_run(recipe) == 0
    first = (Path(recipe.runs_dir) / "latest").resolve().name
    assert start_run(replace(recipe, init_from=first, images=32)) == 0
    with pytest.raises(RecipeError, match="generator_labels"):
        start_run(replace(recipe, init_from=first, images=32, generator_labels=None))

"""Statements told to whole trainings: checked first, resumed to the bit, without a trace where they cost nothing."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.classifiers.storage import save_classifier
from causalcf.cli.command import run as run_command
from causalcf.constraints.setup import constraint_with, statement_classifier
from causalcf.data.faces import true_scm
from causalcf.errors import IntractableError, RecipeError, RunError, StatementError
from causalcf.graph import CausalGraph, load_graph, save_graph
from causalcf.labels import LabelSCM
from causalcf.labels.mechanisms import TableMechanism
from causalcf.language.lists import load_statements
from causalcf.language.statement import Statement
from causalcf.networks.readers import build_network
from causalcf.runs.directory import load_checkpoint
from causalcf.runs.recipe import Recipe
from causalcf.train import main
from causalcf.training.experiment import resume_run, start_run

pytestmark = pytest.mark.usefixtures("without_pictures")
TINY = Recipe(
    name="tiny",
    images=64,
    batch=8,
    width=2,
    labeler_width=2,
    noise_dim=5,
    data_size=40,
    tick=32,
    precision="float32",
    statement_from=8,
    statement_interval=1,
    statement_group=4,
)
SAID = """
statements:
  old: If someone were old, they might be bald.
  man: If someone were a man, they would have an open mouth.
"""


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def classifier(folder, role="classifier", seed=0):
    """An untrained one: it sees this and that in anything."""
    torch.manual_seed(seed)
    names = true_scm().graph.nodes
    network = build_network("alexnet", len(names), 8).eval()
    for parameter in network.parameters():
        parameter.data *= 3
    plain = Calibration(torch.ones(len(names), dtype=torch.float64), torch.zeros(len(names), dtype=torch.float64))
    read = AttributeClassifier(
        names, network, tuple(range(len(names))), plain, (0.5,) * len(names), False, ("alexnet", 8)
    )
    folder.mkdir(parents=True, exist_ok=True)
    save_classifier(folder / "classifier.pt", read)
    said = {"recipe": {"role": role, "data": "faces"}, "data_fingerprint": "none"}
    (folder / "meta.json").write_text(json.dumps(said))


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "said.yaml").write_text(SAID)
    classifier(tmp_path / "runs" / "classifier-faces")
    return replace(TINY, runs_dir=str(tmp_path / "runs"), statements=str(tmp_path / "said.yaml")).validate()


def latest(recipe):
    return load_checkpoint(Path(recipe.runs_dir) / "latest")


def networks(recipe):
    return {name: value for name, value in latest(recipe)["networks"].items() if value.is_floating_point()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "approach",
    [
        {"approach": "causalgan"},
        {"approach": "conditional"},
        {"approach": "dcgan"},
        {"approach": "causalgan", "generator_labels": ("Young", "Male")},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_a_told_training_is_resumed_to_the_bit(recipe, approach):
    recipe = replace(recipe, **approach)
    assert start_run(recipe) == 0
    whole, told = networks(recipe), latest(recipe)["telling"]
    assert start_run(replace(recipe, images=32)) == 0
    assert resume_run(f"{recipe.runs_dir}/latest", {"images": 64}) == 0
    assert same(whole, networks(recipe))
    again = latest(recipe)["telling"]
    assert again["multipliers"] == told["multipliers"] and torch.equal(again["random"], told["random"])


@pytest.mark.parametrize("approach", ["causalgan", "dcgan"])
def test_statements_that_cost_nothing_leave_no_trace_and_others_do(recipe, approach):
    recipe = replace(recipe, approach=approach, images=48)
    start_run(replace(recipe, statements=None))
    untold = networks(recipe)
    start_run(replace(recipe, statement_slack=1e9))
    assert latest(recipe)["telling"]["means"]  # they were asked about
    assert same(untold, networks(recipe))
    start_run(recipe)
    assert not same(untold, networks(recipe))


def test_released_labels_are_trained_otherwise_although_the_statements_cost_nothing(recipe):
    recipe = replace(recipe, approach="conditional", statement_slack=1e9, images=24)
    start_run(recipe)
    bound = networks(recipe)
    start_run(replace(recipe, statement_release=True))
    assert not same(bound, networks(recipe))


def test_labels_that_the_generator_is_not_given_cannot_be_released(recipe):
    with pytest.raises(RecipeError, match=r"statement_release is True; .* given none of Bald, Mouth"):
        start_run(replace(recipe, generator_labels=("Young", "Male"), statement_release=True))
    with pytest.raises(RecipeError, match=r"statement_release is True; .*dcgan"):
        replace(recipe, approach="dcgan", statement_release=True).validate()


def test_other_statements_begin_with_multipliers_of_their_own(recipe, tmp_path):
    start_run(replace(recipe, images=16))
    before = latest(recipe)["telling"]
    assert before["means"]
    first = (Path(recipe.runs_dir) / "latest").resolve().name
    again = replace(recipe, init_from=first, images=32, statement_from=31)
    start_run(again)
    assert latest(recipe)["telling"]["means"].keys() == before["means"].keys()
    (tmp_path / "said.yaml").write_text(SAID.replace("old,", "young,"))
    start_run(again)
    assert latest(recipe)["telling"]["means"] == {}


def test_a_graph_file_that_changes_or_goes_does_not_change_what_is_told(recipe, tmp_path):
    own = tmp_path / "mine.yaml"
    recipe = replace(recipe, graph=str(own))
    for graph in ("celeba-reversed", None):
        save_graph(load_graph("celeba"), own)
        start_run(recipe)
        whole = networks(recipe)
        start_run(replace(recipe, images=32))
        own.unlink() if graph is None else save_graph(load_graph(graph), own)
        assert resume_run(f"{recipe.runs_dir}/latest", {"images": 64}) == 0
        assert same(whole, networks(recipe))


@pytest.mark.parametrize(
    "change", [{"null_weight": 0.5}, {"statement_stickiness": 0.3}, {"statement_classifier": "other"}]
)
def test_other_questions_or_another_classifier_begin_anew(recipe, tmp_path, change):
    recipe = replace(recipe, approach="dcgan", images=32)
    start_run(recipe)
    classifier(tmp_path / "other", seed=1)
    if "statement_classifier" in change:
        change = {"statement_classifier": str(tmp_path / "other")}
    first = (Path(recipe.runs_dir) / "latest").resolve().name
    assert start_run(replace(recipe, init_from=first, images=40, statement_from=39, **change)) == 0
    assert latest(recipe)["telling"]["means"] == {}


def test_a_table_that_is_too_large_is_found_before_the_training(recipe):
    names = [f"X{i:02d}" for i in range(30)]
    graph = CausalGraph({name: names[max(0, i - 10) : i] for i, name in enumerate(names)})
    draw = torch.Generator().manual_seed(0)
    tables = {n: TableMechanism(torch.rand((2,) * len(graph.parents(n)), generator=draw)) for n in names}
    scm = LabelSCM(graph, tables)
    scm.max_cells = 2**12
    said = {"one": Statement({}, {"X00": 1}, "might", {"X01": 1})}
    reader = SimpleNamespace(network=torch.nn.Linear(1, 1))
    with pytest.raises(IntractableError, match="table"):
        constraint_with(reader, recipe, said, scm, scm, names, torch.device("cpu"), "float32")


@pytest.mark.parametrize("seed", [0, 7])
def test_telling_draws_apart_from_training(recipe, seed):
    recipe, names = replace(recipe, seed=seed), true_scm().graph.nodes
    reader = statement_classifier(recipe, names, torch.device("cpu"))
    said, cpu = load_statements(recipe.statements), torch.device("cpu")
    told = constraint_with(reader, recipe, said, true_scm(), None, names, cpu, "float32")
    training = torch.rand(4096, generator=torch.Generator().manual_seed(seed))
    assert torch.isin(torch.rand(8, generator=told.random), training).sum() <= 1  # chance: of 2^24 floats


def test_nothing_is_told_before_its_time(recipe):
    recipe = replace(recipe, images=48)
    start_run(replace(recipe, statements=None))
    untold = networks(recipe)
    start_run(replace(recipe, statement_from=47))
    assert same(untold, networks(recipe))


def test_what_was_told_is_kept_with_the_run(recipe, tmp_path):
    start_run(replace(recipe, images=16))
    wanted = load_statements(recipe.statements)
    (tmp_path / "said.yaml").unlink()  # a resumed run does not need it
    assert load_statements(f"{recipe.runs_dir}/latest/statements.yaml") == wanted
    assert resume_run(f"{recipe.runs_dir}/latest", {"images": 32}) == 0


def test_tensorboard_has_each_statement(recipe):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    start_run(recipe)
    events = EventAccumulator(f"{recipe.runs_dir}/latest")
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {f"statement old/{key}" for key in ("q", "target", "loss", "multiplier")} <= tags
    assert {"statements/proposed", "statements/accepted"} <= tags
    assert 0 <= events.Scalars("statement old/q")[-1].value <= 1


def test_a_judge_is_never_trained_against(recipe, tmp_path):
    classifier(tmp_path / "runs" / "judge", role="judge")
    with pytest.raises(RecipeError, match=r"statement_classifier.*/runs/judge\b"):
        start_run(replace(recipe, statement_classifier=str(tmp_path / "runs" / "judge")))


def test_without_a_classifier_the_command_that_makes_one_is_named(recipe, tmp_path):
    with pytest.raises(RunError, match=r"causalcf\.classify --data faces"):
        start_run(replace(recipe, runs_dir=str(tmp_path / "elsewhere")))
    assert not list((tmp_path / "elsewhere").glob("*tiny*"))


def test_the_runs_own_classifier_is_found_beside_a_newer_one(recipe, tmp_path):
    start_run(recipe)
    whole = networks(recipe)
    start_run(replace(recipe, images=32))
    runs = tmp_path / "runs"
    (runs / "classifier-faces").rename(runs / "classifier-faces-alexnet-2026-01-01")
    classifier(runs / "classifier-faces", seed=1)
    assert resume_run(f"{recipe.runs_dir}/latest", {"images": 64}) == 0
    assert same(whole, networks(recipe))


def test_another_classifier_does_not_resume(recipe, tmp_path):
    start_run(replace(recipe, images=16))
    classifier(tmp_path / "runs" / "classifier-faces", seed=1)
    with pytest.raises(RunError, match="classifier"):
        resume_run(f"{recipe.runs_dir}/latest", {"images": 32})


@pytest.mark.parametrize(
    ("said", "culprit"),
    [
        (
            "a: If someone were old, they might be bald.\n  b: If someone were old, they would not be bald.",
            r"\ba\b.*\bb\b.*conflict",
        ),
        (
            "a: {given: {Wearing_Lipstick: 1, Hat: 1}, antecedent: {Male: 1}, modal: might, consequent: {Bald: 1}}",
            "'Hat'",
        ),
        (
            "a: {given: {Bald: 1, Male: 0, Mustache: 1}, antecedent: {Young: 0}, modal: might, consequent: {Male: 1}}",
            r"\ba\b.*vacuous",
        ),
    ],
)
def test_what_cannot_be_told_is_refused_before_training(recipe, tmp_path, said, culprit):
    (tmp_path / "said.yaml").write_text("statements:\n  " + said)
    with pytest.raises(StatementError, match=culprit):
        start_run(recipe)
    assert not list((tmp_path / "runs").glob("*tiny*"))


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--statements", "nowhere.yaml"], "nowhere"),
        (["--statements", "faces-true", "--statement-from", "100000000"], "100,?000,?000"),
        (["--statements", "faces-true", "--statement-stickiness", "2"], "statement_stickiness"),
        (
            ["--statements", "faces-true", "--approach", "dcgan", "--statement-stickiness", "1"],
            "statement_stickiness.*dcgan",
        ),
        (["--statements", "faces-true", "--null-weight", "1"], "null_weight"),
        (["--statement-groups", "3"], "statement-group"),
    ],
)
def test_mistakes_at_the_command_line(flags, culprit, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_command(lambda: main(flags)) == 2
    said = capsys.readouterr().err
    assert re.search(culprit, said) and "Traceback" not in said

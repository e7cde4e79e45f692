"""A comparison of what is told: arms with one beginning, found again by what they were told."""

import json
from dataclasses import replace

import pytest
from helpers.comparisons import same_weights, tell
from helpers.newest import latest_runs

from causalcf.errors import RecipeError, StatementError
from causalcf.language.lists import load_statements, save_statements
from causalcf.runs.directory import create_run, stored_runs
from causalcf.train import main, parse_options, resolved
from causalcf.training.experiment import graph_of, start_run, training_data

pytestmark = pytest.mark.usefixtures("without_pictures")

STATEMENT = "statements: {young-bald: 'If this old bald man were young, he would not be bald.'}\n"
ARMS = ["beginning", "told none", "told {mine}"]


def fake_run(recipe):
    """What a finished run leaves behind, without its training."""
    data = training_data(recipe, graph_of(recipe))
    folder = create_run(recipe, graph_of(recipe), {"data_fingerprint": data.fingerprint})
    (folder / "stats.jsonl").write_text(json.dumps({"step": 1, "images": recipe.images}))
    if recipe.statements is not None:
        save_statements(folder / "statements.yaml", load_statements(recipe.statements))
    return 0


@pytest.fixture
def telling(compared, tmp_path, monkeypatch):
    """Flags of a comparison with two arms, a file of statements, and the recipes of its fake trainings in order."""
    (tmp_path / "mine.yaml").write_text(STATEMENT)
    flags = ["--recipe", str(compared / "tiny.yaml"), "--runs-dir", str(tmp_path / "runs"), "--constraints-from", "32"]
    done = []

    def start(recipe):
        done.append(recipe)
        return fake_run(recipe)

    monkeypatch.setattr("causalcf.training.comparison.start_run", start)
    monkeypatch.setattr("causalcf.training.comparison.resume_run", lambda *_: pytest.fail("resumed"))
    monkeypatch.setattr("causalcf.training.comparison.make_classifier", done.append)
    return [*flags, "--constraints", "none", str(tmp_path / "mine.yaml"), "--approaches", "causalgan", "dcgan"], done


def test_all_arms_share_a_beginning_and_a_budget(telling, tmp_path):
    flags, done = telling
    code, said = tell(*flags, "--seeds", "0", "1", "--statement-rate", "0.2")
    mine = str(tmp_path / "mine.yaml")
    assert code == 0 and len(said) == 15
    classifier, *runs, judge = done
    assert (classifier.role, judge.role) == ("classifier", "judge")
    expected = [(seed, approach) for seed in (0, 1) for approach in ("causalgan", "dcgan") for _ in range(3)]
    assert [(recipe.seed, recipe.approach) for recipe in runs] == expected
    for base, untold, arms in zip(runs[::3], runs[1::3], runs[2::3], strict=True):
        assert (base.name, base.images, base.init_from, base.statements) == ("tiny-base", 32, None, None)
        assert untold.init_from == arms.init_from and (tmp_path / "runs" / arms.init_from / "recipe.yaml").is_file()
        assert (untold.name, untold.statements, arms.name, arms.statements) == ("tiny-none", None, "tiny-mine", mine)
        assert replace(untold, name="", init_from=None, images=0) == replace(base, name="", images=0)
        silent = replace(arms, statements=None, statement_rate=0.1, statement_from=16_384, name=untold.name)
        assert silent == untold and arms.images == 64 and (arms.statement_rate, arms.statement_from) == (0.2, 32)
    starts = [recipe.init_from for recipe in runs[1::3]]
    assert len(set(starts)) == 4
    names = [line.split(": ")[1] for line in said[:4]]
    assert names == ["classifier, seed 0", *(f"causalgan, seed 0, {arm.format(mine=mine)}" for arm in ARMS)]


def test_all_arms_have_the_classifier_of_the_comparison(telling, monkeypatch, tmp_path):
    flags, done = telling
    ours = tmp_path / "runs" / "classifier-ours"
    monkeypatch.setattr("causalcf.training.comparison.find_trained_classifier", lambda _: ours)
    monkeypatch.setattr("causalcf.training.comparison.report_again", lambda *_: None)
    assert tell(*flags)[0] == 0
    told = {recipe.name: recipe.statement_classifier for recipe in done}
    assert told == {"tiny-base": None, "tiny-none": None, "tiny-mine": str(ours)}
    assert sum("finished before, in " in line for line in tell(*flags)[1]) == 6


@pytest.mark.parametrize("damage", ["objective: [x]", "average: x", "images: 3.5", "r1: {}", "statements: [1]"])
def test_a_damaged_recipe_of_another_run_is_no_match(telling, tmp_path, damage):
    flags, done = telling
    stranger = tmp_path / "runs" / "stranger"
    stranger.mkdir(parents=True)
    (stranger / "recipe.yaml").write_text(damage)
    (stranger / "meta.json").write_text("{}")
    (stranger / "stats.jsonl").write_text(json.dumps({"step": 1, "images": 64}))
    assert tell(*flags)[0] == 0
    assert sum(hasattr(recipe, "approach") for recipe in done) == 6


def test_arms_are_found_again(telling, monkeypatch):
    flags, done = telling
    assert tell(*flags)[0] == 0
    trained = len(done)
    code, said = tell(*flags)
    assert code == 0 and [recipe.role for recipe in done[trained:]] == ["classifier", "judge"]  # they are faked away
    assert sum("finished before, in " in line for line in said) == 6
    del done[:]
    assert tell(*flags, "--statement-rate", "0.2")[0] == 0
    assert [recipe.name for recipe in done if hasattr(recipe, "approach")] == ["tiny-mine", "tiny-mine"]


def test_an_arm_whose_statements_were_edited_is_trained_anew(telling, tmp_path):
    flags, done = telling
    assert tell(*flags)[0] == 0
    del done[:]
    (tmp_path / "mine.yaml").write_text(STATEMENT.replace("would not", "might"))
    assert tell(*flags)[0] == 0
    assert [recipe.name for recipe in done if hasattr(recipe, "approach")] == ["tiny-mine", "tiny-mine"]


def test_the_arm_that_is_told_nothing_is_the_plain_training(compared, telling, tmp_path, monkeypatch):
    flags, _ = telling
    monkeypatch.setattr(
        "causalcf.training.comparison.start_run", lambda r: fake_run(r) if r.statements else start_run(r)
    )
    assert tell(*flags, "--approaches", "dcgan")[0] == 0
    runs = {run.recipe["name"]: run for run in stored_runs(tmp_path / "runs")}
    assert set(runs) == {"tiny-base", "tiny-none", "tiny-mine"}
    assert same_weights(runs["tiny-none"].folder, latest_runs(compared / "runs")["dcgan"])
    assert not same_weights(runs["tiny-none"].folder, runs["tiny-base"].folder)
    assert runs["tiny-none"].meta["start"] == {"run": runs["tiny-base"].folder.name, "images": 32}


def test_an_interrupted_beginning_ends_the_comparison(telling, monkeypatch):
    flags, done = telling
    monkeypatch.setattr("causalcf.training.comparison.start_run", lambda recipe: 130)
    code, said = tell(*flags)
    assert code == 130 and len(done) == 1 and said[-1].startswith("the comparison is interrupted")


def test_a_comparison_that_tells_makes_itself_again(tmp_path):
    flags = [
        "--recipe",
        "compare",
        "--constraints",
        "none",
        "mine.yaml",
        "--constraints-from",
        "4096",
        "--statement-rate",
        "0.2",
    ]
    asked = parse_options(flags).comparison
    assert (asked.arms.entries, asked.arms.since) == (("none", "mine.yaml"), 4096)
    (tmp_path / "told.yaml").write_text(resolved(asked))
    assert parse_options(["--recipe", str(tmp_path / "told.yaml")]).comparison == asked
    shipped = parse_options(["--recipe", "statements"]).comparison
    assert shipped.arms.anything and shipped.arms.since < shipped.recipe.images
    assert len(shipped.recipes()) * (1 + len(shipped.arms.entries)) == 24


@pytest.mark.parametrize(
    ("text", "flags", "culprit"),
    [
        ("constraints: [none, a]", [], r"constraints_from\b.*\b0\b.*\b90112\b"),
        (
            "constraints: [a]\nconstraints_from: 90112",
            [],
            r"constraints_from\b.*\b90112\b.*\bimages\b",
        ),
        (
            "constraints: [a]\nconstraints_from: 90090",
            [],
            r"constraints_from\b.*\bbatches of 32\b|\bbatches of 32\b.*constraints_from\b",
        ),
        ("constraints_from: 8", [], r"constraints_from\b.*\b8\b.*\bconstraints\b"),
        ("constraints: [none]", ["--constraints-from", "8"], r"constraints_from\b.*\b8\b.*\bconstraints\b"),
        ("constraints: []", [], r"\bconstraints\b.*\bempty\b"),
        ("constraints: [a, a]\nconstraints_from: 8", [], r"\bconstraints\b.*\ba, a\b"),
        ("constraints: none", [], r"\bconstraints\b.*'none'.*\blist\b"),
        ("constraints: [none, null]", [], r"\bconstraints\b.*\['none', None\]"),
        ("constraints_from: all", [], "constraints_from.*'all'"),
        ("statements: a", [], r"\bstatements\b.*\bconstraints\b"),
        ("", ["--statements", "a"], r"--statements\b.*--constraints\b"),
        ("", ["--init-from=a"], r"--init[-_]from\b.*--constraints\b"),
    ],
)
def test_what_cannot_be_told_is_named(tmp_path, text, flags, culprit):
    (tmp_path / "mine.yaml").write_text(f"approaches: [causalgan, dcgan]\n{text}\n")
    with pytest.raises(RecipeError, match=culprit):
        parse_options(["--recipe", str(tmp_path / "mine.yaml"), *flags])


def test_flags_of_arms_belong_to_a_comparison():
    for flag in ("--constraints", "--constraints-from"):
        with pytest.raises(RecipeError, match=rf"^{flag}\b.*--recipe compare\b"):
            parse_options([flag, "8"])


@pytest.mark.parametrize(
    ("statements", "culprit"),
    [
        ("statements: {a: 'If this man flew, he would be bald.'}", r"mine\.yaml: a: .*'flew'"),
        ("statements: {a: 'If this man smiled, he would be bald.'}", r"mine\.yaml: a: .*'Smiling'"),
        (
            "statements: {a: 'If this man were old, he might be bald.',\n"
            " b: 'If this man were old, he would not be bald.'}",
            r"mine\.yaml: a and b\b",
        ),
        (None, r"\bmine\.yaml\b"),
    ],
)
def test_statements_are_read_before_anything_is_trained(telling, tmp_path, statements, culprit):
    flags, done = telling
    (tmp_path / "mine.yaml").unlink()
    if statements is not None:
        (tmp_path / "mine.yaml").write_text(statements)
    with pytest.raises(StatementError, match=culprit):
        main(flags)
    assert done == []

"""A comparison trains what is not there yet, goes on with what was interrupted, and refuses what would not be fair."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from helpers.comparisons import PARTS, TINY, fingerprint_of, recipes_of, same_weights, tell
from helpers.newest import latest_runs

from causalcf.errors import DataError, GraphError, RecipeError
from causalcf.runs.directory import stored_runs
from causalcf.runs.recipe import Recipe
from causalcf.train import main, parse_options, resolved
from causalcf.training.comparison import find_trained_classifier, find_training
from causalcf.training.comparison_recipe import comparison_from_dict
from causalcf.training.experiment import resume_run
from causalcf.training.step import TrainingStep

pytestmark = pytest.mark.usefixtures("without_pictures")


def test_all_approaches_and_both_classifiers_are_trained(compared):
    runs = latest_runs(compared / "runs")
    assert set(runs) == {"causalgan", "conditional", "dcgan"}
    trained = {name: yaml.safe_load((run / "recipe.yaml").read_text()) for name, run in runs.items()}
    for name, recipe in trained.items():
        assert recipe == {**trained["causalgan"], "approach": name}
    roles = ("classifier", "judge")
    metas = {role: json.loads((compared / "runs" / f"{role}-faces" / "meta.json").read_text()) for role in roles}
    assert {role: (meta["recipe"]["network"], meta["recipe"]["seed"]) for role, meta in metas.items()} == {
        "classifier": ("alexnet", 0), "judge": ("residual", 1),
    }  # fmt: skip
    assert all(meta["recipe"]["data_size"] == 400 and meta["recipe"]["device"] == "cpu" for meta in metas.values())


def test_the_same_command_again_trains_nothing(compared):
    def state():
        return {path: path.lstat().st_mtime_ns for path in (compared / "runs").rglob("*")}

    before = state()
    code, said = tell("--recipe", str(compared / "tiny.yaml"), "--runs-dir", str(compared / "runs"))
    assert code == 0 and state() == before
    assert [line.split(";")[0] for line in said[:-1]] == [f"{n} of 5: {part}" for n, part in enumerate(PARTS, 1)]
    assert all("finished before, in " in line for line in said[:-1])


def test_an_interrupted_training_goes_on_where_it_stopped(compared, copy, tmp_path, monkeypatch):
    kept = latest_runs(tmp_path / "runs")
    for approach in ("conditional", "dcgan"):
        shutil.rmtree(kept[approach])
    with monkeypatch.context() as patch:
        healthy = TrainingStep.__call__

        def interrupted(self, batch, step, generator):
            if step == 6:
                raise KeyboardInterrupt
            return healthy(self, batch, step, generator)

        patch.setattr(TrainingStep, "__call__", interrupted)
        code, said = tell(*copy)
    assert code == 130 and said[-1] == "the comparison is interrupted; the same command goes on from here"
    assert [run.images for run in stored_runs(tmp_path / "runs") if run.approach == "conditional"] == [32]
    code, said = tell(*copy)
    assert code == 0
    assert [line.split(" in ")[0] for line in said[:3]] == [
        "1 of 5: causalgan, seed 0; finished before,", "2 of 5: conditional, seed 0; goes on", "3 of 5: dcgan, seed 0",
    ]  # fmt: skip
    runs, whole = latest_runs(tmp_path / "runs"), latest_runs(compared / "runs")
    assert len(stored_runs(tmp_path / "runs")) == len(runs) == 3
    assert same_weights(runs["conditional"], whole["conditional"]) and same_weights(runs["dcgan"], whole["dcgan"])
    assert not same_weights(runs["conditional"], whole["causalgan"])


def test_ctrl_c_that_ends_a_training_in_order_ends_the_comparison(copy, tmp_path, monkeypatch):
    shutil.rmtree(latest_runs(tmp_path / "runs")["causalgan"])
    begun = []
    monkeypatch.setattr("causalcf.training.comparison.start_run", lambda recipe: begun.append(recipe.approach) or 130)
    code, said = tell(*copy)
    assert code == 130 and begun == ["causalgan"] and said[-1].startswith("the comparison is interrupted")


def test_a_classifier_is_trained_when_missing_and_reported_on_when_only_that_is_missing(copy, tmp_path, monkeypatch):
    base = tmp_path / "runs"
    classifier, judge = ((base / f"{role}-faces").resolve() for role in ("classifier", "judge"))
    report = (classifier / "report.json").read_text()
    weights = (classifier / "classifier.pt").stat().st_mtime_ns
    (classifier / "report.json").unlink()
    (judge / "classifier.pt").unlink()
    trained = []
    monkeypatch.setattr("causalcf.training.comparison.make_classifier", trained.append)
    code, said = tell(*copy)
    assert code == 0 and [recipe.role for recipe in trained] == ["judge"]
    assert "its report is still to be written" in said[3] and said[4] == "5 of 5: judge, seed 1"
    assert json.loads((classifier / "report.json").read_text()) == json.loads(report)
    assert (classifier / "classifier.pt").stat().st_mtime_ns == weights


def test_only_a_run_of_the_same_recipe_graph_data_and_budget_counts(copy, tmp_path):
    recipes, _ = recipes_of(copy)
    recipe, run = recipes["conditional"], latest_runs(tmp_path / "runs")["conditional"]
    fingerprint = fingerprint_of(run)
    assert find_training(recipe, fingerprint).folder == run
    for changes in ({"seed": 1}, {"width": 16}, {"images": 72}, {"name": "other"}, {"approach": "dcgan", "r1": 9.0}):
        assert find_training(replace(recipe, **changes), fingerprint) is None
    assert find_training(recipe, "other data") is None
    shutil.copy(latest_runs(tmp_path / "runs")["causalgan"] / "graph.yaml", run / "graph.yaml")  # has edges
    assert find_training(recipe, fingerprint) is None
    (run / "graph.yaml").write_text("nodes: {")
    assert find_training(recipe, fingerprint) is None


def test_a_run_trained_for_longer_is_no_run_of_the_shorter_recipe(copy, tmp_path):
    recipes, _ = recipes_of(copy)
    recipe, run = recipes["dcgan"], latest_runs(tmp_path / "runs")["dcgan"]
    fingerprint = fingerprint_of(run)
    assert resume_run(str(run), {"images": 96}) == 0
    assert find_training(recipe, fingerprint) is None
    longer = replace(recipe, images=96, runs_dir=str(tmp_path / "elsewhere" / ".." / "runs"))
    (tmp_path / "elsewhere").mkdir()
    assert find_training(longer, fingerprint).folder.resolve() == run.resolve()
    yaml_recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    (run / "recipe.yaml").write_text(yaml.safe_dump({**yaml_recipe, "images": 64}))  # as an older version leaves it
    assert find_training(recipe, fingerprint) is None


def test_a_run_without_a_checkpoint_cannot_go_on(copy, tmp_path):
    recipes, _ = recipes_of(copy)
    recipe, run = recipes["dcgan"], latest_runs(tmp_path / "runs")["dcgan"]
    (run / "stats.jsonl").unlink()
    assert find_training(recipe, fingerprint_of(run)).folder == run
    (run / "checkpoint.pt").unlink()
    assert find_training(recipe, fingerprint_of(run)) is None


def test_only_a_classifier_of_the_same_recipe_and_data_counts(copy, tmp_path):
    _, comparison = recipes_of(copy)
    judge, folder = comparison.judge, (tmp_path / "runs" / "judge-faces").resolve()
    assert find_trained_classifier(judge).resolve() == folder
    for changes in ({"seed": 2}, {"width": 16}, {"role": "classifier"}, {"images": 128}):
        assert find_trained_classifier(replace(judge, **changes)) is None
    meta = json.loads((folder / "meta.json").read_text())
    for junk in ({**meta, "images": {**meta["images"], "train": {"fingerprint": "x"}}}, {"recipe": meta["recipe"]}, []):
        (folder / "meta.json").write_text(json.dumps(junk))
        assert find_trained_classifier(judge) is None


def test_a_dry_run_prints_what_makes_the_same_comparison(tmp_path):
    flags = ["--recipe", "compare", "--images", "500", "--seeds", "3", "0", "--approaches", "dcgan", "causalgan"]
    asked = parse_options(flags).comparison
    assert [(recipe.approach, recipe.seed) for recipe in asked.recipes()] == [
        ("dcgan", 3), ("causalgan", 3), ("dcgan", 0), ("causalgan", 0),
    ]  # fmt: skip
    assert {recipe.images for recipe in asked.recipes()} == {500}
    (tmp_path / "told.yaml").write_text(resolved(asked))
    assert parse_options(["--recipe", str(tmp_path / "told.yaml")]).comparison == asked
    assert comparison_from_dict(asked.to_dict()) == asked
    assert parse_options(["--recipe", str(tmp_path / "told.yaml"), "--batch", "4"]).comparison != asked


def test_a_dry_run_trains_nothing(tmp_path):
    code = "from causalcf.train import main; main(['--recipe', 'compare', '--dry-run'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert comparison_from_dict(yaml.safe_load(done.stdout)) == parse_options(["--recipe", "compare"]).comparison
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_comparison_shares_the_settings_of_the_recipe_that_it_names():
    faces = parse_options(["--recipe", "faces"]).recipe
    comparison = parse_options(["--recipe", "train/compare.yaml"]).comparison
    assert [recipe.approach for recipe in comparison.recipes()] == ["causalgan", "conditional", "dcgan"]
    for recipe in comparison.recipes():
        assert replace(recipe, name=faces.name, approach=faces.approach) == faces


def test_settings_of_the_classifiers_come_from_what_all_share():
    flags = [
        "--data",
        "celeba",
        "--data-root",
        "here",
        "--device",
        "cuda",
        "--runs-dir",
        "there",
        "--precision",
        "bf16",
    ]
    comparison = parse_options(["--recipe", "compare", *flags]).comparison
    for recipe in (comparison.classifier, comparison.judge):
        assert (recipe.data, recipe.data_root, recipe.device, recipe.runs_dir) == ("celeba", "here", "cuda", "there")
        assert recipe.precision == "bf16" and recipe.label_distribution == "natural"
    assert (comparison.classifier.images, comparison.judge.images) == (230_000, 460_000)
    assert (comparison.classifier.role, comparison.judge.role) == ("classifier", "judge")


@pytest.mark.parametrize(
    ("text", "flags", "culprit"),
    [
        ("approach: dcgan", [], r"\bapproach\b.*\bapproaches\b"),
        ("seed: 1", [], r"\bseed\b.*\bseeds\b"),
        ("", ["--approach", "dcgan"], r"--approach\b.*--approaches\b"),
        ("", ["--seed=1"], r"--seed\b.*--seeds\b"),
        ("", ["--resume", "runs/latest"], "comparison.*again"),
        ("", ["--widht", "3"], "--widht.*--width"),
        ("widht: 3", [], r"mine\.yaml.*'widht'.*'width'"),
        ("jugde: {}", [], r"mine\.yaml.*'jugde'.*'judge'"),
        ("width: wide", [], r"\bwidth\b.*\bwide\b"),
        ("width: 0", [], r"\bwidth\b.*\b0\b.*\b1\b"),
        ("", ["--approaches", "causalgan", "dcgn"], "'dcgn'.*'dcgan'"),
        ("", ["--approaches", "dcgan", "dcgan"], "approaches.*dcgan, dcgan"),
        ("", ["--seeds", "-1"], r"\bseed\b.*-1\b"),
        ("", ["--seeds", "4294967296"], r"\bseed\b.*\b4294967296\b"),
        ("", ["--seeds", "one"], r"\bseeds\b.*\bone\b"),
        ("seeds: 0", [], r"\bseeds\b.*\b0\b.*\blist\b"),
        ("seeds: [true]", [], r"\bseeds\b.*\[True\]"),
        ("seeds: []", [], r"\bseeds\b.*\bempty\b"),
        ("judge: residual", [], "judge.*'residual'"),
        ("judge: {widht: 8}", [], r"mine\.yaml.*judge.*\bwidht\b.*\bwidth\b"),
        ("judge: {width: 9}", [], r"judge.*\bwidth\b.*\b9\b.*\b8\b"),
        ("judge: {network: resnet}", [], r"judge.*\bnetwork\b.*\bresnet\b"),
        ("classifier: {data: celeba}", [], r"classifier: .*\bdata\b"),
        ("classifier: {role: judge}", [], r"classifier: .*\brole\b"),
        ("classifier: {network: residual}", [], r"\bjudge and classifier\b.*\bnetwork residual\b"),
        ("classifier: {seed: 1}", [], r"\bjudge and classifier\b.*\bseed 1\b"),
        ("judge: {seed: 0}", [], r"\bjudge and classifier\b.*\bnetwork\b.*\bseed\b"),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, text, flags, culprit):
    (tmp_path / "mine.yaml").write_text(f"approaches: [causalgan, dcgan]\n{text}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=culprit):
        parse_options(["--recipe", "mine.yaml", *flags])


@pytest.mark.parametrize(
    ("text", "flags", "culprit"),
    [
        ("judge: {}", [], r"mine\.yaml.*\bjudge\b.*\bapproaches\b"),
        ("seeds: [0]", [], r"mine\.yaml.*\bseeds\b.*\bapproaches\b"),
        ("width: 8", ["--seeds", "0"], r"--seeds\b.*--recipe compare\b"),
        ("width: 8", ["--approaches=dcgan"], r"--approaches\b.*--recipe compare\b"),
        ("approachs: [dcgan]", [], r"mine\.yaml.*\bapproachs\b.*\bapproaches\b"),
        ("approaches: dcgan", [], r"\bapproaches\b.*'dcgan'.*\blist\b"),
        ("approaches: []", [], r"\bapproaches\b.*\bempty\b"),
    ],
)
def test_a_recipe_of_one_training_is_told_apart(tmp_path, monkeypatch, text, flags, culprit):
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=culprit):
        parse_options(["--recipe", "mine.yaml", *flags])


@pytest.mark.parametrize(
    ("changes", "error", "culprit"),
    [
        ({"judge": {"attributes": ["Male", "Smilling"]}}, DataError, "'Smilling'.*'Smiling'"),
        ({"judge": {"attributes": ["Male"]}}, RecipeError, "judge.*attributes.*Young, "),
        ({"graph": "celebb"}, GraphError, "'celebb'.*'celeba'"),
        ({"device": "cuda:99"}, RecipeError, "cuda:99"),
        ({"data": "celeba", "data_root": "nowhere", "data_size": Recipe.data_size}, DataError, "nowhere"),
    ],
)
def test_mistakes_that_only_the_data_show_are_named_before_anything_is_trained(
    compared, tmp_path, changes, error, culprit
):
    values = {**TINY, **changes, "runs_dir": str(tmp_path / "runs")}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(error, match=culprit):
        main(["--recipe", str(tmp_path / "mine.yaml")])
    assert not (tmp_path / "runs").exists()


def test_a_mistake_ends_the_command_with_exit_code_2(tmp_path):
    command = [sys.executable, "-m", "causalcf.train", "--recipe", "compare", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and re.match(r"error: --seed\b.*--seeds\b", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_run_older_than_an_option_has_its_default(copy, tmp_path):
    recipes, _ = recipes_of(copy)
    run = latest_runs(tmp_path / "runs")["dcgan"]
    stored = yaml.safe_load((run / "recipe.yaml").read_text())
    old = {key: value for key, value in stored.items() if not key.startswith("statement") and key != "init_from"}
    (run / "recipe.yaml").write_text(yaml.safe_dump(old))
    assert find_training(recipes["dcgan"], fingerprint_of(run)).folder == run
    assert find_training(replace(recipes["dcgan"], statements="mine.yaml"), fingerprint_of(run)) is None
    assert find_training(replace(recipes["dcgan"], init_from="another"), fingerprint_of(run)) is None

"""A comparison trains what is not there yet, goes on with what was interrupted, and refuses what would not be fair."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import yaml

from causalcf.checkpoint import load_checkpoint
from causalcf.comparison_found import find_trained_classifier, find_training
from causalcf.comparison_recipe import comparison_from_dict
from causalcf.errors import CausalCFError, RecipeError
from causalcf.experiment import graph_of, resume_run, start_run, training_data
from causalcf.runs import create_run, latest_runs, stored_runs
from causalcf.step import TrainingStep
from causalcf.train import main
from causalcf.train_options import parse_options, resolved

TINY = {
    "name": "tiny", "graph": "celeba-bald", "images": 64, "batch": 8, "width": 8, "labeler_width": 2, "noise_dim": 5,
    "data_size": 400, "tick": 32, "device": "cpu", "precision": "float32",
    "approaches": ["causalgan", "conditional", "dcgan"],
    "classifier": {"network": "alexnet", "images": 64, "batch": 32, "width": 8},
    "judge": {
        "network": "residual", "images": 64, "batch": 32, "width": 8, "seed": 1, "attributes": ["Bald", "Male", "Young"]
    },
}  # fmt: skip
PARTS = ["causalgan, seed 0", "conditional, seed 0", "dcgan, seed 0", "classifier, seed 0", "judge, seed 1"]


def tell(*flags):
    """The exit code of the command, and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(list(flags))
    return code, [line for line in said.getvalue().splitlines() if re.match(r"\d+ of \d+: |the comparison", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished comparison: its recipe in tiny.yaml, its runs in runs; not to be changed."""
    folder = tmp_path_factory.mktemp("comparison")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(folder / "cache"))
        code, said = tell("--recipe", str(folder / "tiny.yaml"), "--runs", str(folder / "runs"))
        assert code == 0
        told = [f"{number} of 5: {part}" for number, part in enumerate(PARTS, 1)]
        assert said == [*told, f"the comparison is finished; its runs and classifiers are in {folder / 'runs'}"]
        yield folder


@pytest.fixture
def copy(folder, tmp_path):
    """Flags of the same comparison in a copy of its folder."""
    shutil.copytree(folder / "runs", tmp_path / "runs", symlinks=True)
    return ["--recipe", str(folder / "tiny.yaml"), "--runs", str(tmp_path / "runs")]


def recipes_of(flags):
    comparison = parse_options(flags).comparison
    return {recipe.approach: recipe for recipe in comparison.recipes()}, comparison


def fingerprint_of(run):
    return json.loads((run / "meta.json").read_text())["data_fingerprint"]


def same_weights(first, second):
    a, b = (load_checkpoint(run)["networks"] for run in (first, second))
    return all(torch.equal(a[key], b[key]) for key in a)


def test_all_approaches_and_both_classifiers_are_trained(folder):
    runs = latest_runs(folder / "runs")
    assert set(runs) == {"causalgan", "conditional", "dcgan"}
    trained = {name: yaml.safe_load((run / "recipe.yaml").read_text()) for name, run in runs.items()}
    for name, recipe in trained.items():
        assert recipe == {**trained["causalgan"], "approach": name}
    roles = ("classifier", "judge")
    metas = {role: json.loads((folder / "runs" / f"{role}-faces" / "meta.json").read_text()) for role in roles}
    assert {role: (meta["recipe"]["network"], meta["recipe"]["seed"]) for role, meta in metas.items()} == {
        "classifier": ("alexnet", 0), "judge": ("residual", 1),
    }  # fmt: skip
    assert all(meta["recipe"]["data_size"] == 400 and meta["recipe"]["device"] == "cpu" for meta in metas.values())


def test_the_same_command_again_trains_nothing(folder):
    def state():
        return {path: path.lstat().st_mtime_ns for path in (folder / "runs").rglob("*")}

    before = state()
    code, said = tell("--recipe", str(folder / "tiny.yaml"), "--runs", str(folder / "runs"))
    assert code == 0 and state() == before
    assert [line.split(";")[0] for line in said[:-1]] == [f"{n} of 5: {part}" for n, part in enumerate(PARTS, 1)]
    assert all("finished before, in " in line for line in said[:-1])


def test_an_interrupted_training_goes_on_where_it_stopped(folder, copy, tmp_path, monkeypatch):
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
    runs, whole = latest_runs(tmp_path / "runs"), latest_runs(folder / "runs")
    assert len(stored_runs(tmp_path / "runs")) == len(runs) == 3
    assert same_weights(runs["conditional"], whole["conditional"]) and same_weights(runs["dcgan"], whole["dcgan"])
    assert not same_weights(runs["conditional"], whole["causalgan"])


def test_ctrl_c_that_ends_a_training_in_order_ends_the_comparison(copy, tmp_path, monkeypatch):
    shutil.rmtree(latest_runs(tmp_path / "runs")["causalgan"])
    begun = []
    monkeypatch.setattr("causalcf.comparison.start_run", lambda recipe: begun.append(recipe.approach) or 130)
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
    monkeypatch.setattr("causalcf.comparison.make_classifier", trained.append)
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
    longer = replace(recipe, images=96, runs=str(tmp_path / "elsewhere" / ".." / "runs"))
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


def test_a_dry_run_trains_nothing_and_needs_no_torch(tmp_path):
    code = "import sys; from causalcf.train import main; main(['--recipe', 'compare', '--dry-run'])\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert comparison_from_dict(yaml.safe_load(done.stdout)) == parse_options(["--recipe", "compare"]).comparison
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_comparison_shares_the_settings_of_the_default_recipe():
    faces = parse_options([]).recipe
    comparison = parse_options(["--recipe", "train/compare.yaml"]).comparison
    assert [recipe.approach for recipe in comparison.recipes()] == ["causalgan", "conditional", "dcgan"]
    for recipe in comparison.recipes():
        assert replace(recipe, name=faces.name, approach=faces.approach) == faces


def test_settings_of_the_classifiers_come_from_what_all_share():
    flags = ["--data", "celeba", "--data-root", "here", "--device", "cuda", "--runs", "there", "--precision", "bf16"]
    comparison = parse_options(["--recipe", "compare", *flags]).comparison
    for recipe in (comparison.classifier, comparison.judge):
        assert (recipe.data, recipe.data_root, recipe.device, recipe.runs) == ("celeba", "here", "cuda", "there")
        assert recipe.precision == "bf16" and recipe.label_law == "natural" and recipe.images == 230_000
    assert (comparison.classifier.role, comparison.judge.role) == ("classifier", "judge")


@pytest.mark.parametrize(
    ("text", "flags", "sentence"),
    [
        ("approach: dcgan", [], "approach has no meaning in a comparison; it takes approaches"),
        ("seed: 1", [], "seed has no meaning in a comparison; it takes seeds"),
        ("", ["--approach", "dcgan"], "--approach has no meaning in a comparison; it takes --approaches"),
        ("", ["--seed=1"], "--seed has no meaning in a comparison; it takes --seeds"),
        ("", ["--resume", "runs/latest"], "a comparison goes on when its command is given again"),
        ("", ["--widht", "3"], "unknown option --widht; did you mean --width?"),
        ("widht: 3", [], "mine.yaml: unknown key 'widht'; did you mean 'width'"),
        ("jugde: {}", [], "mine.yaml: unknown key 'jugde'; did you mean 'judge'"),
        ("width: wide", [], 'option "width"'),
        ("width: 0", [], "width is 0; it must be at least 1"),
        ("", ["--approaches", "causalgan", "dcgn"], "unknown approach 'dcgn'; did you mean 'dcgan'"),
        ("", ["--approaches", "dcgan", "dcgan"], "approaches is dcgan, dcgan; it must be a list without repetition"),
        ("", ["--seeds", "-1"], "seed is -1; it must be in [0, 2^63)"),
        ("", ["--seeds", "one"], 'option "seeds"'),
        ("seeds: 0", [], "seeds is 0; it must be a list, such as [0, 1]"),
        ("seeds: [true]", [], "seeds is [True]; it must be a list"),
        ("seeds: []", [], "seeds is empty; it must be a list of at least one"),
        ("judge: residual", [], "judge is 'residual'; it must be a mapping"),
        ("judge: {widht: 8}", [], "mine.yaml: judge: unknown key widht; did you mean width?"),
        ("judge: {width: 9}", [], "judge: width is 9; it must be a multiple of 8"),
        ("judge: {network: resnet}", [], 'judge: option "network"'),
        ("classifier: {data: celeba}", [], "classifier: data is the same for all of a comparison; set it outside"),
        ("classifier: {role: judge}", [], "classifier: role is classifier here; leave it out"),
        ("classifier: {network: residual}", [], "judge and classifier both have network residual"),
        ("classifier: {seed: 1}", [], "judge and classifier both have seed 1"),
        ("judge: {seed: 0}", [], "another network and another seed"),
    ],
)
def test_mistakes_are_named(tmp_path, monkeypatch, text, flags, sentence):
    (tmp_path / "mine.yaml").write_text(f"approaches: [causalgan, dcgan]\n{text}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        parse_options(["--recipe", "mine.yaml", *flags])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "flags", "sentence"),
    [
        ("judge: {}", [], "mine.yaml: judge belongs to a comparison: a recipe with the key approaches"),
        ("seeds: [0]", [], "mine.yaml: seeds belongs to a comparison"),
        ("width: 8", ["--seeds", "0"], "--seeds belongs to a comparison, such as --recipe compare"),
        ("width: 8", ["--approaches=dcgan"], "--approaches belongs to a comparison"),
        ("approachs: [dcgan]", [], "mine.yaml: unknown key approachs; did you mean approaches?"),
        ("approaches: dcgan", [], "approaches is 'dcgan'; it must be a list, such as [causalgan, dcgan]"),
        ("approaches: []", [], "approaches is empty; it must be a list of at least one"),
    ],
)
def test_a_recipe_of_one_training_is_told_apart(tmp_path, monkeypatch, text, flags, sentence):
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        parse_options(["--recipe", "mine.yaml", *flags])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"judge": {"attributes": ["Male", "Smilling"]}}, "did you mean 'Smiling'"),
        ({"judge": {"attributes": ["Male"]}}, "judge: attributes lacks Young, "),
        ({"graph": "celebb"}, "did you mean"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"data": "celeba", "data_root": "nowhere"}, "nowhere"),
    ],
)
def test_mistakes_that_only_the_data_show_are_named_before_anything_is_trained(folder, tmp_path, changes, sentence):
    values = {**TINY, **changes, "runs": str(tmp_path / "runs")}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(CausalCFError) as caught:
        main(["--recipe", str(tmp_path / "mine.yaml")])
    assert sentence in str(caught.value) and not (tmp_path / "runs").exists()


def test_a_mistake_ends_the_command_with_exit_code_2(tmp_path):
    command = [sys.executable, "-m", "causalcf.train", "--recipe", "compare", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: --seed has no meaning in a comparison")
    assert list(tmp_path.iterdir()) == []


STATEMENT = "statements: {young-bald: 'If this old bald man were young, he would not be bald.'}\n"
ARMS = ["beginning", "told none", "told {mine}"]


def fake_run(recipe):
    """What a finished run leaves behind, without its training."""
    data = training_data(recipe, graph_of(recipe))
    folder = create_run(recipe, graph_of(recipe), {"data_fingerprint": data.fingerprint})
    (folder / "stats.jsonl").write_text(json.dumps({"step": 1, "images": recipe.images}))
    return 0


@pytest.fixture
def telling(folder, tmp_path, monkeypatch):
    """Flags of a comparison with two arms, a file of statements, and the recipes of its fake trainings in order."""
    (tmp_path / "mine.yaml").write_text(STATEMENT)
    flags = ["--recipe", str(folder / "tiny.yaml"), "--runs", str(tmp_path / "runs"), "--told-from", "32"]
    done = []

    def start(recipe):
        done.append(recipe)
        return fake_run(recipe)

    monkeypatch.setattr("causalcf.comparison.start_run", start)
    monkeypatch.setattr("causalcf.comparison.resume_run", lambda *_: pytest.fail("resumed"))
    monkeypatch.setattr("causalcf.comparison.make_classifier", done.append)
    return [*flags, "--told", "none", str(tmp_path / "mine.yaml"), "--approaches", "causalgan", "dcgan"], done


def test_all_arms_share_a_beginning_and_a_budget(telling, tmp_path):
    flags, done = telling
    code, said = tell(*flags, "--seeds", "0", "1", "--statement-rate", "0.2")
    mine = str(tmp_path / "mine.yaml")
    assert code == 0 and len(said) == 15
    classifier, *runs, judge = done
    assert (classifier.role, judge.role) == ("classifier", "judge")
    expected = [(seed, approach) for seed in (0, 1) for approach in ("causalgan", "dcgan") for _ in range(3)]
    assert [(recipe.seed, recipe.approach) for recipe in runs] == expected
    for base, untold, told in zip(runs[::3], runs[1::3], runs[2::3], strict=True):
        assert (base.name, base.images, base.start, base.statements) == ("tiny-base", 32, None, None)
        assert untold.start == told.start and (tmp_path / "runs" / told.start / "recipe.yaml").is_file()
        assert (untold.name, untold.statements, told.name, told.statements) == ("tiny-none", None, "tiny-mine", mine)
        assert replace(untold, name="", start=None, images=0) == replace(base, name="", images=0)
        silent = replace(told, statements=None, statement_rate=0.1, name=untold.name)
        assert silent == untold and told.images == 64 and told.statement_rate == 0.2
    starts = [recipe.start for recipe in runs[1::3]]
    assert len(set(starts)) == 4
    names = [line.split(": ")[1] for line in said[:4]]
    assert names == ["classifier, seed 0", *(f"causalgan, seed 0, {arm.format(mine=mine)}" for arm in ARMS)]


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


def test_the_arm_that_is_told_nothing_is_the_plain_training(folder, telling, tmp_path, monkeypatch):
    flags, _ = telling
    monkeypatch.setattr("causalcf.comparison.start_run", lambda r: fake_run(r) if r.statements else start_run(r))
    assert tell(*flags, "--approaches", "dcgan")[0] == 0
    runs = {run.recipe["name"]: run for run in stored_runs(tmp_path / "runs")}
    assert set(runs) == {"tiny-base", "tiny-none", "tiny-mine"}
    assert same_weights(runs["tiny-none"].folder, latest_runs(folder / "runs")["dcgan"])
    assert not same_weights(runs["tiny-none"].folder, runs["tiny-base"].folder)
    assert runs["tiny-none"].meta["start"] == {"run": runs["tiny-base"].folder.name, "images": 32}


def test_an_interrupted_beginning_ends_the_comparison(telling, monkeypatch):
    flags, done = telling
    monkeypatch.setattr("causalcf.comparison.start_run", lambda recipe: 130)
    code, said = tell(*flags)
    assert code == 130 and len(done) == 1 and said[-1].startswith("the comparison is interrupted")


def test_a_run_older_than_an_option_has_its_default(copy, tmp_path):
    recipes, _ = recipes_of(copy)
    run = latest_runs(tmp_path / "runs")["dcgan"]
    stored = yaml.safe_load((run / "recipe.yaml").read_text())
    old = {key: value for key, value in stored.items() if not key.startswith("statement") and key != "start"}
    (run / "recipe.yaml").write_text(yaml.safe_dump(old))
    assert find_training(recipes["dcgan"], fingerprint_of(run)).folder == run
    assert find_training(replace(recipes["dcgan"], statements="mine.yaml"), fingerprint_of(run)) is None
    assert find_training(replace(recipes["dcgan"], start="another"), fingerprint_of(run)) is None


def test_a_comparison_that_tells_makes_itself_again(tmp_path):
    flags = ["--recipe", "compare", "--told", "none", "mine.yaml", "--told-from", "4096", "--statement-rate", "0.2"]
    asked = parse_options(flags).comparison
    assert (asked.told.entries, asked.told.since) == (("none", "mine.yaml"), 4096)
    (tmp_path / "told.yaml").write_text(resolved(asked))
    assert parse_options(["--recipe", str(tmp_path / "told.yaml")]).comparison == asked
    shipped = parse_options(["--recipe", "statements"]).comparison
    assert shipped.told.anything and shipped.told.since < shipped.recipe.images
    assert len(shipped.recipes()) * (1 + len(shipped.told.entries)) == 24


@pytest.mark.parametrize(
    ("text", "flags", "sentence"),
    [
        ("told: [none, a]", [], "told_from is 0; it must be above 0 and below images, 90112"),
        ("told: [a]\ntold_from: 90112", [], "told_from is 90112; it must be above 0 and below images"),
        ("told: [a]\ntold_from: 90090", [], "counted in batches of 32"),
        ("told_from: 8", [], "told_from is 8; it must be left out where told names no statements"),
        ("told: [none]", ["--told-from", "8"], "told_from is 8; it must be left out"),
        ("told: []", [], "told is empty; it must be a list of at least one"),
        ("told: [a, a]\ntold_from: 8", [], "told is a, a; it must be a list without repetition"),
        ("told: none", [], "told is 'none'; it must be a list, such as [none, faces-true]"),
        ("told: [none, null]", [], "told is ['none', None]; it must be a list"),
        ("told_from: all", [], "told_from is 'all'; it must be a number of images"),
        ("statements: a", [], "statements has no meaning in a comparison; it takes told"),
        ("", ["--statements", "a"], "--statements has no meaning in a comparison; it takes --told"),
        ("", ["--start=a"], "--start has no meaning in a comparison; it takes --told"),
    ],
)
def test_what_cannot_be_told_is_named(tmp_path, text, flags, sentence):
    (tmp_path / "mine.yaml").write_text(f"approaches: [causalgan, dcgan]\n{text}\n")
    with pytest.raises(RecipeError) as caught:
        parse_options(["--recipe", str(tmp_path / "mine.yaml"), *flags])
    assert sentence in str(caught.value)


def test_flags_of_arms_belong_to_a_comparison():
    for flag in ("--told", "--told-from"):
        with pytest.raises(RecipeError, match=f"^{flag} belongs to a comparison"):
            parse_options([flag, "8"])


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        ("statements: {a: 'If this man flew, he would be bald.'}", "a: "),
        ("statements: {a: 'If this man smiled, he would be bald.'}", "mine.yaml: a: the graph has no such label"),
        (None, "no file"),
    ],
)
def test_statements_are_read_before_anything_is_trained(telling, tmp_path, statements, sentence):
    flags, done = telling
    (tmp_path / "mine.yaml").unlink()
    if statements is not None:
        (tmp_path / "mine.yaml").write_text(statements)
    with pytest.raises(CausalCFError) as caught:
        main(flags)
    assert sentence in str(caught.value) and done == []

"""Whatever reads images is tied to its data: readers of other data, and labels changed after the training."""

import csv
import json
import shutil
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from causalcf import load_classifier, load_run
from causalcf.ask import main as ask
from causalcf.classifiers.experiment import make_classifier
from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.classifiers.storage import data_of, find_classifier
from causalcf.data.images import DataSource
from causalcf.errors import RecipeError, RunError
from causalcf.eval import main as evaluate
from causalcf.explore import main as explore
from causalcf.runs.recipe import Recipe
from causalcf.training.experiment import resume_run, start_run

GRAPH = {"name": "squares", "nodes": {"Bright": [], "Male": ["Bright"]}}


def squares(folder, recode=False, extra=False):
    """Squares that are bright or dark, with a label that follows the brightness; `recode` says both the other way."""
    folder.mkdir()
    dice, rows = np.random.default_rng(0), []
    for i in range(80):
        bright = int(dice.random() < 0.5)
        male = int(dice.random() < (0.8 if bright else 0.2))
        Image.new("RGB", (64, 64), (200 if bright else 40, 90, 60 + 100 * male)).save(folder / f"{i}.png")
        row = [1 - bright, 1 - male] if recode else [bright, male]
        rows.append([f"{i}.png", *row, *[i % 2] * extra])
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([["file", "Bright", "Male", *["Even"] * extra], *rows])
    return folder


def trained(base, root, **changes):
    """A small run on a folder of squares."""
    recipe = Recipe(
        data="folder", data_root=str(root), graph=str(base / "squares.yaml"), runs_dir=str(base / "runs"), images=16,
        batch=8, tick=8, width=2, labeler_width=2, noise_dim=5, augment=False, device="cpu", precision="float32",
    )  # fmt: skip
    assert start_run(replace(recipe, **changes)) == 0
    return (base / "runs" / "latest").resolve()


def classifier(base, root, role):
    recipe = ClassifierRecipe(
        role=role, data="folder", data_root=str(root), images=32, batch=16, width=8, precision="float32",
        device="cpu", runs_dir=str(base / "runs"),
    )  # fmt: skip
    return make_classifier(recipe).resolve()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on `mine`, and beside it a judge and a classifier of `theirs`, which codes the same pictures otherwise."""
    base = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(base / "cache"))
        (base / "squares.yaml").write_text(yaml.safe_dump(GRAPH))
        mine, theirs = squares(base / "mine"), squares(base / "theirs", recode=True)
        trained(base, mine, name="labelled")
        trained(base, mine, name="plain", approach="dcgan")
        for role in ("judge", "classifier"):
            classifier(base, theirs, role)
    return base


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """A copy of it, to be changed: run folders by name in `runs`, pictures in `mine`."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("causalcf.evaluation.measure.REAL", 60)
    shutil.copytree(made, tmp_path, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copy2)
    for file in tmp_path.glob("runs/*/recipe.yaml"):
        file.write_text(file.read_text().replace(str(made), str(tmp_path)))
    return tmp_path


def of(place, name):
    (folder,) = place.glob(f"runs/*-{name}-*")
    return folder


def data(place, name):
    return DataSource("folder", json.loads((of(place, name) / "meta.json").read_text())["data_fingerprint"])


def test_a_reader_found_by_name_is_the_newest_of_the_same_data(place, made, monkeypatch):
    wanted = replace(data(place, "labelled"), root=str(made / "mine"))
    for role in ("judge", "classifier"):
        with pytest.raises(RunError, match=rf"{role}-folder was trained on other data, .*theirs.*, than .*mine"):
            find_classifier("folder", place / "runs", role, wanted)
    first = classifier(place, made / "mine", "judge")
    assert find_classifier("folder", place / "runs", "judge", wanted).resolve().parent == first
    newest = classifier(place, made / "theirs", "judge")
    assert (place / "runs" / "judge-folder").resolve() == newest
    assert find_classifier("folder", place / "runs", "judge", wanted).resolve().parent == first
    assert find_classifier("folder", place / "runs", "judge").resolve().parent == newest


@pytest.mark.parametrize("meta", [None, "", "[]", '{"recipe": 5}', '{"recipe": {"data": "folder"}}'])
def test_a_reader_that_does_not_say_its_data_is_taken_by_folder_alone(place, made, meta):
    wanted = replace(data(place, "labelled"), root=str(made / "mine"))
    older = classifier(place, made / "mine", "classifier")
    folder = classifier(place, made / "mine", "classifier")
    (folder / "meta.json").unlink()
    if meta is not None:
        (folder / "meta.json").write_text(meta)
    assert find_classifier("folder", place / "runs", data=wanted).resolve().parent == older
    shutil.rmtree(older)
    with pytest.raises(RunError, match=r"classifier-folder does not say that it was trained on .*mine.*name one"):
        find_classifier("folder", place / "runs", data=wanted)
    with pytest.warns(UserWarning, match="no classifier reads the images of .*does not say"):
        assert load_run(of(place, "labelled"), "cpu").antecedent_classifier is None
    with pytest.warns(UserWarning, match="does not say what data"):
        assert load_run(of(place, "labelled"), "cpu", folder).caveat


@pytest.mark.parametrize("own", [True, False])
def test_explore_takes_a_named_classifier_and_says_whose_it_is(place, capsys, own):
    folder = classifier(place, place / ("mine" if own else "theirs"), "classifier")
    with nullcontext() if own else pytest.warns(UserWarning, match="trained on other data"):
        run = load_run(of(place, "plain"), "cpu", folder)
        seen = int(run.sample(1).labels[0, run.graph.nodes.index("Male")])  # the other value may be out of reach
        given = ["--run", str(run.folder), "--given", f"Male={seen}", "--out", str(place / "out"), "--device", "cpu"]
        capsys.readouterr()
        explore([*given, "--faces", "2", "--pairs", "1", "--columns", "2", "--classifier", str(folder)])
    assert ("was trained on other data" in capsys.readouterr().out) is not own


def test_a_further_column_makes_another_data_set(place, tmp_path):
    """The labels asked about may be the same: the fingerprint cannot tell, and what is not known is said."""
    more = squares(tmp_path / "more", extra=True)
    found = data_of(classifier(place, more, "classifier") / "classifier.pt")
    assert found is not None and not found.same_as(data(place, "labelled"))


def test_faces_are_the_same_data_however_many():
    some, others = DataSource("faces", "a"), DataSource("faces", "b")
    assert some.same_as(others)
    assert not some.same_as(DataSource("celeba", "a"))
    assert not DataSource("folder", "a").same_as(DataSource("folder", "b"))
    assert DataSource("folder", "a", "here").same_as(DataSource("folder", "a", "moved"))


def test_a_run_takes_no_classifier_of_other_data_by_itself(place):
    with pytest.warns(UserWarning, match="no classifier reads the images of .*labelled.*theirs"):
        run = load_run(of(place, "labelled"), "cpu")
    assert run.antecedent_classifier is None and run.caveat == ""
    with pytest.warns(UserWarning, match="no classifier reads"):
        plain = load_run(of(place, "plain"), "cpu")
    with pytest.raises(RunError, match="needs a classifier"):
        plain.sample(2, given={"Male": 1})


@pytest.mark.parametrize("by", ["folder", "object"])
def test_a_run_says_whose_a_named_classifier_is(place, by):
    folder = (place / "runs" / "classifier-folder").resolve()
    named = folder if by == "folder" else load_classifier(folder, "cpu")
    with pytest.warns(UserWarning, match="was trained on other data, .*theirs.* than .*labelled"):
        run = load_run(of(place, "labelled"), "cpu", named)
    assert run.antecedent_classifier is not None and "theirs" in run.caveat
    classifier(place, place / "mine", "classifier")
    assert load_run(of(place, "labelled"), "cpu").caveat == ""


def test_ask_says_whose_its_reader_is(place, capsys):
    named = ["--run", str(of(place, "labelled")), "--if", "Male=1", "-n", "4", "--out", str(place / "a.png")]
    with pytest.warns(UserWarning, match="no classifier reads"):
        assert ask(named) == 0
    assert "judged by the run's own Labeler" in capsys.readouterr().out
    for more in ([], ["--json"]):
        with pytest.warns(UserWarning, match="other data"):
            assert ask([*named, "--classifier", str(place / "runs" / "classifier-folder"), *more]) == 0
        said = capsys.readouterr().out
        told = json.loads(said)["answers"][0]["caveat"] if more else said
        assert "was trained on other data" in told and "theirs" in told


def evaluated(place, *more, name="labelled"):
    out = place / "report"
    link = ["--link", "Bright:Male", "--half-width", "0.098", "--run", str(of(place, name)), "--device", "cpu"]
    with pytest.warns(UserWarning, match="no classifier reads"):
        evaluate([*link, "--out", str(out), "--data-root", str(place / "mine"), *more])
    return json.loads((out / "report.json").read_text()), (out / "report.html").read_text()


def test_the_evaluation_trains_a_judge_rather_than_take_one_of_other_data(place, monkeypatch, capsys):
    asked = []

    def make(recipe):
        asked.append((recipe.role, recipe.data_root))
        return classifier(place, recipe.data_root, "judge")

    monkeypatch.setattr("causalcf.evaluation.inputs.make_classifier", make)
    report, page = evaluated(place)
    assert asked == [("judge", str(place / "mine"))]
    assert report["caveats"] == [] and "Beware" not in page


def test_a_named_judge_of_other_data_is_said_beside_every_figure(place, capsys):
    report, page = evaluated(place, "--judge", str((place / "runs" / "judge-folder").resolve()))
    (caveat,) = report["caveats"]
    assert "was trained on other data" in caveat and "theirs" in caveat
    links = len(report["links"])
    assert page.count("was trained on other data") == 1 + links  # at the head, and beside each verdict
    assert (place / "report" / "report.md").read_text().count("was trained on other data") == 1 + links
    assert "Beware: the judge judge-folder" in " ".join(capsys.readouterr().out.split())


def recode(place):
    table = place / "mine" / "labels.csv"
    rows = list(csv.reader(table.read_text().splitlines()))
    for row in rows[1:]:
        row[2] = str(1 - int(row[2]))
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def test_labels_changed_after_the_training_are_refused_or_said(place, capsys):
    classifier(place, place / "mine", "judge")
    judge = ["--judge", str((place / "runs" / "judge-folder").resolve())]
    assert evaluated(place, *judge)[0]["caveats"] == []
    recode(place)
    with pytest.raises(RunError, match=r"have changed since .*labelled.*--data-root.*--changed-data"):
        evaluated(place, *judge)
    report, page = evaluated(place, *judge, "--changed-data")
    changed, other = report["caveats"]  # the judge, too, was trained on the former table
    assert "have changed since" in changed and "was trained on other data" in other
    assert page.count("have changed since") == 1 + len(report["links"])


def test_of_runs_on_a_changed_table_the_newest_are_compared(place, monkeypatch, capsys):
    before = of(place, "labelled")
    recode(place)
    classifier(place, place / "mine", "judge")
    after = trained(place, place / "mine", name="again")
    with pytest.warns(UserWarning, match="no classifier reads"):
        evaluate(["--link", "Bright:Male", "--half-width", "0.098", "--runs-dir", str(place / "runs"), "--device=cpu",
                  "--out", str(place / "report")])  # fmt: skip
    report = json.loads((place / "report" / "report.json").read_text())
    assert {one["run"] for one in report["approaches"]} == {after.name}
    assert any("dcgan, whose runs are of other data" in text for text in report["settings"]["left_out"])
    assert before.exists()


@pytest.mark.parametrize("named", [False, True])
def test_statements_are_told_by_a_classifier_of_the_same_data(place, named):
    told = {"given": {"Male": 1}, "antecedent": {"Bright": 0}, "modal": "might not", "consequent": {"Male": 1}}
    (place / "told.yaml").write_text(yaml.safe_dump({"statements": {"one": told}}))
    options = {"statements": str(place / "told.yaml"), "statement_interval": 8, "statement_from": 8, "name": "told"}
    if not named:
        with pytest.raises(RunError, match=r"classifier-folder was trained on other data.*--data-root"):
            trained(place, place / "mine", **options)
        return
    folder = (place / "runs" / "classifier-folder").resolve()
    with pytest.warns(UserWarning, match="trained on other data, .*theirs.* than this training"):
        trained(place, place / "mine", statement_classifier=str(folder), **options)


def test_a_run_is_not_resumed_to_fewer_images_than_it_has_seen(place):
    run = of(place, "labelled")
    before = (run / "recipe.yaml").read_text()
    with pytest.raises(RecipeError, match=r"images is 8; it must be at least 16, which .*labelled"):
        resume_run(str(run), {"images": 8})
    assert (run / "recipe.yaml").read_text() == before
    assert resume_run(str(run), {"images": 16}) == 0
    assert resume_run(str(run), {"images": 24}) == 0
    with pytest.raises(RecipeError, match="at least 24"):
        resume_run(str(run), {"images": 16})
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 3

"""A run on the part of a data set that is there: all that is made of the run loads the same part."""

import json

import pytest
import yaml
from helpers.tiny_run import red_folder, red_recipe
from PIL import Image

from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.classifiers.splits import split_data
from causalcf.cli.command import run as run_command
from causalcf.errors import DataError, RecipeError, RunError
from causalcf.evaluation.inputs import load_inputs, load_runs
from causalcf.runs.recipe import Recipe, recipe_from_dict
from causalcf.train import main
from causalcf.training.comparison_recipe import comparison_from_dict
from causalcf.training.experiment import resume_run, start_run

pytestmark = pytest.mark.usefixtures("without_pictures")

ROWS, GONE = 60, (3, 4, 50)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of which three images are gone, half of them kept for validation, and a graph of its one label."""
    rows = "".join(f"{i}.png,{i % 2},{int(i >= 30)}\n" for i in range(ROWS))
    return red_folder(tmp_path, monkeypatch, set(range(ROWS)) - set(GONE), ".png", "file,Red,partition\n" + rows)


def recipe(place, **changes):
    return red_recipe(place, **{"skip_missing": True, **changes})


def test_a_run_its_resumption_its_judge_and_its_evaluation_load_the_same_part(place, monkeypatch):
    with pytest.raises(DataError, match=r"3 images \(3\.png, 4\.png, 50\.png\).*--skip-missing"):
        start_run(recipe(place, skip_missing=False))
    assert start_run(recipe(place)) == 0
    run = (place / "runs" / "latest").resolve()
    assert yaml.safe_load((run / "recipe.yaml").read_text())["skip_missing"] is True
    known = json.loads((run / "meta.json").read_text())["data_fingerprint"]
    assert resume_run(str(run), {"images": 24}) == 0

    judges = []

    def make_classifier(recipe):
        judges.append(split_data(recipe))
        raise RunError("as far as this test goes")

    monkeypatch.setattr("causalcf.evaluation.inputs.make_classifier", make_classifier)
    with pytest.raises(RunError, match="as far as"):
        load_inputs(load_runs([run], "cpu", None), None, None, None, "cpu")
    (parts,) = judges
    assert len(parts.scored) == 29 and parts.train.data.fingerprint == known

    (place / "images").rename(place / "moved")  # the same images in another place
    with pytest.raises(DataError, match="images"):
        resume_run(str(run), {"images": 28})
    assert resume_run(str(run), {"images": 28, "data_root": str(place / "moved")}) == 0
    assert yaml.safe_load((run / "recipe.yaml").read_text())["data_root"] == str(place / "moved")

    Image.new("RGB", (8, 8)).save(place / "moved" / "3.png")  # another part is other data
    with pytest.raises(RunError, match=r"\bdata\b"):
        resume_run(str(run), {"images": 32})


def test_the_option_is_for_data_on_the_disk():
    for options in (Recipe(skip_missing=True), ClassifierRecipe(skip_missing=True)):
        with pytest.raises(RecipeError, match=r"\bskip_missing\b.*\bfaces\b"):
            options.validate()
    with pytest.raises(RecipeError, match=r"\bskip_missing\b.*'maybe'"):
        recipe_from_dict({"data": "folder", "data_root": "here", "skip_missing": "maybe"})


@pytest.mark.parametrize("options", [Recipe, ClassifierRecipe])
def test_a_crop_is_for_celeba(options):
    assert options(data="celeba", data_root="here", crop=148).validate().crop == 148
    for data in ({}, {"data": "folder", "data_root": "here"}):
        with pytest.raises(RecipeError, match=r"\bcrop\b.*\b148\b.*\bleft out\b"):
            options(**data, crop=148).validate()
    with pytest.raises(RecipeError, match=r"\bcrop\b.*\b63\b"):
        options(data="celeba", data_root="here", crop=63).validate()


def test_a_comparison_hands_the_crop_to_its_classifiers():
    compared = comparison_from_dict({"data": "celeba", "data_root": "here", "crop": 148, "approaches": ["dcgan"]})
    assert compared.classifier.crop == compared.judge.crop == 148


def test_a_comparison_hands_it_to_its_classifiers():
    shared = {"data": "folder", "data_root": "here", "skip_missing": True}
    compared = comparison_from_dict({**shared, "approaches": ["dcgan"]})
    assert compared.classifier.skip_missing and compared.judge.skip_missing


def test_a_graph_with_a_split_column_is_refused_in_a_sentence(place, capsys):
    (place / "mine.yaml").write_text("nodes: {Red: [], partition: [Red]}\n")
    flags = ["--data", "folder", "--data-root", str(place / "images"), "--graph", str(place / "mine.yaml")]
    for more in ([], ["--dry-run"]):
        assert run_command(lambda more=more: main([*flags, *more])) == 2
        assert "error: 'partition' cannot be a label" in capsys.readouterr().err

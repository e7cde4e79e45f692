"""The command line, mostly in a process of its own: help, mistakes, a whole small run, Ctrl-C."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from helpers.classifier_toys import toy, untrained

from causalcf.checks import option_names
from causalcf.classifiers.classifier import Calibration
from causalcf.classifiers.recipe import ClassifierRecipe, classifier_recipe
from causalcf.classifiers.report import Report, right_and_wrong
from causalcf.classifiers.scores import score_attributes
from causalcf.classifiers.splits import Splits, whole
from causalcf.classifiers.storage import load_classifier
from causalcf.classify import main, parse_options
from causalcf.cli.command import run as run_command
from causalcf.errors import DataError, RecipeError, RunError, WriteError
from causalcf.graph.files import load_graph
from causalcf.pictures.sheets import to_bytes

SMALL = ["--data-size", "100", "--images", "512", "--batch", "64", "--width", "8", "--device", "cpu"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_help_needs_no_torch():
    code = "import sys; from causalcf.classify import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in [*option_names(ClassifierRecipe), "report_only"]:
        assert "--" + option.replace("_", "-") in done.stdout


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--atributes", "Male"], "--atributes.*--attributes"),
        (["--network", "resnet"], r"\bnetwork\b.*\bresnet\b"),
        (["--balance", "2"], r"\bbalance\b.*\b2\.0.*\[0, 1\]"),
        (["--weight-decay", "-1"], r"\bweight_decay\b.*-1\.0"),
        (["--dropout", "1"], r"\bdropout\b.*\b1\.0.*\[0, 1\)"),
        (["--width", "12"], r"\bwidth\b.*\b12\b.*\b8\b"),
        (["--seed", "4294967296"], r"\bseed\b.*\b4294967296\b.*\[0, 2\^32\)"),
        (["--patience", "0"], r"\bpatience\b.*\b0\b.*\b1\b"),
        (["--learning-rate", "nan"], r"\blearning_rate\b.*\bnan\b"),
        (["--data", "celeba"], r"\bdata_root\b.*\bceleba\b"),
        (["--data-root", "x"], r"\bdata_root\b.*\bx\b.*\bfaces\b"),
        (
            ["--data", "celeba", "--data-root", "x", "--label-distribution", "uniform"],
            r"\blabel_distribution\b.*\buniform\b.*\bceleba\b",
        ),
        (["--report-only", "x", "--width", "3"], "--width.*--report-only"),
    ],
)
def test_mistakes_are_named(flags, culprit):
    with pytest.raises(RecipeError, match=culprit):
        parse_options(flags)


def test_features_are_trained_without_noise():
    assert ClassifierRecipe(role="features").resolved().noise == 0
    assert ClassifierRecipe(role="judge").resolved().noise == ClassifierRecipe().resolved().noise == 0.3
    assert ClassifierRecipe(role="features", noise=0.1).resolved().noise == 0.1


def test_a_list_of_attributes_holds_each_once():
    assert classifier_recipe({"attributes": ["all"]}).attributes is None
    with pytest.raises(RecipeError, match=r"attributes.*Male.*without repetition"):
        classifier_recipe({"attributes": ["Male", "Male"]})


def test_a_folder_in_the_place_of_the_link_is_refused_before_any_training(tmp_path):
    (tmp_path / "runs" / "classifier-faces").mkdir(parents=True)
    with pytest.raises(WriteError, match="classifier-faces is a folder"):
        main(SMALL)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["classifier-faces"]


def test_options_fill_in_what_depends_on_others():
    recipe = parse_options(["--attributes", "Male", "Bald"]).recipe
    assert recipe.attributes == ("Male", "Bald") and recipe.resolved().label_distribution == "uniform"
    assert parse_options(["--attributes", "all"]).recipe.attributes is None
    assert recipe.resolved().learning_rate < ClassifierRecipe(role="judge").resolved().learning_rate
    assert classifier_recipe(json.loads(json.dumps(recipe.to_dict()))) == recipe
    photographs = parse_options(
        ["--role", "judge", "--data", "celeba", "--data-root", "x", "--weight-decay", "0"]
    ).recipe.resolved()
    assert (photographs.images, photographs.weight_decay, photographs.dropout) == (460_000, 0, 0.3)
    assert (recipe.resolved().weight_decay, recipe.resolved().dropout) == (0.05, 0.5)
    with pytest.raises(RecipeError, match=r"widht.*width"):
        classifier_recipe({"widht": 3})


@pytest.mark.parametrize(
    ("flags", "error", "culprit"),
    [
        (["--attributes", "Smilling"], DataError, "'Smilling'.*'Smiling'"),
        (["--device", "cuda:99"], RecipeError, "cuda:99"),
        (["--report-only", "nowhere"], RunError, "nowhere"),
        (["--data", "celeba", "--data-root", "nowhere"], DataError, "nowhere"),
    ],
)
def test_nothing_is_left_behind_by_a_mistake(tmp_path, flags, error, culprit):
    with pytest.raises(error, match=culprit):
        main(flags if "nowhere" in flags else [*flags, *SMALL[:2]])
    assert not (tmp_path / "runs").exists()


def test_a_file_in_the_place_of_the_runs_is_one_sentence(tmp_path, capsys):
    (tmp_path / "afile").write_text("mine")
    assert run_command(lambda: main([*SMALL, "--runs-dir", "afile"])) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: cannot make a folder in afile: File exists; name another"
    assert (tmp_path / "afile").read_text() == "mine"


def test_from_a_command_to_a_classifier_and_its_report(tmp_path, capsys):
    assert main([*SMALL, "--attributes", "Eyeglasses", "Male"]) == 0
    folder = (tmp_path / "runs" / "classifier-faces").resolve()
    assert folder.name.startswith("classifier-faces-alexnet-")
    assert "| Eyeglasses |" in capsys.readouterr().out
    held = sorted(p.name for p in folder.iterdir() if not p.name.startswith("events"))
    assert held == [
        "classifier.pt", "meta.json", "report.json", "report.md",
        "right-and-wrong-Eyeglasses.png", "right-and-wrong-Male.png",
    ]  # fmt: skip
    assert any(p.name.startswith("events") for p in folder.iterdir())
    meta, report = (json.loads((folder / name).read_text()) for name in ("meta.json", "report.json"))
    assert meta["recipe"]["images"] == meta["images_seen"] == 512 and meta["seed"] == 0 and meta["torch"]
    assert len(meta["curve"]) == 8 and meta["images"]["scored"]["n"] == 20
    classify = load_classifier("faces", device="cpu")
    assert classify.attributes == ("Eyeglasses", "Male")
    scores = report["attributes"]["Male"]
    assert scores["n"] == 20 and sum(scores["confusion"].values()) == 20
    assert scores["accuracy"]["low"] <= scores["accuracy"]["value"] <= scores["accuracy"]["high"]

    # The report again, of the same classifier: the same words.
    table = (folder / "report.md").read_text()
    (folder / "report.md").unlink()
    assert main(["--report-only", str(folder), "--device", "cpu"]) == 0
    assert (folder / "report.md").read_text() == table
    (tmp_path / "runs" / "classifier-faces").unlink()
    assert main(["--report-only", str(folder), "--device", "cpu"]) == 0
    assert (tmp_path / "runs" / "classifier-faces").resolve() == folder
    meta["images"]["scored"]["fingerprint"] = "other"
    (folder / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(RunError, match=r"\bother\b"):
        main(["--report-only", str(folder)])


def test_ctrl_c_ends_with_130_and_leaves_no_classifier(tmp_path):
    command = [sys.executable, "-u", "-m", "causalcf.classify", *SMALL[:2], "--images", "10000000", "--width", "8"]
    # A test run started in the background hands down an ignored Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, preexec_fn=heed) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("alexnet, width 8"):
                break
        assert list((tmp_path / "runs").iterdir())
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 130
    assert "Traceback" not in rest
    assert list((tmp_path / "runs").iterdir()) == []


def test_sheets_hold_the_surest_of_each_kind(tmp_path):
    data = toy(6)
    part = whole(data, "toy")
    truth, p = torch.tensor([1, 1, 0, 0, 1, 0]), torch.tensor([0.7, 0.9, 0.2, 0.1, 0.3, 0.8])
    rows = right_and_wrong("A", part, truth, p)
    assert [title for title, _ in rows] == [
        "A\nsaid 1, right\n2 of 3", "A\nsaid 0, right\n2 of 3", "A\nsaid 1, wrong\n1 of 3", "A\nsaid 0, wrong\n1 of 3",
    ]  # fmt: skip
    shown = [
        [int((part.pixels(torch.arange(6)) == to_byte).all((1, 2, 3)).nonzero()) for to_byte in row]
        for row in map(bytes_of, rows)
    ]
    assert shown == [[1, 0], [3, 2], [5], [4]]


def bytes_of(row):
    return torch.from_numpy(to_bytes(row[1]).transpose(0, 3, 1, 2).copy())


def test_a_report_names_the_nine_attributes_of_the_graph_among_more(tmp_path):
    nine = load_graph("celeba").nodes
    names = (*nine, "Chubby")
    draw = torch.Generator().manual_seed(0)
    labels, p = torch.randint(0, 2, (200, 10), generator=draw), torch.rand(200, 10, generator=draw)
    p[:, 9] = labels[:, 9]  # Chubby is read without error, the nine by chance
    scores = score_attributes(names, labels, p, [0.5] * 10, draw)
    plain = Calibration(torch.ones(10), torch.zeros(10))
    classifier = replace(untrained(), attributes=names, calibration=plain, base_rates=(0.5,) * 10)
    part = whole(toy(4), "toy")
    report = Report("mine", classifier, Splits(part, part, part), scores)
    means = report.to_dict()["means"]
    nine_areas = [scores[name].auroc.value for name in nine]
    assert means["mean of graph celeba"]["auroc"]["value"] == pytest.approx(np.mean(nine_areas))
    assert means["mean of all"]["auroc"]["value"] == pytest.approx((sum(nine_areas) + 1) / 10)
    assert "| mean of graph celeba |" in report.to_markdown() and "| Chubby |" in report.to_markdown()

"""Questions about photographs on the command line: one, a folder, in words and as JSON; every mistake one sentence."""

import json

import pytest
import torch
from PIL import Image

from causalcf.answers.photograph import READINGS
from causalcf.ask import main
from causalcf.classifiers.storage import load_classifier
from causalcf.cli.command import run as run_command
from causalcf.data.faces import load_faces
from causalcf.data.photographs import read_photograph

QUESTION = "What if they were bald?"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder of two rendered faces."""
    folder = tmp_path_factory.mktemp("photographs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(tmp_path_factory.mktemp("cache")))
        images = load_faces("valid", 2).batch(torch.arange(2))
    for name, pixels in zip(("ann.png", "bob.png"), images, strict=True):
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).resize((128, 128)).save(folder / name)
    return folder


@pytest.fixture
def ask(runs, judge_folder, tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("causalcf.runs.abduction.STEPS", 5)
    monkeypatch.setattr("causalcf.runs.abduction.TUNING_STEPS", 3)
    monkeypatch.setattr("causalcf.runs.abduction.TRIES", 4)

    def run(*arguments, name="a"):
        shared = ["--run", str(runs / name / "latest"), "--classifier", str(judge_folder)]
        code = run_command(lambda: main([*map(str, arguments), *shared]))
        return code, *capsys.readouterr()

    return run


def test_one_photograph_in_words_and_as_a_sheet(ask, faces, tmp_path):
    code, out, err = ask("--photo", faces / "ann.png", QUESTION)
    assert code == 0 and err == ""
    assert out.startswith("ann.png: the central square; do Bald=1\n") and out.endswith("wrote ask.png\n")
    assert "PSNR" in out and "Bald (antecedent)" in out and f"over {READINGS} images, one for each reading" in out
    assert "mean probability by a separate classifier" in out
    assert [path.name for path in tmp_path.iterdir()] == ["ask.png"]
    with Image.open(tmp_path / "ask.png") as sheet:
        assert not sheet.getexif() and not sheet.info


@pytest.mark.parametrize("method", ["optimise", "tune"])
def test_json_repeats_with_the_seed_and_follows_the_label_model(ask, judge_folder, faces, method):
    flags = ("--photo", faces / "ann.png", "--labels", "Young=0,Male=1", "--method", method, "--json", QUESTION)
    code, out, err = ask(*flags)
    assert code == 0 and err == ""
    (one,) = json.loads(out)["answers"]
    labels = one["labels"]
    assert one["photograph"] == "ann.png" and one["method"] == method and one["antecedent"] == {"Bald": 1}
    assert (one["judge"], one["caveat"], one["images"], one["sheet"]) == ("classifier", "", READINGS, "ask.png")
    assert (labels["Young"]["given"], labels["Young"]["read"], labels["Male"]["read"]) == (0, 0.0, 1.0)
    assert labels["Smiling"]["given"] is None and 0 <= labels["Smiling"]["read"] <= 1
    assert labels["Bald"]["expected"] == 1 and labels["Young"]["expected"] == 0 and labels["Male"]["expected"] == 1
    assert labels["Smiling"]["expected"] == pytest.approx(labels["Smiling"]["read"])  # Bald is no cause of it
    image, _ = read_photograph(faces / "ann.png", "faces", 108)
    read = load_classifier(judge_folder).select(["Bald"])(image[None])
    assert labels["Bald"]["seen_before"] == pytest.approx(float(read), abs=1e-5)
    assert ask(*flags)[1] == out


def test_what_the_question_says_of_the_person_is_taken(ask, faces):
    out = ask("--photo", faces / "ann.png", "--json", "What if she had a moustache?")[1]
    (one,) = json.loads(out)["answers"]
    assert one["labels"]["Male"]["given"] == 0 and one["labels"]["Mustache"]["expected"] == 1
    code, _, err = ask("--photo", faces / "ann.png", "--labels", "Male=1", "What if she had a moustache?")
    assert code == 2 and "says Male=0" in err and "the labels say 1" in err


def test_a_folder_answers_all_that_can_be_read_and_ends_with_two_if_one_cannot(ask, faces, tmp_path):
    assert ask("--photo", faces, QUESTION, "--json")[0] == 0
    (tmp_path / "in").mkdir()
    for file in faces.iterdir():
        (tmp_path / "in" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "in" / "broken\n.jpg").write_bytes(b"no image")
    code, out, err = ask("--photo", tmp_path / "in", QUESTION, "--json")
    told = json.loads(out)["answers"]
    assert code == 2 and [one["photograph"] for one in told] == ["ann.png", "bob.png", "broken\n.jpg"]
    assert "error" in told[2] and "labels" in told[0] and "broken\\n.jpg" in err
    code, out, _ = ask("--photo", tmp_path / "in", QUESTION)
    assert code == 2 and "ann.png:" in out and "bob.png:" in out and "wrote ask.png" in out


def test_a_run_without_labels_is_asked_by_observation(ask, faces):
    code, out, err = ask("--photo", faces / "ann.png", "What if they were old?", "--json", "--budget", "2000", name="b")
    assert code == 0, err
    (one,) = json.loads(out)["answers"]
    assert one["mode"] == "observe" and one["labels"]["Young"]["expected"] is None and one["images"] == 4
    assert any(0 < label["read"] < 1 for label in one["labels"].values())  # read as often as where there are labels


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["--labels", "Male=1", QUESTION], "--labels is about a photograph"),
        (["--crop", "0,0,9", QUESTION], "--crop is about a photograph"),
        (["--method", "tune", QUESTION], "--method is about a photograph"),
        (["--photo", "/dev/null", QUESTION], "/dev/null: it is not a regular file"),
        (["--photo", "missing.png", QUESTION], "missing.png, which does not exist"),
        (["--photo", "{faces}/ann.png", "-n", "4", QUESTION], "--faces is about generated faces"),
        (
            ["--photo", "{faces}/ann.png", "--labels", "Male=0,Mustache=1", QUESTION],
            "the label model says that nobody has",
        ),
        (["--photo", "{faces}/ann.png", "--rows", "4", QUESTION], "--rows is about generated faces"),
        (["--photo", "{faces}/ann.png", "--out", "sheet.xyz", "--json", QUESTION], "--out is sheet.xyz"),
        (["--photo", "{faces}/ann.png", "--out", "{faces}/ann.png", QUESTION], "a photograph that is asked about"),
        (["--photo", "{faces}", "--out", "{faces}/bob.png", QUESTION], "a photograph that is asked about"),
        (["--photo", "{faces}/ann.png", "--queries"], "one question at a time"),
        (["--photo", "{faces}/ann.png", "--labels", "Mael=1", QUESTION], "Male"),
        (["--photo", "{faces}/ann.png", "--crop", "0,0,500", QUESTION], "not inside its 128x128"),
        (["--photo", "{faces}/ann.png", "--crop", "middle", QUESTION], "X,Y,SIZE"),
        (["--photo", "{faces}/ann.png", "--method", "encoder", QUESTION], "has no encoder"),
        (["--photo", "{faces}/ann.png", "--method", "guess", QUESTION], "encoder, optimise, tune"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(ask, faces, tmp_path, flags, culprit):
    code, out, err = ask(*(flag.format(faces=faces) for flag in flags))
    assert code == 2 and out == "" and err.count("\n") == 1 and culprit in err
    assert list(tmp_path.iterdir()) == []

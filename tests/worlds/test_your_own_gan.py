"""The example runs offline, loads weights that are given, and its answers satisfy what was asked."""

import importlib.util
import pickle
import re
import zipfile
from pathlib import Path

import pytest
import torch

from causalcf.cli.command import run as run_command
from causalcf.errors import CausalCFError

PATH = Path(__file__).parents[2] / "examples" / "your_own_gan.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("your_own_gan", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_asks_networks_that_are_not_ours(example, tmp_path, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(example, "save_sheet", lambda path, rows: shown.extend(rows))
    weights = example.stand_in_generator(tmp_path / "netG.pt", 16, 4)
    classifier = example.stand_in_classifier(tmp_path / "reads.pt", example.load(example.Generator(16, 4), weights), 16)
    example.main(["--weights", str(weights), "--classifier", str(classifier)])
    reader = example.load(example.Classifier(), classifier)
    assert [title for title, _ in shown] == ["face 0", "face 1", "face 2", "face 3"]
    for _, images in shown:
        smiling, male, _ = reader(images * 2 - 1).T
        assert len(images) == 7 and smiling[0] < 0 and male[0] > 0 and (smiling[1:] > 0).all()
        assert (images[1:] - images[0]).abs().amax((1, 2, 3)).min() > 0.01
    told = capsys.readouterr().out
    assert "not smiling, male:" in told and told.count("had it smiled") == 4


class Planted:
    """Unpickled without a guard, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def zipped(path, name):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "no tensors")


NO_WEIGHTS = {
    "a pickled network": (lambda e, path: torch.save(torch.nn.Linear(2, 2), path), "something else than tensors"),
    "a planted call": (lambda e, path: torch.save({"a": Planted(path.with_name("ran"))}, path), "something else"),
    "a bare pickle": (lambda e, path: path.write_bytes(pickle.dumps(Planted(path.with_name("ran")))), "no archive"),
    "a checkpoint": (lambda e, path: torch.save({"g": e.Generator(16, 4).state_dict(), "n": 3}, path), r"out of g\b"),
    "a list": (lambda e, path: torch.save([torch.zeros(2)], path), "a list, not a mapping"),
    "numbers": (lambda e, path: torch.save({"main.0.weight": 1.0}, path), "main"),
    "no names": (lambda e, path: torch.save({1: torch.zeros(2)}, path), "state_dict"),
    "a table": (lambda e, path: path.write_text("Young,Bald\n1,0\n"), "no archive"),
    "nothing": (lambda e, path: path.write_bytes(b""), "no archive"),
    "a folder": (lambda e, path: path.mkdir(), "directory"),
    "a zip": (lambda e, path: zipped(path, "archive/readme.txt"), "state_dict"),
}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
@pytest.mark.parametrize("flag", ["--weights", "--classifier"])
def test_what_is_no_state_dict_ends_in_one_sentence_and_runs_nothing(example, tmp_path, capsys, flag, kind):
    make, culprit = NO_WEIGHTS[kind]
    make(example, tmp_path / "mine.pt")
    assert run_command(lambda: example.main([flag, str(tmp_path / "mine.pt")])) == 2
    told = capsys.readouterr().err
    assert (
        told.count("\n") == 1
        and re.search(rf"mine\.pt is no state_dict.*{culprit}", told)
        and "weights_only" not in told
    )
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_shape_are_named(example, tmp_path):
    weights = example.stand_in_generator(tmp_path / "generator.pt", 16, 4)
    with pytest.raises(CausalCFError, match=r"generator\.pt .*size mismatch"):
        example.main(["--weights", str(weights), "--latent", "8"])

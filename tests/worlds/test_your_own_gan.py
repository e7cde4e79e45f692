"""The example runs offline, loads weights that are given, and its answers satisfy what was asked."""

import importlib.util
from pathlib import Path

import pytest

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


def test_weights_of_another_shape_are_named(example, tmp_path):
    weights = example.stand_in_generator(tmp_path / "generator.pt", 16, 4)
    with pytest.raises(CausalCFError, match=r"generator\.pt: .*size mismatch"):
        example.main(["--weights", str(weights), "--latent", "8"])

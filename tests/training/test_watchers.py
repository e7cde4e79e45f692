"""Statistics of a run that goes on: the lines of its checkpoint stay, and none that a crash has left behind."""

import json

import pytest
import torch
import yaml
from helpers.classifier_toys import toy
from helpers.tiny_run import TINY, recipe_in

from causalcf.data.images import to_unit_interval
from causalcf.evaluation.image_statistics import band_powers, sliced_wasserstein
from causalcf.pictures.tensorboard import TensorBoardWriter
from causalcf.runs.directory import views_of
from causalcf.runs.loading import load_run
from causalcf.training.experiment import start_run, training_data
from causalcf.training.watchers import Statistics

LINES = ['{"step": 4}\n', '{"step": 8}\n', '{"step": 12}\n']


@pytest.mark.parametrize("left", ["", '{"ste', "\n", '{"images": 3}\n', '{"step": "9"}\n', "[1]\n"])
def test_lines_after_the_checkpoint_and_broken_lines_go(tmp_path, left):
    (tmp_path / "stats.jsonl").write_text("".join(LINES[:2]) + left + LINES[2])
    board = TensorBoardWriter(tmp_path, keep=1)
    assert Statistics(tmp_path, board, 8, toy(8), TINY).recorded == 8
    board.close()
    assert (tmp_path / "stats.jsonl").read_text() == "".join(LINES[:2])


def test_a_tick_says_how_near_its_images_are_to_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    recipe = recipe_in(tmp_path, balance=0.7)
    assert start_run(recipe) == 0
    folder = tmp_path / "runs" / "latest"
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    run = load_run(folder, "cpu")
    data, draw = training_data(recipe, run.graph), torch.Generator().manual_seed(recipe.seed)
    rows = torch.randperm(len(data), generator=draw)[:32]
    real, others = (to_unit_interval(data.batch(part)) for part in (rows[:16], rows[16:]))
    made = run.sample(16, generator=torch.Generator().manual_seed(recipe.seed)).images
    for suffix, images in (("", made), ("_data", others)):
        distances = sliced_wasserstein(images, real, torch.Generator().manual_seed(0), 32, 128)
        assert [lines[-1][f"swd_{side}{suffix}"] for side in (64, 32, 16)] == pytest.approx(
            list(distances.values()), abs=1e-2
        )
        ratios = band_powers(images).mean(0) / band_powers(real).mean(0)
        assert [lines[-1][f"power_{i}{suffix}"] for i in range(1, 7)] == pytest.approx(ratios.tolist(), abs=1e-2)
    labels = data.select(run.graph.nodes)
    _, row, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
    weights = (counts.double() ** -0.7)[row]
    views = 48 * weights / weights.sum()
    found = views_of(folder)
    assert found["views most"] == pytest.approx(float(views.max()), abs=0.01)
    assert found["views fewest"] == pytest.approx(float(views.min()), abs=0.01)
    assert found["effective images"] == pytest.approx(float(weights.sum() ** 2 / weights.square().sum()), abs=0.01)
    (folder / "stats.jsonl").write_text("{}\n")
    assert views_of(folder) == {}


def test_a_run_directory_holds_what_it_should(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    start_run(recipe_in(tmp_path))
    run = (tmp_path / "runs" / "latest").resolve()
    assert run.name.endswith("-tiny-causalgan")
    names = {path.name for path in run.iterdir()}
    assert {"recipe.yaml", "graph.yaml", "meta.json", "checkpoint.pt", "stats.jsonl", "reals.png", "tables.md"} <= names
    assert {"do-vs-given-Bald.png", "diversity.png", "interpolation.png"} <= names
    assert {"samples-000000016.png", "samples-000000048.png"} <= names
    assert not [name for name in names if name.startswith(".")]  # no temporary file is left
    assert yaml.safe_load((run / "recipe.yaml").read_text())["width"] == 2
    meta = json.loads((run / "meta.json").read_text())
    assert {"torch", "commit", "seed", "device", "precision", "data_fingerprint"} <= meta.keys()

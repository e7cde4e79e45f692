"""Graphs of forty labels, on which not every exact answer can be had: what is drawn of them, and that they train."""

import random

import numpy as np
import pytest
import torch
from PIL import Image

from causalcf.errors import IntractableError
from causalcf.graph.files import save_graph
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.pictures.gallery import counterfactuals, do_versus_given
from causalcf.runs.recipe import Recipe
from causalcf.training.experiment import start_run

pytestmark = pytest.mark.usefixtures("without_pictures")

NODES = [f"X{i:02d}" for i in range(40)]
LAST = NODES[-1]


def dense_graph():
    """Each label has ten causes among those before it."""
    chosen = random.Random(0)
    return CausalGraph({name: sorted(chosen.sample(NODES[:i], min(i, 10))) for i, name in enumerate(NODES)}, "dense")


def labels_as_images(noise, labels):
    return labels.clone()


@pytest.fixture(scope="module")
def scm():
    graph, draw = dense_graph(), np.random.default_rng(0)
    return LabelSCM.from_probabilities(
        graph, {name: draw.uniform(0.1, 0.9, (2,) * len(graph.parents(name))) for name in NODES}
    )


def test_a_row_that_cannot_be_drawn_is_left_out(scm, monkeypatch):
    assert scm.sample(4, given={LAST: 1})[:, -1].tolist() == [1] * 4
    monkeypatch.setattr("causalcf.labels.elimination.MAX_TRIES", -1000)  # as if it were rare
    with pytest.raises(IntractableError):
        scm.sample(4, given={LAST: 1})
    assert [title for title, _ in do_versus_given(labels_as_images, scm, LAST, torch.zeros(4, 2))] == [f"do({LAST}=1)"]
    rows = do_versus_given(labels_as_images, scm, NODES[0], torch.zeros(4, 2))
    assert [title for title, _ in rows] == ["do(X00=1)", "given(X00=1)"]


def test_counterfactuals_of_known_labels_follow_the_exact_law(scm):
    """Oracle: the twin network's probability of a child's label for each unit, against frequencies of one unit's."""
    one = scm.sample(1, generator=torch.Generator().manual_seed(1))
    labels = one.expand(1000, -1)
    rows = dict(counterfactuals(labels_as_images, scm, torch.zeros(1000, 2), labels))
    flipped = rows["do(X00 flipped)"]
    assert (flipped[:, 0] == 1 - one[0, 0]).all()
    below = scm.graph.descendants("X00")
    for column, name in enumerate(NODES[1:5], 1):
        if name not in below:
            assert (flipped[:, column] == one[0, column]).all()
            continue
        exact = scm.counterfactual_probabilities({name: 1}, one, do={"X00": 1 - one[:, 0]}).item()
        assert abs(flipped[:, column].double().mean() - exact) < 4 * (exact * (1 - exact) / 1000) ** 0.5 + 1e-9


@pytest.mark.slow
def test_a_training_on_forty_labels_comes_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    draw, folder = np.random.default_rng(0), tmp_path / "images"
    folder.mkdir()
    lines = [",".join(["file", *NODES])]
    for i in range(24):
        Image.fromarray(draw.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{i}.png")
        lines.append(",".join([f"{i}.png", *map(str, draw.integers(0, 2, 40))]))
    (folder / "labels.csv").write_text("\n".join(lines))
    save_graph(dense_graph(), tmp_path / "dense.yaml")
    recipe = Recipe(
        data="folder", data_root=str(folder), graph=str(tmp_path / "dense.yaml"), images=16, batch=8, width=2,
        labeler_width=2, noise_dim=5, tick=16, precision="float32", device="cpu", runs_dir=str(tmp_path / "runs"),
    )  # fmt: skip
    assert start_run(recipe) == 0
    run = tmp_path / "runs" / "latest"
    assert len(list(run.glob("do-vs-given-*.png"))) == 40 and (run / "tables.md").is_file()

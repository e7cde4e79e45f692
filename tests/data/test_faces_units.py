"""Faces as units of a known causal model, their data set and their contact sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from causalcf.cli.command import run as run_command
from causalcf.data.faces import (
    LABELS,
    NOISE,
    Units,
    counterfactual,
    load_faces,
    render,
    sample_units,
    true_scm,
)
from causalcf.data.faces import dataset as dataset_module
from causalcf.data.faces.__main__ import contact_sheet, main
from causalcf.data.faces.dataset import load_uniform_faces
from causalcf.errors import CausalCFError, DataError
from causalcf.pictures.sheets import GAP, to_bytes

ALPHA = 1e-5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def column(labels: torch.Tensor, name: str) -> torch.Tensor:
    return labels[:, LABELS.index(name)]


def fit_p_value(labels: torch.Tensor, expected: np.ndarray) -> float:
    """Chi-square of label rows against cell probabilities (512,), cells expected fewer than 5 times pooled."""
    place = 2 ** torch.arange(len(LABELS) - 1, -1, -1)
    seen = np.bincount((labels.long() * place).sum(1).numpy(), minlength=512).astype(float)
    wanted = expected * len(labels)
    rare = wanted < 5
    seen, wanted = (np.append(counts[~rare], counts[rare].sum()) for counts in (seen, wanted))
    return float(stats.chisquare(seen, wanted).pvalue)


def exact_cells() -> np.ndarray:
    nodes = true_scm().graph.nodes
    return true_scm().joint().permute([nodes.index(name) for name in LABELS]).reshape(-1).numpy()


def test_labels_follow_the_law() -> None:
    labels = sample_units(50_000, seeded()).labels
    assert fit_p_value(labels, exact_cells()) > ALPHA
    independent = torch.stack([labels[torch.randperm(50_000, generator=seeded(i)), i] for i in range(9)], 1)
    assert fit_p_value(independent, exact_cells()) < ALPHA  # the control: right marginals, no dependence


def test_noise_is_uniform_and_independent_of_the_labels() -> None:
    units = sample_units(20_000, seeded())
    for i, name in enumerate(NOISE):
        assert stats.kstest(units.noise[:, i].numpy(), "uniform").pvalue > ALPHA, name
    assert stats.kstest(units.noise[:, 0].numpy() ** 1.1, "uniform").pvalue < ALPHA  # the control
    both = torch.corrcoef(torch.cat([units.labels.float(), units.noise], 1).T)[: len(LABELS), len(LABELS) :]
    assert both.abs().max() < 5.5 / 20_000**0.5  # 378 correlations, each N(0, 1/n): a tail of 1.4e-5 in all


def test_given_holds_and_the_noise_gives_the_labels_back() -> None:
    before = torch.get_rng_state()
    units = sample_units(500, seeded(), given={"Bald": 1})
    assert column(units.labels, "Bald").all() and torch.equal(counterfactual(units).labels, units.labels)
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_seed_gives_the_same_people() -> None:
    one, other, third = (sample_units(20, seeded(seed)) for seed in (4, 4, 5))
    assert torch.equal(one.labels, other.labels) and torch.equal(one.noise, other.noise)
    assert torch.equal(one.label_noise, other.label_noise) and not torch.equal(one.noise, third.noise)


def test_a_null_intervention_gives_the_identical_image() -> None:
    units = sample_units(30, seeded())
    assert torch.equal(counterfactual(units).images(), units.images())
    same = {name: column(units.labels, name) for name in ("Male", "Smiling")}
    assert torch.equal(counterfactual(units, do=same).images(), units.images())


def test_a_counterfactual_is_the_picture_of_the_models_response() -> None:
    units = sample_units(200, seeded(1))
    other = counterfactual(units, do={"Male": 1})
    expected = true_scm().respond(units.label_noise, do={"Male": 1})
    nodes = true_scm().graph.nodes
    assert torch.equal(other.labels, expected[:, [nodes.index(name) for name in LABELS]])
    assert torch.equal(other.images(), render(other.labels, units.noise))
    assert torch.equal(other.noise, units.noise) and torch.equal(other.label_noise, units.label_noise)
    untouched = set(LABELS) - {"Male"} - set(true_scm().graph.descendants("Male"))
    for name in untouched:
        assert torch.equal(column(other.labels, name), column(units.labels, name)), name
    assert (column(other.labels, "Wearing_Lipstick") != column(units.labels, "Wearing_Lipstick")).any()


def test_counterfactual_lipstick_agrees_with_the_exact_answer() -> None:
    """Of young women with lipstick made men, the model says how many keep it."""
    facts = {"Young": 1, "Male": 0, "Wearing_Lipstick": 1}
    women = sample_units(4000, seeded(2), given=facts)
    kept = int(column(counterfactual(women, do={"Male": 1}).labels, "Wearing_Lipstick").sum())
    p = true_scm().counterfactual_probability({"Wearing_Lipstick": 1}, facts=facts, do={"Male": 1})
    assert stats.binomtest(kept, 4000, p).pvalue > ALPHA
    assert stats.binomtest(kept, 4000, p + 0.03).pvalue < ALPHA  # the control


def test_a_batch_of_one_and_any_selection() -> None:
    units = sample_units(10, seeded())
    one = units[3:4]
    assert len(one) == 1
    assert torch.equal(counterfactual(one, do={"Male": 0}).labels, counterfactual(units, do={"Male": 0}).labels[3:4])
    assert torch.equal(units[[1, 2]].labels, units[torch.tensor([1, 2])].labels)
    with pytest.raises(DataError, match=r"units\[3:4\]"):
        units[3]  # type: ignore[index]


def test_bad_queries_are_refused_by_name() -> None:
    units = sample_units(2, seeded())
    with pytest.raises(CausalCFError, match=r"'Eyeglases'.*'Eyeglasses'"):
        counterfactual(units, do={"Eyeglases": 1})
    with pytest.raises(CausalCFError, match="Male=2"):
        counterfactual(units, do={"Male": 2})
    with pytest.raises(CausalCFError, match=r"'Eyeglases'.*'Eyeglasses'"):
        sample_units(2, seeded(), given={"Eyeglases": 1})


def test_the_data_set_holds_the_rendered_units(tmp_path: Path) -> None:
    faces = load_faces("train", n=300, cache=tmp_path, progress=False)
    assert faces.names == LABELS and faces.flip and faces.pixels.dtype == np.uint8
    again = sample_units(300, torch.Generator().manual_seed(0))
    assert torch.equal(faces.labels, again.labels)
    pixels = (again[256:300].images() * 255).round()
    assert (pixels - torch.tensor(np.array(faces.pixels[256:])).float()).abs().max() <= 1
    assert torch.equal(faces.select(["Bald"])[:, 0], column(faces.labels, "Bald"))


def test_the_second_run_renders_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_faces("train", n=40, cache=tmp_path, progress=False)
    monkeypatch.setattr(Units, "images", lambda self: pytest.fail("rendered again"))
    second = load_faces("train", n=40, cache=tmp_path, progress=False)
    assert second.fingerprint == first.fingerprint and np.array_equal(second.pixels, first.pixels)


def test_splits_seeds_and_renderers_have_their_own_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(split: str = "train", seed: int = 0) -> tuple[str, np.ndarray]:
        faces = load_faces(split, n=20, seed=seed, cache=tmp_path, progress=False)
        return faces.fingerprint, np.array(faces.pixels)

    loaded = [load(), load("valid"), load(seed=1), load("valid", seed=1)]
    assert len({fingerprint for fingerprint, _ in loaded}) == 4
    assert len({pixels[0].tobytes() for _, pixels in loaded}) == 4
    true_render = dataset_module.render
    monkeypatch.setattr(dataset_module, "render", lambda labels, noise: true_render(labels, noise) * 0.98)
    assert load()[0] != loaded[0][0]  # a changed renderer, although its version was not raised


def test_a_bad_split_size_or_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'trian'.*'train'"):
        load_faces("trian", cache=tmp_path)
    with pytest.raises(DataError, match=r"\bn\b.*\b0\b"):
        load_faces(n=0, cache=tmp_path)
    for seed in (-1, 2**31):  # of which the latter would draw the faces of seed 0
        with pytest.raises(DataError, match=f"seed={seed}"):
            load_faces(seed=seed, cache=tmp_path)
        with pytest.raises(DataError, match=f"seed={seed}"):
            load_uniform_faces(4, seed, cache=tmp_path)


def test_the_contact_sheet_shows_each_pixel_unblurred(tmp_path: Path) -> None:
    path = contact_sheet(tmp_path / "sheet.png", n=3, seed=2, scale=2)
    with Image.open(path) as picture:
        sheet = np.asarray(picture)
    originals = to_bytes(sample_units(3, seeded(2)).images())
    step = 64 + GAP
    assert sheet.shape[0] == 2 * (10 * step + GAP)
    left = sheet.shape[1] - 2 * 3 * step
    for number, face in enumerate(originals):
        x = left + 2 * number * step
        shown = sheet[2 * GAP : 2 * step, x : x + 128]
        assert np.array_equal(shown[::2, ::2], face) and np.array_equal(shown[1::2, 1::2], face)


def test_the_command_writes_a_sheet_or_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run_command(lambda: main(["--out", str(tmp_path / "a.png"), "--n", "1", "--scale", "1"])) == 0
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert run_command(lambda: main(["--out", str(tmp_path / "missing" / "a.png"), "--n", "1"])) == 2
    assert "missing/a.png" in capsys.readouterr().err
    assert run_command(lambda: main(["--out", str(tmp_path / "b.png"), "--n", "0"])) == 2
    assert "n=0" in capsys.readouterr().err

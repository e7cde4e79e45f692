"""A classifier as others use it: batches, mirror images, columns, gradients, refusals, and its way to disk and back."""

import pytest
import torch
from helpers.classifier_toys import untrained

from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.classifiers.storage import NAME, classifier_folder, find_classifier, load_classifier, save_classifier
from causalcf.errors import CausalCFError, RunError
from causalcf.io.folders import point_to


def pictures(n, seed=0):
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["residual", "alexnet"])
def test_probabilities_are_calibrated_logits_averaged_over_mirror_images(name):
    classify, images = untrained(name), pictures(3)
    raw = [classify.network(x * 2 - 1) for x in (images, images.flip(3))]
    expected = ((raw[0] + raw[1]) / 2).double() * classify.calibration.scale + classify.calibration.shift
    assert torch.allclose(classify(images), expected.sigmoid().float(), atol=1e-5)
    assert torch.allclose(classify(images), classify(images.flip(3)), atol=1e-5)
    alone = untrained(name, mirror=False)
    assert torch.allclose(
        alone.logits(images).double(), raw[0].double() * alone.calibration.scale + alone.calibration.shift, atol=1e-4
    )
    assert (alone(images) - alone(images.flip(3))).abs().max() > 1e-4


def test_an_image_is_read_alone(monkeypatch):
    classify, images = untrained(), pictures(7)
    whole = classify(images)
    monkeypatch.setattr("causalcf.classifiers.classifier.CHUNK", 3)
    assert torch.allclose(whole, classify(images), atol=1e-6)
    assert torch.allclose(whole[4:5], classify(images[4:5]), atol=1e-6)
    assert classify(images[:0]).shape == (0, 3) and whole.dtype == torch.float32
    assert (whole[0] - whole[1]).abs().max() > 1e-5  # images do differ


def test_columns_follow_their_names():
    classify, images = untrained(), pictures(2)
    whole, few = classify(images), classify.select(["C", "A"])
    assert few.attributes == ("C", "A") and few.base_rates == (0.9, 0.5)
    assert torch.equal(few(images), whole[:, [2, 0]])
    assert torch.equal(few.select(["A"])(images), whole[:, :1])
    assert torch.equal(classify.labels(images), (whole > 0.5).to(torch.int8))
    with pytest.raises(CausalCFError, match=r"'Bb'.*'B'"):
        classify.select(["Bb"])


def test_log_odds_have_the_gradient_of_finite_differences():
    """Along the gradient itself the slope is its length; any other direction or length would differ."""
    classify, image = untrained(), pictures(1)
    asked = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(classify.logits(asked)[0, 1], asked)
    assert not classify(asked).requires_grad and all(not w.requires_grad for w in classify.network.parameters())
    classify.network.double()  # `logits` reads in float32; here are the same network and calibration in float64
    length = gradient.double().norm()
    towards = gradient.double() / length

    def log_odds(x):
        raw = (classify.network(x * 2 - 1) + classify.network(x.flip(3) * 2 - 1)) / 2
        return (raw * classify.calibration.scale + classify.calibration.shift)[0, 1]

    slope = (log_odds(image.double() + 1e-4 * towards) - log_odds(image.double() - 1e-4 * towards)) / 2e-4
    assert float(slope.detach()) == pytest.approx(float(length), rel=1e-3)


@pytest.mark.parametrize(
    ("images", "culprit"),
    [
        (torch.zeros(3, 64, 64), r"images.*\(3, 64, 64\).*\(n, 3, 64, 64\)"),
        (torch.zeros(1, 3, 32, 32), r"images.*\(1, 3, 32, 32\).*\(n, 3, 64, 64\)"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "images.*uint8"),
        (torch.full((1, 3, 64, 64), -0.5), r"images.*-0\.5.*\[0, 1\]"),
        (torch.full((1, 3, 64, 64), float("nan")), r"images.*\bnan\b"),
    ],
)
def test_wrong_images_are_refused_in_words(images, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        untrained()(images)


@pytest.mark.parametrize("name", ["residual", "alexnet"])
def test_the_way_to_disk_and_back_changes_nothing(tmp_path, name):
    classify, images = untrained(name), pictures(3)
    few = classify.select(["C", "B"])
    save_classifier(tmp_path / NAME, few)
    before = torch.get_rng_state()
    loaded = load_classifier(tmp_path, device="cpu")
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(loaded(images), few(images)) and not torch.equal(loaded(images)[:, 0], classify(images)[:, 0])
    assert (loaded.attributes, loaded.base_rates, loaded.mirror) == (few.attributes, few.base_rates, few.mirror)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    assert isinstance(torch.load(tmp_path / NAME, weights_only=True), dict)


def test_the_newest_finished_classifier_of_a_data_set_is_found(tmp_path):
    recipe = ClassifierRecipe(runs_dir=str(tmp_path))
    folders = []
    for _ in range(2):
        with classifier_folder(recipe) as folder:
            save_classifier(folder / NAME, untrained())
        point_to(folder, "classifier-faces")
        folders.append(folder)
    assert folders[1].name == folders[0].name + "-2" and folders[0].name.startswith("classifier-faces-alexnet-")
    assert find_classifier("faces", tmp_path).resolve() == folders[1] / NAME
    assert find_classifier(folders[0] / NAME) == find_classifier(folders[0])
    with pytest.raises(KeyboardInterrupt), classifier_folder(recipe) as folder:
        (folder / "events").touch()
        raise KeyboardInterrupt
    assert not folder.exists() and sorted(p.name for p in tmp_path.glob("classifier-faces*")) == [
        "classifier-faces",
        *(f.name for f in folders),
    ]


def test_a_missing_or_broken_classifier_is_named(tmp_path):
    with classifier_folder(ClassifierRecipe(runs_dir=str(tmp_path))) as folder:
        save_classifier(folder / NAME, untrained())
    with pytest.raises(RunError, match=r"\bceleba\b.*--data celeba"):
        load_classifier("celeba", runs=tmp_path)
    with pytest.raises(RunError, match=rf"{folder.name[:-3]};.*{folder.name}\?"):
        load_classifier(tmp_path / folder.name[:-3])
    with pytest.raises(RunError, match=rf"{tmp_path} .*classifier\.pt"):
        load_classifier(tmp_path)
    (folder / NAME).write_bytes(b"torn")
    with pytest.raises(RunError, match=rf"{folder.name}/classifier\.pt"):
        load_classifier(folder)

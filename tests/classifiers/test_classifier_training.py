"""Training on toys: it learns, it repeats, it stops, and the three sets of images stay apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.classifier_toys import toy
from helpers.image_trees import write_jpegs
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from causalcf.classifiers.recipe import ClassifierRecipe
from causalcf.classifiers.splits import HELD_OUT, SCORED, split_data, whole
from causalcf.classifiers.training import Choice, Fit, classify_split, train_classifier, weighting
from causalcf.data import load_source
from causalcf.data.images import ImageData, to_unit_interval
from causalcf.errors import CausalCFError, DataError
from causalcf.networks.readers import AlexNet

SMALL = ClassifierRecipe(images=1280, batch=32, width=8)


def trained(recipe, data, **watch):
    held_out, train = whole(data, "toy").split(60, "held out", "the rest", torch.Generator().manual_seed(0))
    return train_classifier(recipe, train, held_out, data.names, **watch)


@pytest.mark.parametrize("network", ["residual", "alexnet"])
def test_it_learns_to_read_and_untrained_it_does_not(network):
    before, recipe = torch.get_rng_state(), replace(SMALL, network=network)
    unseen = toy(seed=1)
    scores, steps = [], []
    for images in (64, 1280):
        classify = trained(replace(recipe, images=images), toy(), on_step=steps.append)
        scores.append(classify(to_unit_interval(unseen.batch(torch.arange(300)))))
    right = [((p > 0.5) == unseen.labels.bool()).double().mean().item() for p in scores]
    assert right[0] < 0.9 < 0.97 < right[1]
    assert sum(steps) == 64 + 1280 and torch.equal(before, torch.get_rng_state())
    assert classify.attributes == ("A", "B") and classify.architecture == (network, 8)


@pytest.mark.parametrize("steps", [2, 4, 5, 6])
def test_any_number_of_steps_can_be_trained(steps):
    taken = []
    trained(replace(SMALL, images=32 * steps), toy(), on_step=taken.append)
    assert len(taken) == steps


def test_the_same_seed_trains_the_same_classifier():
    recipe, data = replace(SMALL, images=128), toy()
    first, again, other = (trained(replace(recipe, seed=s), data) for s in (0, 0, 1))
    images = to_unit_interval(data.batch(torch.arange(5)))
    assert torch.equal(first(images), again(images)) and not torch.equal(first(images), other(images))


@pytest.mark.parametrize("network", ["residual", "alexnet"])
def test_dropout_takes_part_in_a_training_and_not_in_reading(network):
    data = toy()
    images = to_unit_interval(data.batch(torch.arange(5)))
    none, half = (trained(replace(SMALL, network=network, images=128, dropout=p), data) for p in (0.0, 0.5))
    assert not torch.equal(none(images), half(images)) and torch.equal(half(images), half(images))


def test_weight_decay_pulls_weights_and_nothing_else():
    """One step of AdamW: what was there is multiplied by 1 - rate * decay, the rest of the step is the same."""
    ends = {}
    for decay in (0.0, 0.5):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            net = nn.Sequential(nn.Conv2d(3, 2, 64), nn.BatchNorm2d(2), nn.Flatten())
            images, labels = torch.randn(8, 3, 64, 64), torch.ones(8, 2)
        begin = {name: value.detach().clone() for name, value in net.named_parameters()}
        weights = weighting(torch.full((2,), 0.5, dtype=torch.float64), 0.0)
        fit = Fit(net, weights, replace(SMALL, learning_rate=0.1, weight_decay=decay).resolved(), 40, "float32")
        rate = fit.optimiser.param_groups[0]["lr"]  # as the schedule begins
        fit.step(images, labels)
        ends[decay] = dict(net.named_parameters())
    for name, value in begin.items():
        pulled = rate * 0.5 * value if name == "0.weight" else torch.zeros(())
        assert torch.allclose(ends[0.0][name] - ends[0.5][name], pulled.expand_as(value), atol=1e-7), name
    assert float((rate * 0.5 * begin["0.weight"]).abs().max()) > 1e-5


def test_unreadable_attributes_end_a_training_early_and_at_their_base_rates():
    """Labels that the images do not show: the held-out loss cannot fall, so patience runs out."""
    data, seen = toy(contrast=0, rate=0.2), []
    classify = trained(replace(SMALL, images=6400, patience=2), data, on_evaluation=seen.append)
    assert 3 <= len(seen) < 20 and [p.best for p in seen[-2:]] == [False, False]
    assert min(p.held_out_loss for p in seen) == [p for p in seen if p.best][-1].held_out_loss
    p = classify(to_unit_interval(toy(seed=1, contrast=0, rate=0.2).batch(torch.arange(300))))
    assert float((p - 0.2).abs().mean()) < 0.1


class Reads(nn.Module):
    """Reads the toy's labels with a given strength, blurred by what one pixel's green happens to be."""

    def __init__(self, strength, blur):
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(strength))
        self.blur = blur

    def forward(self, images):
        signal = torch.stack([images[:, 0, :32].mean((1, 2)), images[:, 2, 32:].mean((1, 2))], 1) + 0.18
        return self.strength * (signal + self.blur * (images[:, 1, 5, 5:7] + 0.76))


def test_the_best_weights_are_kept_and_divergence_is_told():
    data = toy(200)
    rates, none = torch.full((2,), 0.5, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    choice = Choice(whole(data, "toy"), data.names, rates, none)
    seen = [choice.consider(Reads(4.0, blur), 1, 0.5) for blur in (4.0, 1.0, 8.0, 4.0)]
    assert [p.best for p in seen] == [True, True, False, False]
    assert choice.least == min(p.held_out_loss for p in seen) and choice.worse_in_a_row == 2
    assert choice.best.blur == 1.0 and not choice.best.strength.requires_grad
    with pytest.raises(CausalCFError, match=r"\b7\b.*\blearning_rate\b"):
        choice.consider(Reads(float("nan"), 1.0), 7, 0.5)
    with pytest.raises(CausalCFError, match=r"\b7\b.*\blearning_rate\b"):
        choice.consider(Reads(4.0, 1.0), 7, float("inf"))


def test_being_too_sure_of_itself_does_not_stop_a_network():
    data = toy(200)
    rates, none = torch.full((2,), 0.5, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    choice = Choice(whole(data, "toy"), data.names, rates, none)
    calm, sure = (choice.consider(Reads(s, 4.0), 1, 0.5).held_out_loss for s in (2.0, 20.0))
    assert abs(calm - sure) < 0.02
    logits = classify_split(Reads(20.0, 4.0), whole(data, "toy"), mirror=False)
    assert binary_cross_entropy_with_logits(logits, data.labels.float()) > 2 * sure  # what stopping on it would see


def test_the_average_follows_weights_and_statistics():
    """Twenty steps or fewer: no average; more: each step moves it by one in `steps` / 20, norms' statistics too."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 2, 64), nn.BatchNorm2d(2), nn.Flatten())
        weights = weighting(torch.full((2,), 0.5, dtype=torch.float64), 0.0)
        fit = Fit(net, weights, replace(SMALL, learning_rate=0.1).resolved(), 40, "float32")  # decay 1/2
        images, labels = torch.randn(8, 3, 64, 64), torch.ones(8, 2)
    fit.step(images, labels)
    first = {name: value.clone() for name, value in net.state_dict().items()}
    assert all(torch.equal(fit.average.state_dict()[name], value) for name, value in first.items())
    fit.step(images, labels)
    for name in ("0.weight", "1.weight", "1.running_mean", "1.running_var"):
        middle = (first[name] + net.state_dict()[name]) / 2
        assert torch.allclose(fit.average.state_dict()[name], middle, atol=1e-6), name
        assert not torch.allclose(first[name], net.state_dict()[name])


def test_alexnet_has_the_layers_it_tells_of():
    net = AlexNet(40, 64)
    convolutions = [m for m in net.features if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [64, 192, 384, 256, 256]  # the one-column layout of 2014
    assert [m.kernel_size[0] for m in convolutions] == [5, 5, 3, 3, 3]
    assert net.eval().features(torch.zeros(1, 3, 64, 64)).shape == (1, 256, 4, 4)
    full = [m for m in net.read if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in full] == [(4096, 1024), (1024, 1024), (1024, 40)]
    assert [m.p for m in net.read if isinstance(m, nn.Dropout)] == [0.5, 0.5]


def folder_of(tmp_path, monkeypatch, splits):
    """Sixty images of a folder, their splits in turn."""
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path / "cache"))
    write_jpegs(tmp_path / "images")
    files = sorted(p.name for p in (tmp_path / "images").glob("*.jpg"))
    rows = ["file,Bald,split"]
    for i in range(60):
        name = f"copy-{i:02d}.jpg"
        (tmp_path / "images" / name).write_bytes((tmp_path / "images" / files[i % len(files)]).read_bytes())
        rows.append(f"{name},{i % 2},{splits[i % len(splits)]}")
    for file in files:
        (tmp_path / "images" / file).unlink()
    (tmp_path / "images" / "labels.csv").write_text("\n".join([*rows, ""]))
    return ClassifierRecipe(data="folder", data_root=str(tmp_path / "images"))


@pytest.mark.parametrize(
    ("splits", "sizes"),
    [
        (("train", "valid", "test"), (20, 20, 20)),
        (("train", "train", "valid"), (40 - round(40 * HELD_OUT), round(40 * HELD_OUT), 20)),
        (("train", "test"), (30 - round(30 * HELD_OUT), round(30 * HELD_OUT), 30)),
        (("train",), (51 - round(51 * HELD_OUT), round(51 * HELD_OUT), round(60 * SCORED))),
    ],
)
def test_three_sets_apart(tmp_path, monkeypatch, splits, sizes):
    recipe = folder_of(tmp_path, monkeypatch, splits)
    parts = split_data(recipe)
    assert (len(parts.train), len(parts.held_out), len(parts.scored)) == sizes
    sets = [{(part.data.fingerprint, int(row)) for row in part.rows} for part in vars(parts).values()]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 60
    assert f"split {splits[-1]}" in parts.scored.description
    again, other = split_data(recipe), split_data(replace(recipe, seed=1))
    assert torch.equal(parts.train.rows, again.train.rows)
    if len(set(splits)) < 3:
        assert not torch.equal(parts.held_out.rows, other.held_out.rows)


def test_what_is_too_few_counts_what_is_kept_apart(tmp_path, monkeypatch):
    recipe = folder_of(tmp_path, monkeypatch, ("train",))
    data = load_source(recipe)
    for n in (22, 23):
        monkeypatch.setattr("causalcf.classifiers.splits._splits", lambda _, n=n: {"train": first(data, n)})
        if n == 23:
            assert len(split_data(recipe).train) == 18
        else:
            with pytest.raises(DataError, match=r"22 images are too few.*at least 23"):
                split_data(recipe)


def first(data, n):
    return replace(whole(data, "some"), rows=torch.arange(n))


def test_faces_learn_by_coin_and_are_scored_on_their_natural_law(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path))
    coin = split_data(ClassifierRecipe(data_size=1200))
    natural = split_data(ClassifierRecipe(data_size=1200, label_distribution="natural"))
    rates = {
        law: parts.train.labels(["Bald"]).double().mean().item() for law, parts in (("coin", coin), ("as", natural))
    }
    assert abs(rates["coin"] - 0.5) < 0.07 and rates["as"] < 0.1
    assert coin.scored.data.fingerprint == natural.scored.data.fingerprint and len(coin.scored) == 240
    pairs = np.corrcoef(coin.train.labels(["Male", "Mustache"]).T.numpy())
    assert abs(pairs[0, 1]) < 0.15 < np.corrcoef(natural.train.labels(["Male", "Mustache"]).T.numpy())[0, 1]
    shown = to_unit_interval(coin.train.pixels(torch.tensor([3])))
    assert torch.equal(shown, to_unit_interval(coin.train.data.batch(coin.train.rows[3:4])))


def test_too_few_images_to_part_are_refused(monkeypatch):
    few = ImageData("toy", ("A",), torch.zeros(5, 1, dtype=torch.int8), np.zeros((5, 3, 64, 64), np.uint8), "few")

    def only_train(recipe, split):
        if split != "train":
            raise DataError("no images in the split")
        return few

    monkeypatch.setattr("causalcf.classifiers.splits.load_source", only_train)
    with pytest.raises(DataError, match=r"folder.*train.*\b5\b"):
        split_data(ClassifierRecipe(data="folder", data_root="x"))

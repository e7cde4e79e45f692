"""The judge's features against a forward pass by hand, for both networks, with and without mirror images."""

from dataclasses import replace

import pytest
import torch
from helpers.classifier_toys import untrained
from torch import nn

from causalcf.errors import CausalCFError
from causalcf.evaluation.judge import extractor_name, judge_features


def pictures(n, seed=0):
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def residual_by_hand(network, scaled):
    return network.blocks(network.stem(scaled)).mean((2, 3))


def alexnet_by_hand(network, scaled):
    hidden = network.features(scaled).flatten(1)
    return network.read[4](network.read[1](hidden).relu()).relu()


@pytest.mark.parametrize("mirror", [True, False])
@pytest.mark.parametrize(("name", "by_hand"), [("residual", residual_by_hand), ("alexnet", alexnet_by_hand)])
def test_features_are_those_of_a_direct_forward_pass(name, by_hand, mirror):
    judge, images = untrained(name, mirror=mirror), pictures(3)
    expected = by_hand(judge.network, images * 2 - 1)
    if mirror:
        expected = (expected + by_hand(judge.network, images.flip(3) * 2 - 1)) / 2
    found = judge_features(judge, images)
    assert found.dtype == torch.float64 and not found.requires_grad and found.device.type == "cpu"
    assert torch.allclose(found, expected.double(), atol=1e-5)
    flipped = judge_features(judge, images.flip(3))
    assert torch.allclose(found, flipped, atol=1e-5) == mirror
    assert (found[0] - found[1]).abs().max() > 1e-4  # images do differ


@pytest.mark.parametrize("name", ["residual", "alexnet"])
def test_the_last_layer_reads_the_judges_logits_off_them(name):
    judge, images = untrained(name), pictures(3)
    *_, last = (module for module in judge.network.modules() if isinstance(module, nn.Linear))
    read = judge.calibration.log_odds(last(judge_features(judge, images).float()))
    assert torch.allclose(read, judge.logits(images), atol=1e-5)


def test_neither_chunks_nor_batch_mates_nor_the_selected_attributes_matter(monkeypatch):
    judge, images = untrained(), pictures(7)
    whole = judge_features(judge, images)
    assert torch.equal(whole, judge_features(judge.select(["C"]), images))
    assert torch.allclose(whole[4:5], judge_features(judge, images[4:5]), atol=1e-6)
    monkeypatch.setattr("causalcf.classifiers.classifier.CHUNK", 3)
    assert torch.allclose(whole, judge_features(judge, images), atol=1e-6)
    assert judge_features(judge, images[:0]).shape == (0, whole.shape[1])


def test_the_judge_is_left_as_it_was():
    judge = untrained()
    last, state = judge.network.read, torch.get_rng_state()
    judge_features(judge, pictures(1))
    with pytest.raises(CausalCFError, match=r"images.*\buint8\b"):
        judge_features(judge, torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    assert not last._forward_pre_hooks and torch.equal(state, torch.get_rng_state())


def test_the_extractor_is_named_and_must_have_features():
    assert extractor_name(untrained("alexnet", 16)) == "judge alexnet 16"
    with pytest.raises(CausalCFError, match=r"judge residual 8\b.*\blinear\b"):
        judge_features(replace(untrained(), network=nn.Conv2d(3, 3, 1)), pictures(1))

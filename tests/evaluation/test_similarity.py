"""Similarity of images. Oracle: torchmetrics, and the formula written out."""

import pytest
import torch
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.evaluation.similarity import after_cycles, feature_distance, structural_similarity
from causalcf.networks.readers import build_network


@pytest.fixture(params=["residual", "alexnet"])
def classifier(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(request.param, 2, 4).eval()
    calibration = Calibration(torch.ones(2), torch.zeros(2))
    network = network.requires_grad_(False)
    return AttributeClassifier(("A", "B"), network, (0, 1), calibration, (0.5, 0.5), False, (request.param, 4))


def pairs(n=5):
    draw = torch.Generator().manual_seed(0)
    first = torch.rand(n, 3, 64, 64, generator=draw)
    return first, (first + 0.2 * torch.randn(first.shape, generator=draw)).clamp(0, 1)


def test_ssim_is_that_of_torchmetrics():
    first, second = pairs()
    inner = [
        structural_similarity_index_measure(a[None], b[None], data_range=1.0, return_full_image=True)[1]
        for a, b in zip(first, second, strict=True)
    ]
    # torchmetrics pads with reflections, and cuts off what they touch for the mean; here only whole windows count.
    wanted = torch.stack([one[0, :, 5:-5, 5:-5].mean() for one in inner])
    assert structural_similarity(first, second) == pytest.approx(wanted.double(), abs=1e-4)
    assert structural_similarity(first, first) == pytest.approx(torch.ones(5).double(), abs=1e-12)


def test_feature_distance_is_the_formula(classifier):
    first, second = pairs(2)
    found = feature_distance(classifier, first, second)
    assert (feature_distance(classifier, first, first) == 0).all() and (found > 0).all()
    caught = {0: [], 1: []}
    stages = [m for m in classifier.network.modules() if isinstance(m, nn.ReLU) or type(m).__name__ == "ResidualBlock"]
    for which, images in ((0, first), (1, second)):
        hooks = [m.register_forward_hook(lambda *a, which=which: caught[which].append(a[2])) for m in stages]
        classifier.network(images * 2 - 1)
        for hook in hooks:
            hook.remove()
    wanted = 0
    for a, b in zip(caught[0], caught[1], strict=True):
        if a.ndim == 4:
            scaled = [x / x.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12) for x in (a, b)]
            wanted = wanted + (scaled[0] - scaled[1]).square().sum(1).mean((1, 2))
    assert found == pytest.approx(wanted.detach(), rel=1e-4)


def test_more_noise_is_farther(classifier):
    first, second = pairs()
    third = (first + 2 * (second - first)).clamp(0, 1)
    assert (feature_distance(classifier, first, third) > feature_distance(classifier, first, second)).all()
    assert (structural_similarity(first, third) < structural_similarity(first, second)).all()


def test_cycles_add_up():
    images = torch.full((2, 3, 8, 8), 0.5)
    assert after_cycles(lambda seen: seen * 0.9, images, 2) == pytest.approx(torch.full((2,), 255 * 0.5 * 0.19))

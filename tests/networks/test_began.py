"""CausalBEGAN's networks: shapes, the numbers of weights of the published ones, and what each layer sees."""

import pytest
import torch
from torch import nn

from causalcf.networks.began import AutoEncoder, BeganGenerator, initialise_xavier
from causalcf.networks.bundle import Networks
from causalcf.runs.recipe import Recipe, checkpoint_bytes


def weights(net):
    return sum(part.numel() for part in net.parameters())


@pytest.mark.parametrize("width", [2, 5, 16])
@pytest.mark.parametrize("n_labels", [0, 3])
def test_any_width_with_and_without_labels_in_both_precisions(width, n_labels):
    generator, reader = BeganGenerator(5, n_labels, width), AutoEncoder(5, width)
    noise, labels = torch.rand(4, 5) * 2 - 1, torch.randint(0, 2, (4, n_labels))
    for precise in (True, False):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not precise):
            images = generator(noise, labels)
            again = reader(images)
        assert images.shape == again.shape == (4, 3, 64, 64)
        both = [*generator.parameters(), *reader.parameters()]
        assert all(part.isfinite().all() for part in torch.autograd.grad(again.float().square().sum(), both))


def test_the_published_generator_has_as_many_weights():
    """z of 64 and 9 labels to 8x8x128, eight convolutions of 128 channels, one to RGB."""
    by_hand = (73 + 1) * 8192 + 8 * (128 * 128 * 9 + 128) + 128 * 27 + 3
    assert weights(BeganGenerator(64, 9, 128)) == by_hand == 1_790_339


def test_the_encoder_halves_three_times_and_widens():
    layers = [layer for layer in AutoEncoder(64, 16).layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [16] * 4 + [32] * 3 + [48] * 3 + [64] * 2
    assert [layer.stride[0] for layer in layers] == [1, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1]


@pytest.mark.parametrize(("d", "k", "width", "labeler_width"), [(9, 64, 16, 16), (3, 5, 2, 4)])
def test_a_checkpoint_is_as_large_as_reckoned(d, k, width, labeler_width):
    recipe = Recipe(approach="causalbegan", noise_dim=k, width=width, labeler_width=labeler_width)
    networks = Networks(k, d, width, labeler_width, generator="began", discriminator="autoencoder")
    assert networks.anti_labeler is None and not networks.margin_weights.any()
    assert checkpoint_bytes(recipe, d) == 4 * (
        3 * (weights(networks) - weights(networks.average)) + weights(networks.average)
    )


def test_first_weights_keep_the_size_of_what_they_see():
    net = AutoEncoder(64, 16)
    initialise_xavier(net)
    images = torch.rand(8, 3, 64, 64) * 2 - 1
    assert 0.005 < float(net(images).detach().std()) < 2
    assert all(not layer.bias.any() for layer in net.modules() if isinstance(layer, nn.Conv2d))

"""Shapes and known behaviour of the networks; averaged weights against their closed form."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from causalcf.networks.bundle import calibrate_batch_norm, ema_copy, update_ema
from causalcf.networks.dcgan import Discriminator, EvenTransposed, Generator, Labeler, QNetwork, initialise
from causalcf.networks.readers import ResidualNetwork


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(n_labels=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Generator(5, n_labels, 4)
        initialise(net)
    return net


def test_layer_sizes_are_dcgans():
    net = Generator(100, 9, 64)
    sizes = [tuple(m.weight.shape[:2]) for m in net.layers if isinstance(m, nn.ConvTranspose2d)]
    assert net.project.weight.shape == (4 * 4 * 512, 109)
    assert sizes == [(512, 256), (256, 128), (128, 64), (64, 3)]
    judge = Discriminator(9, 64)
    assert [m.out_channels for m in judge.stack.layers if isinstance(m, nn.Conv2d)] == [64, 128, 256, 512]


def test_labels_reach_images_and_logits():
    net, noise = generator(), torch.rand(2, 5, generator=seeded())
    zero, one = torch.zeros(2, 3, dtype=torch.int8), torch.ones(2, 3, dtype=torch.int8)
    assert net(noise, zero).shape == (2, 3, 64, 64) and net(noise, zero).abs().max() <= 1
    assert not torch.allclose(net(noise, zero), net(noise, one))
    judge = Discriminator(3, 4)
    images = torch.rand(2, 3, 64, 64, generator=seeded())
    assert judge(images, zero).shape == (2,) and not torch.allclose(judge(images, zero), judge(images, one))
    assert Labeler(3, 4)(images).shape == ResidualNetwork(3, 4)(images).shape == (2, 3)


def test_transposed_convolutions_start_as_bilinear_upsampling():
    layer = nn.ConvTranspose2d(1, 1, 4, 2, 1, bias=False)
    initialise(layer)
    image = torch.rand(1, 1, 6, 6, generator=seeded())
    scale = layer.weight[0, 0, 1, 1] / 0.5625  # (3/4)^2, the centre of a bilinear kernel
    expected = scale * interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(layer(image)[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=1e-6)
    wide = nn.ConvTranspose2d(64, 64, 4, 2, 1)
    initialise(wide)
    assert abs(float(wide.weight.detach().square().mean().sqrt()) - 0.02) < 0.001  # DCGAN's own size


def alias(images):
    """Greatest mean amplitude of the patterns that repeat every 2, 4, 8 and 16 pixels, away from the borders."""
    inside = images.detach()[..., 16:48, 16:48].double()
    spectrum = torch.fft.fft2(inside).abs().mean((0, 1)) / 32**2
    spectrum[0, 0] = 0
    return float(spectrum[::2, ::2].max())


@pytest.mark.parametrize(("even", "seen"), [(True, False), (False, True)])
def test_an_even_generator_draws_an_even_input_without_any_pattern(even, seen):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Generator(5, 3, 8, even_kernels=even)
        initialise(net)
        for layer in net.layers:
            if isinstance(layer, nn.ConvTranspose2d):
                layer.weight.data += 0.02 * torch.randn(layer.weight.shape)
    flat = torch.rand(4, 64, 1, 1, generator=seeded()).expand(4, 64, 4, 4)
    assert (alias(net.eval().layers(flat)) > 1e-7) == seen


def test_an_even_kernel_is_the_nearest_one_that_meets_the_condition():
    layer = EvenTransposed(3, 2, 4, 2, 1, bias=False)
    lit = torch.zeros(3, 3, 5, 5)
    lit[range(3), range(3), 2, 2] = 1
    kernel = layer(lit)[:, :, 3:7, 3:7].detach()  # what a single lit pixel draws
    places = [(..., slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)]
    sums = torch.stack([kernel[place].sum((2, 3)) for place in places])
    assert torch.allclose(sums, sums[:1].expand_as(sums), atol=1e-6)
    # Nearest: what was taken away is orthogonal to every kernel that meets the condition.
    away = layer.weight.detach() - kernel
    other = torch.randn(kernel.shape, generator=seeded())
    for place in places:
        other[place] += (1 - other[place].sum((2, 3), keepdim=True)) / 4
    assert float(away.abs().max()) > 0.01
    assert float((away * other).sum((2, 3)).abs().max()) < 1e-5


def test_the_average_moves_by_one_minus_decay():
    net = generator()
    average = ema_copy(net)
    before = copy.deepcopy(average.state_dict())
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(1.0)
    update_ema(average, net, 0.9)
    for name, weight in average.named_parameters():
        assert torch.allclose(weight, before[name] + 0.1, atol=1e-6)
        assert not weight.requires_grad


def test_calibration_gives_the_statistics_of_the_batches_it_saw():
    average = ema_copy(generator())
    noise, labels = torch.rand(128, 5, generator=seeded()), torch.ones(128, 3, dtype=torch.int8)
    calibrate_batch_norm(average, noise, labels, batch=64)
    first = average.layers[0]
    inputs = average.project(torch.cat([noise, labels.float()], 1)).view(128, 32, 4, 4)
    halves = [half.mean((0, 2, 3)) for half in inputs.split(64)]
    assert torch.allclose(first.running_mean, (halves[0] + halves[1]) / 2, atol=1e-5)
    assert not first.training and first.momentum == 0.1


def test_the_noise_reader_reads_ten_coordinates_and_is_blind_to_speckle():
    reader = QNetwork(100, 4)
    images = torch.rand(2, 3, 64, 64, generator=seeded())
    checkerboard = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1
    assert reader(images).shape == (2, 10) and QNetwork(5, 4)(images).shape == (2, 5)
    assert torch.allclose(reader(images), reader(images + checkerboard), atol=1e-5)
    assert not torch.allclose(reader(images), reader(images + 0.1), atol=1e-5)

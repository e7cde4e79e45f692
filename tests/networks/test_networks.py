"""Shapes and known behaviour of the networks; averaged weights against their closed form."""

import copy
import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import interpolate

from causalcf.networks.average import averaged_copy, calibrate_batch_norm, update_average
from causalcf.networks.dcgan import Discriminator, Generator, Labeler, initialise, without_checkerboard
from causalcf.networks.noise_reader import NoiseReader
from causalcf.networks.residual import ResidualReader


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(n_labels=3, notch=False):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Generator(5, n_labels, 4, notch)
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
    assert Labeler(3, 4)(images).shape == ResidualReader(3, 4)(images).shape == (2, 3)


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


@settings(max_examples=50, deadline=None)
@given(across=st.integers(0, 32), down=st.integers(0, 32))
def test_the_notch_has_its_closed_response(across, down):
    # Even waves, whose reflection at the borders goes on as the wave does, up to the phase of one pixel.
    x, y = math.pi * across / 32, math.pi * down / 32
    place = torch.arange(64, dtype=torch.float64)
    wave = torch.cos(y * place)[:, None] * torch.cos(x * place)
    response = 1 - (math.sin(x / 2) * math.sin(y / 2)) ** 2
    found = without_checkerboard(wave.expand(2, 3, 64, 64))
    assert torch.allclose(found[..., 1:-1, 1:-1], response * wave[1:-1, 1:-1].expand_as(found[..., 1:-1, 1:-1]))


def test_the_notch_takes_out_a_checkerboard_to_the_borders_and_nothing_that_runs_along_an_axis():
    sign = 1.0 - 2 * (torch.arange(64) % 2)
    board = sign[:, None] * sign
    assert float(without_checkerboard(board.expand(1, 3, 64, 64)).abs().max()) < 1e-6
    for stripes in (sign.expand(64, 64), sign[:, None].expand(64, 64)):
        assert torch.equal(without_checkerboard(stripes.expand(1, 3, 64, 64))[0, 0], stripes)


def test_a_generator_with_a_notch_draws_no_checkerboard():
    noise, labels = torch.rand(4, 5, generator=seeded()), torch.ones(4, 3, dtype=torch.int8)
    sign = 1.0 - 2 * (torch.arange(64) % 2)
    drawn = {}
    for notch in (False, True):
        net = generator(notch=notch)
        weight = net.layers[-1].weight.data
        weight += 0.02 * sign[:4, None] * sign[:4]
        drawn[notch] = float((net(noise, labels).detach() * sign[:, None] * sign).mean((2, 3)).abs().mean())
    assert drawn[False] > 0.01
    assert drawn[True] < 0.01 * drawn[False]


def test_the_average_moves_by_one_minus_decay():
    net = generator()
    average = averaged_copy(net)
    before = copy.deepcopy(average.state_dict())
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(1.0)
    update_average(average, net, 0.9)
    for name, weight in average.named_parameters():
        assert torch.allclose(weight, before[name] + 0.1, atol=1e-6)
        assert not weight.requires_grad


def test_calibration_gives_the_statistics_of_the_batches_it_saw():
    average = averaged_copy(generator())
    noise, labels = torch.rand(128, 5, generator=seeded()), torch.ones(128, 3, dtype=torch.int8)
    calibrate_batch_norm(average, noise, labels, batch=64)
    first = average.layers[0]
    inputs = average.project(torch.cat([noise, labels.float()], 1)).view(128, 32, 4, 4)
    halves = [half.mean((0, 2, 3)) for half in inputs.split(64)]
    assert torch.allclose(first.running_mean, (halves[0] + halves[1]) / 2, atol=1e-5)
    assert not first.training and first.momentum == 0.1


def test_the_noise_reader_reads_ten_coordinates_and_is_blind_to_speckle():
    reader = NoiseReader(100, 4)
    images = torch.rand(2, 3, 64, 64, generator=seeded())
    checkerboard = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1
    assert reader(images).shape == (2, 10) and NoiseReader(5, 4)(images).shape == (2, 5)
    assert torch.allclose(reader(images), reader(images + checkerboard), atol=1e-5)
    assert not torch.allclose(reader(images), reader(images + 0.1), atol=1e-5)

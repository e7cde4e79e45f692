"""The alternative networks: labels, noise and norms; statistics that calibration finds; sizes of first weights."""

import pytest
import torch
from torch import nn

from causalcf.networks.bundle import Networks, calibrate_batch_norm, ema_copy
from causalcf.networks.skip import ConditionalNorm, ProjectionDiscriminator, SkipGenerator, initialise_he

WIDTHS = [2, 3, 8, 24]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = make()
        initialise_he(net)
    return net


def bits(n, d, seed=0):
    return torch.randint(0, 2, (n, d), generator=seeded(seed), dtype=torch.int8)


@pytest.mark.parametrize("noise_dim", [5, 40])
@pytest.mark.parametrize("n_labels", [0, 3])
@pytest.mark.parametrize("width", WIDTHS)
def test_any_width_with_and_without_labels_in_both_precisions(width, n_labels, noise_dim):
    net = made(lambda: SkipGenerator(noise_dim, n_labels, width)).to(memory_format=torch.channels_last)
    noise = torch.rand(4, noise_dim, generator=seeded()) * 2 - 1
    for precise in (True, False):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not precise):
            images = net(noise, bits(4, n_labels))
        assert images.shape == (4, 3, 64, 64) and float(images.detach().abs().max()) <= 1
        gradients = torch.autograd.grad(images.float().square().sum(), list(net.parameters()))
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert all(float(gradient.abs().max()) > 0 for gradient in gradients)


def test_norms_start_as_plain_ones_and_are_then_steered_by_labels_and_noise():
    norm = made(lambda: ConditionalNorm(4, 3))
    features = torch.randn(6, 4, 5, 5, generator=seeded()) * 3 + 2
    condition = torch.randn(6, 3, generator=seeded(1))
    plain = nn.BatchNorm2d(4, affine=False)(features)
    assert torch.allclose(norm(features, condition), plain, atol=1e-6)
    with torch.no_grad():
        norm.steer.weight.normal_(generator=seeded(2))
    scale, shift = (condition @ norm.steer.weight.T)[:, :, None, None].split(4, 1)
    assert torch.allclose(norm(features, condition), plain * (1 + scale) + shift, atol=1e-5)


@pytest.mark.parametrize("steering", ["labels", "noise"])
def test_labels_and_the_first_sixteen_noise_coordinates_reach_the_image_by_the_norms_alone(steering):
    net = made(lambda: SkipGenerator(20, 3, 4)).eval()
    noise, labels = torch.rand(1, 20, generator=seeded()), bits(1, 3)
    other, flipped = (noise.clone(), 1 - labels) if steering == "labels" else (noise.clone(), labels)
    if steering == "noise":
        other[:, 15] -= 1
    beyond = noise.clone()
    beyond[:, 16] -= 1
    with torch.no_grad():
        net.project.weight.zero_()
        net.project.bias.normal_(generator=seeded(3))
        assert torch.equal(net(noise, labels), net(other, flipped))  # the norms steer nothing yet
        for norm in net.norms:
            norm.steer.weight.normal_(generator=seeded(4))
        assert not torch.allclose(net(noise, labels), net(other, flipped), atol=1e-3)
        assert torch.equal(net(noise, labels), net(beyond, labels))


def test_calibration_finds_every_norm_and_measures_what_it_sees():
    average = ema_copy(made(lambda: SkipGenerator(5, 3, 4)))
    noise, labels = torch.rand(128, 5, generator=seeded()), bits(128, 3)
    calibrate_batch_norm(average, noise, labels, batch=64)
    norms = [module for module in average.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 5 and all(int(norm.num_batches_tracked) == 2 and not norm.training for norm in norms)
    seed = average.project(torch.cat([noise, labels.float() * 2 - 1], 1)).view(128, 32, 4, 4)
    halves = [half.mean((0, 2, 3)) for half in seed.split(64)]
    assert torch.allclose(norms[0].running_mean, (halves[0] + halves[1]) / 2, atol=1e-5)


def test_images_start_close_to_grey_yet_differ():
    net = made(lambda: SkipGenerator(40, 3, 24))
    images = net(torch.rand(32, 40, generator=seeded()) * 2 - 1, bits(32, 3))
    assert 0.05 < float(images.detach().square().mean().sqrt()) < 0.5
    assert float(images.detach().std(0).mean()) > 0.02


def test_a_stage_starts_with_hes_gain_on_white_features_and_more_on_smooth_ones():
    net, gain = made(lambda: SkipGenerator(5, 3, 24)), 2 / 1.04  # of leaky ReLU with slope 0.2
    white = torch.randn(16, 192, 12, 12, generator=seeded())
    smooth = white[:, :, :1, :1].expand_as(white)
    for features, expected in ((white, gain), (smooth, gain * 2.56)):  # taps 1, 3 beside 3, 1: they add up to 3.2 of 2
        inside = net.grow[0](features).detach()[..., 2:-2, 2:-2]
        assert float(inside.square().mean()) == pytest.approx(expected, rel=0.3)


def test_the_other_networks_first_weights_do_not_depend_on_the_order_of_modules():
    """The default networks draw what they drew before there were others."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nets = Networks(5, 3, 2, 2, generator="skip")
    assert nets.generator.norms[0].steer.weight.abs().max() == 0
    assert torch.equal(nets.labeler.stack.read.weight, nets.anti_labeler.stack.read.weight)


@pytest.mark.parametrize("n_labels", [0, 1, 5])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_projected_logit_adds_up_label_by_label(width, n_labels):
    judge = made(lambda: ProjectionDiscriminator(n_labels, width))
    images, labels = torch.rand(4, 3, 64, 64, generator=seeded()) * 2 - 1, bits(4, n_labels)
    read = judge.stack(images).detach()
    expected = read[:, 0]
    for label in range(n_labels):
        expected = expected + read[:, 1 + label] * (2.0 * labels[:, label] - 1) / n_labels**0.5
    logits = judge(images, labels).detach()
    assert torch.allclose(logits, expected, atol=1e-5)
    alone = torch.cat([judge(images[i : i + 1], labels[i : i + 1]) for i in range(4)])
    assert torch.allclose(logits, alone, atol=1e-5) and float(logits.std()) > 1e-4
    for label in range(n_labels):  # what a flip changes depends on no other label
        one = torch.eye(n_labels, dtype=torch.int8)[label]
        effects = [judge(images, other ^ one) - judge(images, other & ~one) for other in (labels, labels * 0)]
        ups = torch.where((labels & one).bool().any(1), 0.0, 1.0)
        assert torch.allclose(effects[0], effects[1] * ups, atol=1e-4)


def test_a_projected_logits_size_does_not_depend_on_the_number_of_labels():
    images = torch.rand(64, 3, 64, 64, generator=seeded()) * 2 - 1
    sizes = []
    for n_labels in (2, 32):
        net, labels = made(lambda n=n_labels: ProjectionDiscriminator(n, 8)), bits(64, n_labels)
        by_label = (net(images, labels) - net(images, 1 - labels)).detach()
        sizes.append(float(by_label.square().mean().sqrt()))
    assert 1 / 3 < sizes[0] / sizes[1] < 3

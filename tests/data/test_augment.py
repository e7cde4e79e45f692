"""Variations of images against slicing, mirroring and quarter turns."""

import torch
from torch.nn.functional import pad

from causalcf.data.augment import DRAWS, SHIFT, transformed, varied


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draws(n, seed=0):
    return torch.rand(n, DRAWS, generator=seeded(seed))


def pictures(n=2, h=12, w=12):
    return torch.rand(n, 3, h, w, generator=seeded())


def moved(images, shift=(0, 0), degrees=0.0, zoom=1.0, mirrored=False):
    n = len(images)
    return transformed(
        images,
        torch.tensor([shift] * n, dtype=torch.float32),
        torch.full((n,), degrees),
        torch.full((n,), zoom),
        torch.full((n,), mirrored),
    )


def test_whole_pixels_move_and_edges_repeat():
    images = pictures(h=10, w=14)
    expected = pad(images, (3, 3, 3, 3), mode="replicate")
    for right, down in ((0, 0), (2, -3), (-1, 2)):
        sliced = expected[..., 3 - down : 13 - down, 3 - right : 17 - right]
        assert torch.allclose(moved(images, (right, down)), sliced, atol=1e-5)


def test_a_mirror_a_quarter_turn_and_their_order():
    images = pictures()
    assert torch.allclose(moved(images, mirrored=True), images.flip(3), atol=1e-5)
    clockwise = torch.rot90(images, -1, (2, 3))
    assert torch.allclose(moved(images, degrees=90.0), clockwise, atol=1e-4)
    both = torch.rot90(images.flip(3), -1, (2, 3))
    assert torch.allclose(moved(images, degrees=90.0, mirrored=True), both, atol=1e-4)
    shifted = pad(clockwise, (2, 0, 0, 0), mode="replicate")[..., :12]
    assert torch.allclose(moved(images, (2, 0), degrees=90.0), shifted, atol=1e-4)  # turned first, then moved


def test_zoom_enlarges_about_the_centre():
    ramp = torch.linspace(-1, 1, 13).expand(1, 3, 13, 13).clone()
    middle = moved(ramp, zoom=2.0)[0, 0, 6]
    assert torch.allclose(middle, torch.linspace(-0.5, 0.5, 13), atol=1e-5)


def test_each_image_has_its_own_draw_and_half_stay_sharp():
    image = torch.zeros(1, 3, 64, 64)
    image[..., 31, 30] = 1.0  # one bright pixel
    many = varied(image.expand(400, -1, -1, -1), True, draws(400))
    spread = many.amax((1, 2, 3)) - many.amin((1, 2, 3))  # contrast alone, where nothing is interpolated
    sharp = spread > 0.85
    assert 150 < int(sharp.sum()) < 250
    places = {divmod(int(m[0].argmax()), 64) for m in many[sharp]}
    assert {row - 31 for row, _ in places} == set(range(-SHIFT, SHIFT + 1))
    assert {column for _, column in places} == set(range(30 - SHIFT, 34 + SHIFT))  # mirrored ones start from 33
    assert len(places) > 40


def test_the_draws_decide_and_flips_can_be_forbidden():
    images = pictures(60, 16, 16)
    assert torch.equal(varied(images, True, draws(60, 3)), varied(images, True, draws(60, 3)))
    assert not torch.equal(varied(images, True, draws(60, 3)), varied(images, True, draws(60, 4)))
    ramp = torch.linspace(-1, 1, 32).expand(200, 3, 32, 32)
    rises = [
        (v[..., -1] > v[..., 0]).float().mean((1, 2)) > 0.5
        for v in (varied(ramp, f, draws(200)) for f in (False, True))
    ]
    assert bool(rises[0].all()) and 70 < int(rises[1].sum()) < 130


def test_none_is_softened_where_none_is_asked_to_be():
    image = torch.zeros(1, 3, 64, 64)
    image[..., 31, 30] = 1.0
    many = varied(image.expand(200, -1, -1, -1), False, draws(200), soft=0.0)
    assert bool(((many.amax((1, 2, 3)) - many.amin((1, 2, 3))) > 0.85).all())

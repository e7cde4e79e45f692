"""Sweeps and ways on a toy generator whose every pixel is known."""

import pytest
import torch

from causalcf.pictures.gallery import coordinate_effects, interpolation_rows, moved, sweep_rows, way

WEIGHTS = torch.tensor([0.1, 0.4, 0.0, 0.2])


def paint(noise, labels):
    """Grey level .5 + z . weights / 2 on the left, the labels' mean on the right."""
    left = 0.5 + noise @ WEIGHTS / 2
    right = labels.float().mean(1) if labels.shape[1] else torch.zeros(len(noise))
    return torch.stack([left, right], 1)[:, None, None, :].expand(-1, 3, 1, 2)


def faces(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(n, 4, generator=draw) * 2 - 1, torch.randint(0, 2, (n, 2), generator=draw, dtype=torch.int8)


POSITIONS = torch.linspace(-1, 1, 5)


def test_effects_are_the_mean_absolute_change_and_sorted_by_it():
    noise, labels = faces(3)
    effects = coordinate_effects(paint, noise, labels, POSITIONS)
    assert [effect.coordinate for effect in effects] == [1, 3, 0, 2]
    for effect in effects:
        i = effect.coordinate
        each = (WEIGHTS[i] / 2 * (POSITIONS - noise[:, i : i + 1]).abs()).mean(1) / 2  # half the image does not move
        assert effect.change == pytest.approx(float(each.mean()), abs=1e-6)
        assert effect.error == pytest.approx(float(each.std()) / 3**0.5, abs=1e-6)


def test_a_sweep_moves_one_coordinate_and_nothing_else():
    noise, labels = faces(2)
    grid = moved(noise, 2, POSITIONS)
    assert torch.equal(grid[:, :, 2], POSITIONS.expand(2, 5))
    others = [0, 1, 3]
    assert torch.equal(grid[:, :, others], noise[:, None, others].expand(2, 5, 3))

    effects = coordinate_effects(paint, noise, labels, POSITIONS)[:2]
    rows = sweep_rows(paint, noise[0], labels[0], effects, POSITIONS)
    assert [title for title, _ in rows] == ["the face", *(f"z{e.coordinate}\n{e.change:.4f}" for e in effects)]
    assert torch.equal(rows[0][1], paint(noise[:1], labels[:1]))
    for effect, (_, images) in zip(effects, rows[1:], strict=True):
        at = noise[0].repeat(5, 1)
        at[:, effect.coordinate] = POSITIONS
        assert torch.equal(images, paint(at, labels[:1].expand(5, -1)))


def test_the_way_between_two_faces_is_straight_and_ends_at_both():
    noise, labels = faces(4)
    path = way(noise[0], noise[1], 5)
    assert torch.equal(path[0], noise[0]) and torch.equal(path[4], noise[1])
    assert torch.allclose(path[1:] - path[:-1], (noise[1] - noise[0]) / 4)

    rows = dict(interpolation_rows(paint, noise, labels, 5))
    assert list(rows) == ["1 to 2\nnoise", "1 to 2\nand labels", "3 to 4\nnoise", "3 to 4\nand labels"]
    held, free = rows["3 to 4\nnoise"], rows["3 to 4\nand labels"]
    assert torch.allclose(held[[0, 4]], paint(noise[2:], labels[[2, 2]]), atol=1e-6)
    assert torch.allclose(free[[0, 4]], paint(noise[2:], labels[2:]), atol=1e-6)
    assert torch.allclose(free[2], paint(noise[2:].mean(0)[None], labels[2:].float().mean(0)[None])[0])
    bare = interpolation_rows(paint, noise, torch.zeros(4, 0), 5)
    assert [title for title, _ in bare] == ["1 to 2", "3 to 4"]

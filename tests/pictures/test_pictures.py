"""Sheets hold every pixel where it belongs; tensors are compared, never a plot's rendering."""

import numpy as np
import pytest
import torch
from PIL import Image

from causalcf.data.images import to_unit_interval
from causalcf.errors import WriteError
from causalcf.pictures.sheets import GAP, save_sheet, square_grid, to_bytes


def test_every_pixel_of_every_image_is_in_the_file(tmp_path):
    images = torch.rand(5, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    shown = save_sheet(tmp_path / "a.png", square_grid(images, 3), scale=3)
    file = np.asarray(Image.open(tmp_path / "a.png"))
    assert np.array_equal(shown, file)
    for number, image in enumerate(to_bytes(images)):
        row, column = divmod(number, 3)
        top, left = 3 * (GAP + row * (4 + GAP)), 3 * (GAP + column * (6 + GAP))
        assert np.array_equal(file[top : top + 12 : 3, left : left + 18 : 3], image)
        assert np.array_equal(file[top + 2 : top + 12 : 3, left + 2 : left + 18 : 3], image)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_titles_stand_left_of_the_images_and_change_no_pixel_of_them(tmp_path):
    images = torch.zeros(1, 3, 8, 8)
    plain = save_sheet(tmp_path / "a.png", [("", images)])
    titled = save_sheet(tmp_path / "b.png", [("do(Bald=1)", images)])
    margin = titled.shape[1] - plain.shape[1]
    assert margin > 20 and np.array_equal(titled[:, margin:], plain)
    assert (titled[:, :margin] < 128).any() and (titled[:, :4] == 255).all()


def test_bytes_round_trip():
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert np.array_equal(to_bytes(to_unit_interval(pixels)), pixels.permute(0, 2, 3, 1).numpy())
    assert (
        to_bytes(torch.tensor([-0.2, 1.2]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)).ravel().tolist()
        == [0] * 3 + [255] * 3
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(WriteError, match=r"nowhere/a.png"):
        save_sheet(tmp_path / "nowhere" / "a.png", [("", torch.zeros(1, 3, 4, 4))])

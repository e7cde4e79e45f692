import numpy as np
import pytest
from helpers.image_trees import area_oracle
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from causalcf.data.imagefiles import area_resize, celeba_crop, read_image, square_crop
from causalcf.errors import DataError


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_whole_ratio_is_the_box_average_of_numpy_and_pillow():
    pixels = noise(128, 128)
    boxes = pixels.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(area_resize(pixels, 64), np.floor(boxes + 0.5))
    pillow = np.asarray(Image.fromarray(pixels).resize((64, 64), Image.Resampling.BOX)).astype(int)
    assert np.abs(area_resize(pixels, 64) - pillow).max() <= 1  # Pillow rounds between its two passes


def test_celebas_ratio_is_the_exact_area_mean_which_pillows_box_is_not():
    pixels = noise(108, 108)
    exact = area_oracle(pixels, 64)
    assert np.abs(area_resize(pixels, 64) - exact).max() <= 0.5 + 1e-3
    pillow = np.asarray(Image.fromarray(pixels).resize((64, 64), Image.Resampling.BOX))
    assert np.abs(pillow - exact).max() > 20


@given(st.integers(1, 24), st.integers(1, 24), st.integers(0, 99))
def test_any_ratio_up_or_down_is_the_exact_area_mean(side, size, seed):
    pixels = noise(side, side, seed)
    assert np.abs(area_resize(pixels, size) - area_oracle(pixels, size)).max() <= 0.5 + 1e-3


def test_a_photograph_larger_than_a_slab_is_resized_alike(monkeypatch):
    pixels = noise(96, 96)
    whole = area_resize(pixels, 10)
    monkeypatch.setattr("causalcf.data.imagefiles._SLAB", 500)
    np.testing.assert_array_equal(area_resize(pixels, 10), whole)


def test_celeba_crop_is_central():
    pixels = noise(218, 178)
    crop = celeba_crop(Image.fromarray(pixels))
    np.testing.assert_array_equal(crop, pixels[55:163, 35:143])  # 55 rows above and below, 35 columns left and right


def test_celeba_crop_refuses_other_sizes():
    with pytest.raises(DataError, match=r"409x687.*178x218"):
        celeba_crop(Image.new("RGB", (409, 687)))


@pytest.mark.parametrize(("height", "width", "window"), [(5, 9, np.s_[:, 2:7]), (8, 5, np.s_[1:6, :])])
def test_square_crop_is_central(height, width, window):
    pixels = noise(height, width)
    np.testing.assert_array_equal(square_crop(Image.fromarray(pixels)), pixels[window])


def test_square_crop_lays_transparency_on_white():
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (square_crop(image) == 255).all()


def test_square_crop_turns_upright(tmp_path):
    pixels = noise(4, 4)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(square_crop(image), np.rot90(pixels, -1))


def test_square_crop_refuses_sixteen_bits(tmp_path):
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png.*'I;16'"):
        read_image(tmp_path / "deep.png", square_crop, 2)


def test_read_image_decodes_crops_resizes_and_puts_channels_first(tmp_path):
    pixels = noise(218, 178)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png", celeba_crop, 64)
    assert np.abs(read.transpose(1, 2, 0) - area_oracle(pixels[55:163, 35:143], 64)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp"])
@pytest.mark.parametrize("keep", [0, 30, 0.5])
def test_a_broken_file_is_named(tmp_path, suffix, keep):
    file = tmp_path / f"broken.{suffix}"
    Image.fromarray(noise(60, 60)).save(file)
    content = file.read_bytes()
    file.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(DataError, match=rf"broken\.{suffix}"):
        read_image(file, square_crop, 8)

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


CROPS = [(celeba_crop, 178, 218), (square_crop, 120, 120)]  # of one reader


def saved(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize(("crop", "width", "height"), CROPS)
@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "P with alpha", "L", "RGB", "1"])
def test_transparency_of_every_kind_is_laid_on_white(tmp_path, crop, width, height, kind):
    size = (width, height)
    if kind in ("RGBA", "LA"):
        image, options = Image.new(kind, size, 0), {}
    elif kind == "P with alpha":
        image, options = Image.new("P", size, 0), {"transparency": bytes([0, 255])}
    else:
        image = Image.new(kind, size, 0)
        options = {"transparency": (0, 0, 0) if kind == "RGB" else 0}
    read = read_image(saved(tmp_path / "a.png", image, **options), crop, 4)
    assert (read == 255).all()
    dark = read_image(saved(tmp_path / "b.png", Image.new(kind.split()[0], size)), crop, 4)
    assert kind in ("RGBA", "LA") or (dark == 0).all()


def test_half_transparent_red_becomes_rose(tmp_path):
    image = Image.new("RGBA", (9, 9), (255, 0, 0, 128))
    for suffix in ("png", "webp", "tiff"):
        options = {"lossless": True} if suffix == "webp" else {}
        read = read_image(saved(tmp_path / f"a.{suffix}", image, **options), square_crop, 2)
        assert np.abs(read[:, 0, 0].astype(int) - [255, 127, 127]).max() <= 1


@pytest.mark.parametrize(("crop", "width", "height"), CROPS)
@pytest.mark.parametrize("turn", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_every_orientation_of_exif_comes_out_upright(tmp_path, crop, width, height, turn, suffix):
    pixels = noise(height, width)
    stored = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels), 7: np.rot90(pixels, 2).transpose(1, 0, 2), 8: np.rot90(pixels, -1),
    }[turn]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = turn
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    upright = read_image(saved(tmp_path / "upright.png", Image.fromarray(pixels)), crop, 20)
    np.testing.assert_array_equal(read_image(path, crop, 20), upright)


@pytest.mark.parametrize(("crop", "width", "height"), CROPS)
@pytest.mark.parametrize(
    ("dtype", "suffix", "mode"),
    [(np.uint16, "png", "I;16"), (np.uint16, "tiff", "I;16"), (np.int32, "tiff", "I"), (np.float32, "tiff", "F")],
)
def test_more_than_eight_bits_are_refused_by_name(tmp_path, crop, width, height, dtype, suffix, mode):
    path = saved(tmp_path / f"deep.{suffix}", Image.fromarray(np.full((height, width), 40_000, dtype)))
    with pytest.raises(DataError, match=rf"deep\.{suffix}: pixels of type '{mode}'"):
        read_image(path, crop, 2)


@pytest.mark.parametrize(("crop", "width", "height"), CROPS)
@pytest.mark.parametrize(
    ("mode", "suffix", "expected"),
    [
        ("L", "jpg", (90, 90, 90)), ("L", "pgm", (90, 90, 90)), ("CMYK", "tiff", (225, 165, 75)),
        ("CMYK", "jpg", (225, 165, 75)), ("P", "gif", (90, 90, 90)), ("1", "bmp", (255, 255, 255)),
        ("RGB", "avif", (30, 90, 180)),
    ],
)  # fmt: skip
def test_other_colours_become_rgb(tmp_path, crop, width, height, mode, suffix, expected):
    from PIL import features

    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    value = {"CMYK": (30, 90, 180, 0), "RGB": (30, 90, 180), "1": 1}.get(mode, 90)
    image = Image.new("L", (width, height), value).convert("P") if mode == "P" else None
    read = read_image(saved(tmp_path / f"a.{suffix}", image or Image.new(mode, (width, height), value)), crop, 4)
    assert np.abs(read.astype(int) - np.reshape(expected, (3, 1, 1))).max() <= 4


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_frame_is_read(tmp_path, suffix):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("white", "black", "black")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / f"a.{suffix}", square_crop, 2) >= 250).all()


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

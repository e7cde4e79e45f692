"""Photographs as they come: decoded, turned, cut. Oracles: known eyes; CelebA's own crops of embedded photographs."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from causalcf.data import photographs
from causalcf.data.imagefiles import area_resize, celeba_crop
from causalcf.data.photographs import EYES, parse_box, photographs_in, read_photograph
from causalcf.errors import DataError

CELEBA = Path(__file__).resolve().parents[3] / "shared" / "data" / "celeba" / "img_align_celeba"


def scene(width, height, seed=0):
    """Smooth colours, the same at any size."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )


def same(a, b, within):
    return float((a - b).abs().max()) <= within


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".png", "RGB"), (".jpg", "RGB"), (".jpg", "L"), (".jpg", "CMYK"), (".webp", "RGB"), (".png", "P")],
)
def test_formats_and_colours(tmp_path, suffix, mode):
    image = scene(90, 90).convert(mode)
    image.save(tmp_path / f"a{suffix}", **({} if suffix == ".png" else {"quality": 95}))
    found, said = read_photograph(tmp_path / f"a{suffix}", "faces", 108)
    wanted = torch.from_numpy(area_resize(np.asarray(image.convert("RGB")), 64)).permute(2, 0, 1) / 255
    assert found.shape == (3, 64, 64) and said == "the central square"
    assert same(found, wanted, 0.12 if suffix != ".png" else 0.0)


def test_transparency_becomes_white_and_exif_turns(tmp_path):
    clear = scene(80, 80).convert("RGBA")
    clear.putalpha(0)
    clear.save(tmp_path / "clear.png")
    assert (read_photograph(tmp_path / "clear.png", "faces", 108)[0] == 1).all()
    exif = Image.Exif()
    exif[0x0112] = 6
    image = scene(80, 80)
    image.save(tmp_path / "turned.png", exif=exif)
    image.rotate(-90).save(tmp_path / "upright.png")
    turned, upright = (read_photograph(tmp_path / f"{name}.png", "faces", 108)[0] for name in ("turned", "upright"))
    assert torch.equal(turned, upright)


def test_a_box_is_cut_to_the_pixel_and_must_be_inside(tmp_path):
    image = scene(200, 150)
    image.save(tmp_path / "a.png")
    found, said = read_photograph(tmp_path / "a.png", "celeba", 108, (20, 10, 64))
    assert torch.equal(found, torch.from_numpy(np.asarray(image)[10:74, 20:84].copy()).permute(2, 0, 1) / 255)
    assert said == "cut by hand"
    for box in ((-1, 0, 10), (0, 0, 151), (150, 0, 64), (0, 0, 0)):
        with pytest.raises(DataError, match=r"a\.png.*not inside its 200x150"):
            read_photograph(tmp_path / "a.png", "celeba", 108, box)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,x", "1,2,3,4", "centre"])
def test_a_crop_that_is_none(text):
    with pytest.raises(DataError, match=r"--crop.*auto, or X,Y,SIZE"):
        parse_box(text)


def test_a_crop_by_hand_or_by_the_eyes():
    assert parse_box("auto") is None and parse_box("1, 2,30") == (1, 2, 30)


@pytest.mark.parametrize("side", [108, 148])
def test_celebas_own_images_are_cut_as_in_training(tmp_path, side):
    image = scene(178, 218)
    image.save(tmp_path / "a.png")
    found, said = read_photograph(tmp_path / "a.png", "celeba", side)
    assert torch.equal(found, torch.from_numpy(area_resize(celeba_crop(image, side), 64)).permute(2, 0, 1) / 255)
    assert "CelebA" in said


@pytest.mark.parametrize(
    ("scale", "angle", "width"), [(1.0, 0.0, 300), (0.5, 12.0, 300), (6.3, -25.0, 4000), (9.0, 0.0, 4000)]
)
def test_the_eyes_come_to_where_celebas_are(tmp_path, monkeypatch, scale, angle, width):
    """Two dots are painted where the eyes are said to be; they are found at the places of CelebA's eyes."""
    image = Image.new("RGB", (width, width), "white")
    turn = math.radians(angle)
    apart = (EYES[1][0] - EYES[0][0]) * scale
    first = (0.45 * width, 0.55 * width)
    second = (first[0] + apart * math.cos(turn), first[1] + apart * math.sin(turn))
    reach = max(3 * scale, 2)
    for x, y in (first, second):
        ImageDraw.Draw(image).ellipse((x - reach, y - reach, x + reach, y + reach), fill="black")
    image.save(tmp_path / "a.png")
    monkeypatch.setattr(photographs, "_find_eyes", lambda _: ((first, second), "by the test"))
    aligned, said = photographs._aligned(image)
    assert aligned.size == (178, 218) and said == "by the test"
    dark = 255 - np.asarray(aligned.convert("L"), dtype=float)
    for (x, y), half in zip(EYES, (np.s_[:, :88], np.s_[:, 88:]), strict=True):
        part = dark[half]
        rows, columns = np.indices(part.shape)
        centre = (part * columns).sum() / part.sum() + (88 if x > 88 else 0), (part * rows).sum() / part.sum()
        assert math.dist(centre, (x, y)) < 1.5


def test_parts_of_a_face_and_false_alarms_are_no_other_faces():
    face, eye, far, other = (100, 100, 80, 80), (120, 120, 50, 50), (300, 0, 30, 30), (250, 100, 60, 60)
    assert photographs._apart([]) == []
    assert photographs._apart([eye, far, face]) == [face]
    assert photographs._apart([far, other, face]) == [face, other]


def test_several_faces_or_none_are_one_sentence(tmp_path):
    pytest.importorskip("cv2")
    scene(400, 300).save(tmp_path / "none.jpg")
    with pytest.raises(DataError, match=r"none\.jpg: no face was found; .*--crop X,Y,SIZE.*400x300"):
        read_photograph(tmp_path / "none.jpg", "celeba", 108)


def test_without_opencv_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    scene(400, 300).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"causalcf\[photo\].*--crop"):
        read_photograph(tmp_path / "a.jpg", "celeba", 108)
    assert read_photograph(tmp_path / "a.jpg", "celeba", 108, (0, 0, 300))[1] == "cut by hand"


@pytest.mark.parametrize("name", ["a.txt", "b.jpg", "missing.png"])
def test_what_is_no_image(tmp_path, name):
    if name != "missing.png":
        (tmp_path / name).write_bytes(b"\xff\xd8\xff" + bytes(50))
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        read_photograph(tmp_path / name, "faces", 108)


def test_a_folder_is_its_images_by_name(tmp_path):
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in photographs_in(tmp_path)] == ["a.png", "b.JPG"]
    assert photographs_in(tmp_path / "a.png") == [tmp_path / "a.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        photographs_in(tmp_path / "empty")


@pytest.mark.skipif(not CELEBA.is_dir(), reason="CelebA's images are not beside the project")
def test_real_faces_in_larger_photographs_are_found_and_cut_nearly_as_celeba_does(tmp_path):
    pytest.importorskip("cv2")
    rng, likeness, chance, refused = np.random.default_rng(0), [], [], 0
    files = sorted(CELEBA.iterdir())[100:124]
    own = [read_photograph(file, "celeba", 108)[0] for file in files]
    for i, file in enumerate(files):
        with Image.open(file) as image:
            scale = rng.uniform(1.5, 4)
            large = image.convert("RGB").resize((int(178 * scale), int(218 * scale)), Image.Resampling.BICUBIC)
        turned = large.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC, expand=True, fillcolor="grey")
        whole = Image.new("RGB", (turned.width + 300, turned.height + 200), "grey")
        whole.paste(turned, (int(rng.uniform(0, 300)), int(rng.uniform(0, 200))))
        whole.save(tmp_path / "a.jpg", quality=95)
        try:
            found, _ = read_photograph(tmp_path / "a.jpg", "celeba", 108)
        except DataError:
            refused += 1
            continue
        likeness.append(float((found - own[i]).abs().mean()))
        chance.append(float((found - own[i - 1]).abs().mean()))
    assert refused <= 6
    assert np.median(likeness) < 0.5 * np.median(chance)
    assert np.mean(np.array(likeness) < np.array(chance)) > 0.9
    two = Image.new("RGB", (900, 500), "grey")
    for i, place in ((0, (20, 20)), (1, (460, 20))):
        with Image.open(files[i]) as image:
            two.paste(image.resize((356, 436)), place)
    two.save(tmp_path / "two.jpg")
    with pytest.raises(DataError, match=r"2 faces were found.*--crop"):
        read_photograph(tmp_path / "two.jpg", "celeba", 108)

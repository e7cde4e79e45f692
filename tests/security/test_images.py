"""Images and tables from elsewhere: nothing outside their folder is read, and nothing is blown up."""

import os
import re
import struct
import warnings
import zlib

import pytest
from helpers.broken import limited
from PIL import Image

from causalcf.data.folder import load_folder
from causalcf.data.imagefiles import FORMATS, read_image, scan, square_crop
from causalcf.data.tables import read_attributes
from causalcf.errors import DataError


def bomb(path, side):
    """A white PNG of that many pixels a side, one bit each, in a few kilobytes."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + b"\xff" * -(-side // 8)
    packed = zlib.compressobj(9)
    pixels = b"".join(packed.compress(row) for _ in range(side)) + packed.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def write(root, table, images=("a.png",)):
    root.mkdir(exist_ok=True)
    for name in images:
        Image.new("RGB", (9, 9), "red").save(root / name)
    (root / "labels.csv").write_text(table)
    return root


@pytest.mark.parametrize("side", [20_000, 9_000], ids=["400 million", "81 million"])
def test_a_decompression_bomb_is_refused_in_a_sentence(tmp_path, side):
    bomb(tmp_path / "a.png", side)
    assert (tmp_path / "a.png").stat().st_size < 100_000
    with limited(), pytest.raises(DataError, match=r"a\.png\b.*\b67,108,864\b"):
        read_image(tmp_path / "a.png", square_crop, 64)


def test_the_smallest_image_and_a_large_one_are_read(tmp_path):
    Image.new("RGB", (1, 1), "red").save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", square_crop, 64)[:, 0, 0].tolist() == [255, 0, 0]
    bomb(tmp_path / "b.png", 1000)
    assert read_image(tmp_path / "b.png", square_crop, 8).min() == 255


def test_the_content_tells_the_format_and_not_the_name(tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "a.jpg")
    os.rename(tmp_path / "a.jpg", tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", square_crop, 8).shape == (3, 8, 8)


@pytest.mark.parametrize("kind", ["EPS", "PDF", "TGA", "ICO", "DDS"])
def test_formats_beyond_the_usual_few_are_refused(tmp_path, kind):
    assert kind not in FORMATS
    Image.new("RGB", (16, 16), "red").save(tmp_path / "a", kind)
    (tmp_path / "a").rename(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png\b.*\bJPEG, PNG\b"):
        read_image(tmp_path / "a.png", square_crop, 8)


@pytest.mark.parametrize("name", ["../secret.png", "../../secret.png", "/{outside}/secret.png", "a/../../secret.png"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "secret.png")
    name = name.replace("/{outside}", str(tmp_path))
    root = write(tmp_path / "data", f"file,Red,split\na.png,1,train\n{name},1,train\n")
    with pytest.raises(DataError, match=rf"labels\.csv\b.*\({re.escape(name)}\)"):
        load_folder(root, cache=tmp_path / "cache", progress=False)


def test_links_of_the_user_s_own_are_followed_and_circles_end(tmp_path):
    elsewhere = write(tmp_path / "elsewhere", "file,Red,split\na.png,1,train\nb.png,0,train\n")
    Image.new("RGB", (9, 9), "blue").save(tmp_path / "b.png")
    (elsewhere / "b.png").symlink_to(tmp_path / "b.png")
    for name in ("here", "there"):
        (elsewhere / name).symlink_to(".")
    (tmp_path / "data").symlink_to(elsewhere)
    with limited():
        assert sorted(scan(tmp_path / "data", recursive=True)) == ["a.png", "b.png", "labels.csv"]
        assert len(load_folder(tmp_path / "data", cache=tmp_path / "cache", progress=False)) == 2


def test_a_pipe_with_an_image_s_name_is_no_image(tmp_path):
    root = write(tmp_path / "data", "file,Red,split\na.png,1,train\n", images=())
    os.mkfifo(root / "a.png")
    with limited(), pytest.raises(DataError, match=r"labels\.csv\b.*\ba\.png\b"):
        load_folder(root, cache=tmp_path / "cache", progress=False)


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        (f"{'9' * 5000}\nBald\na.png 1\n", r"a\.txt, line 1\b.*'9+"),
        ('file,Bald\n"a\nb.png",1\n', r"'a\\nb\.png'"),
        ('file,"Ba\x1b[2Jld"\na.png,1\n', r"'Ba\\x1b\[2Jld'"),
        ("file," + ",".join(f"A{i}" for i in range(100_000)) + ",A7\n", "'A7'"),
    ],
    ids=["giant number", "line break", "escape", "100,000 columns"],
)
def test_tables_made_to_hurt_are_refused(tmp_path, text, culprit):
    path = tmp_path / ("a.txt" if text.startswith("9") else "a.csv")
    path.write_text(text)
    with limited(), pytest.raises(DataError, match=culprit):
        read_attributes(path)


def test_a_table_beyond_all_size_is_refused_unread(tmp_path):
    with open(tmp_path / "a.csv", "wb") as file:
        file.truncate(2**40)  # which takes no room on the disk
    with limited(), pytest.raises(DataError, match=r"a\.csv\b.*\b128 MiB\b"):
        read_attributes(tmp_path / "a.csv")


def test_pillow_s_own_guard_is_not_what_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    bomb(tmp_path / "a.png", 20_000)
    with warnings.catch_warnings(), pytest.raises(DataError, match=r"a\.png\b.*\b20000 x 20000\b.*\b67,108,864\b"):
        read_image(tmp_path / "a.png", square_crop, 64)

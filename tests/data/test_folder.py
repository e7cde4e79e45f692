import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from helpers.image_trees import area_oracle
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from causalcf.data import attribute_names
from causalcf.data.folder import _hashed_split, load_folder
from causalcf.data.imagefiles import match_images
from causalcf.data.tables import AttributeTable
from causalcf.errors import DataError

SUFFIXES = ("png", "bmp", "png", "tiff")
FILES = tuple(f"{'sub/' if i == 2 else ''}{i}.{suffix}" for i, suffix in enumerate(SUFFIXES))
SIZES = ((40, 60), (32, 32), (100, 33), (20, 24))  # height, width; the last is smaller than asked for


def picture(i):
    return np.random.default_rng(i).integers(0, 256, (*SIZES[i], 3), np.uint8)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "mine" / "sub").mkdir(parents=True)
    for i, file in enumerate(FILES):
        Image.fromarray(picture(i)).save(tmp_path / "mine" / file)
    rows = "\n".join(f"{file},{i % 2},{('train', 'valid')[i % 2]}" for i, file in enumerate(FILES))
    (tmp_path / "mine" / "labels.csv").write_text(f"file,Odd,split\n{rows}\n")
    return tmp_path / "mine"


@pytest.fixture
def load(tmp_path):
    return lambda root, split="all", **options: load_folder(
        root, split, size=32, cache=tmp_path / "cache", progress=False, **options
    )


def test_images_of_any_format_and_size_give_their_central_square(root, load):
    windows = (np.s_[:, 10:50], np.s_[:], np.s_[33:66, :], np.s_[:, 2:22])
    expected = [area_oracle(picture(i)[window], 32) for i, window in enumerate(windows)]
    for split, rows in (("train", (0, 2)), ("valid", (1, 3))):
        data = load(root, split)
        assert (data.name, data.names, data.labels.tolist()) == ("folder", ("Odd",), [[i % 2] for i in rows])
        for pixels, i in zip(data.pixels, rows, strict=True):
            assert np.abs(pixels.transpose(1, 2, 0) - expected[i]).max() <= 0.5 + 1e-3


def test_flips_are_on_unless_the_labels_forbid_them(root, load):
    assert load(root).flip is True
    assert load(root, flip=False).flip is False


def test_without_a_split_column_file_names_decide(root, load):
    Image.new("RGB", (9, 9), "red").save(root / "5.png")  # the one of these names whose hash says valid
    (root / "labels.csv").write_text("file,Odd\n5.png,1\n" + "".join(f"{f},{i % 2}\n" for i, f in enumerate(FILES)))
    assert load(root, "train").labels.tolist() == [[0], [1], [0], [1]]
    valid = load(root, "valid")
    assert valid.labels.tolist() == [[1]]
    assert (valid.pixels == np.array([255, 0, 0], np.uint8)[:, None, None]).all()
    with pytest.raises(DataError, match="'test'"):
        load(root, "test")


def test_the_hashed_split_is_fixed_and_nine_to_one():
    # n = 10,000: a binomial count has deviation 30; 4.42 of them is the two-sided 1e-5 quantile
    train = sum(_hashed_split(f"{i:06d}.jpg") == "train" for i in range(10_000))
    assert abs(train - 9_000) < 4.42 * 30
    assert abs(train - 8_850) > 4.42 * 30  # an 88.5 % split would be refused
    assert [_hashed_split(file) for file in ("4.png", "5.png", "6.png", "23.png")] == ["train", "valid"] * 2


def test_any_single_csv_will_do_but_not_two(root, load):
    (root / "labels.csv").rename(root / "mine.csv")
    assert len(load(root)) == 4
    (root / "other.csv").write_text("")
    with pytest.raises(DataError, match=r"labels\.csv.*mine\.csv, other\.csv"):
        load(root)


def test_no_csv_or_no_folder(root, load):
    (root / "labels.csv").unlink()
    with pytest.raises(DataError, match=r"labels\.csv.*\bnone\b"):
        load(root)
    with pytest.raises(DataError, match=r"/absent\b"):
        load(root / "absent")


def test_an_image_in_another_place_is_pointed_out(root, load):
    table = root / "labels.csv"
    table.write_text(table.read_text().replace("sub/", ""))
    with pytest.raises(DataError, match=r"labels\.csv.*\b2\.png.*'sub/2\.png'"):
        load(root)


def test_an_unlabelled_image_is_refused(root, load):
    Image.new("RGB", (9, 9)).save(root / "sub" / "extra.JPG", format="JPEG")
    with pytest.raises(DataError, match=r"sub/extra\.JPG"):
        load(root)


def test_a_link_to_nothing_is_a_missing_image(root, load):
    (root / FILES[0]).unlink()
    (root / FILES[0]).symlink_to(root / "nowhere.png")
    with pytest.raises(DataError, match=r"labels\.csv.*\b0\.png"):
        load(root)


def test_a_broken_image_is_named(root, load):
    (root / FILES[1]).write_bytes(b"BM no bitmap")
    with pytest.raises(DataError, match=r"/1\.bmp"):
        load(root)


def colours(root, names):
    """A folder of one image a name; each has a colour of its own."""
    root.mkdir()
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 9), (20 * i + 10, 0, 0)).save(root / name, format="BMP")
    return root


def label(root, names, **columns):
    """Write labels.csv with an attribute A, 1 for the second image and all later ones."""
    head = ",".join(["file", "A", *columns])
    rows = [",".join([name, str(int(i > 0)), *(str(c[i]) for c in columns.values())]) for i, name in enumerate(names)]
    (root / "labels.csv").write_text("\n".join([head, *rows]), encoding="utf-8")


def test_the_fingerprint_of_a_folder_is_what_it_was(tmp_path, load):
    """Runs and classifiers know their data by it, also where and when somebody has copied them."""
    root = colours(tmp_path / "mine", names := ("a.bmp", "sub/b.bmp", "\u00e9.bmp", "d.bmp"))
    label(root, names, split=("train", "valid", "train", "test"))
    fingerprints = [load(root, split).fingerprint for split in ("train", "valid", "all")]
    assert fingerprints == ["054754276b9bc4c6", "76f63e8765d6e5ee", "265c4aced094a517"]
    copy = shutil.copytree(root, tmp_path / "copy")
    for name in names:
        os.utime(copy / name, (1_500_000_000, 1_500_000_000))
    assert [load(copy, split).fingerprint for split in ("train", "valid", "all")] == fingerprints


def test_another_image_of_as_many_bytes_changes_the_fingerprint(tmp_path, load):
    root = colours(tmp_path / "mine", names := ("a.bmp", "b.bmp", "c.bmp", "d.bmp"))
    label(root, names, split=("train", "valid", "train", "test"))
    before = [load(root, split).fingerprint for split in ("train", "valid", "all")]
    colours(tmp_path / "other", ("x.bmp", "y.bmp"))
    shutil.copyfile(tmp_path / "other" / "y.bmp", root / "a.bmp")  # a was the first colour, now the second
    after = [load(root, split).fingerprint for split in ("train", "valid", "all")]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, False]


@pytest.mark.parametrize("column", ["partition", "Partition", "split", "SPLIT"])
def test_no_image_that_a_column_keeps_for_validation_is_trained_on(tmp_path, load, column):
    root = colours(tmp_path / "mine", names := [f"{i}.bmp" for i in range(12)])
    label(root, names, **{column: [int(i % 3 == 0) for i in range(12)]})
    train, valid = load(root, "train"), load(root, "valid")
    assert train.names == attribute_names("folder", root) == ("A",)
    assert [int(image[0, 0, 0]) for image in valid.pixels] == [20 * i + 10 for i in range(0, 12, 3)]
    assert len(train) == 8
    with pytest.raises(DataError, match=r"'test'.*train 8, valid 4, test 0"):
        load(root, "test")


def test_a_label_of_a_split_s_name_is_refused_in_a_sentence(tmp_path):
    root = colours(tmp_path / "mine", names := ["a.bmp", "b.bmp"])
    label(root, names, partition=[0, 1])
    with pytest.raises(DataError, match=r"'Partition'.*for training"):
        attribute_names("folder", root, ("A", "Partition"))


NFC, NFD = (unicodedata.normalize(form, "gar\u00e7on/\u00c5\u1e09.bmp") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("disk", "row"),
    [
        (NFC, NFD), (NFD, NFC), ("\u00c5.bmp", "\u212b.bmp"), ("sub/a.bmp", "sub\\a.bmp"), ("a.BMP", "a.bmp"),
        ("a.bmp", "a.Bmp"), ("a.bmp", "./a.bmp"), ("sub/a.bmp", "sub//a.bmp"), ("a.bmp", "a.bmp "),
        ("a b.bmp", " a b.bmp"),
        ("sub.x/\u00e9 a", "sub.x\\e\u0301 a"),
    ],
)  # fmt: skip
def test_names_that_are_spelled_otherwise_in_the_table_are_found(tmp_path, load, disk, row):
    root = colours(tmp_path / "mine", ("0.bmp", disk))
    label(root, ("0.bmp", row))
    data = load(root)
    assert [int(data.pixels[list(data.labels[:, 0]).index(i), 0, 0, 0]) for i in (0, 1)] == [10, 30]


def test_names_that_differ_only_in_their_accents_stay_apart_or_are_refused(tmp_path, load):
    root = colours(tmp_path / "mine", ("0.bmp", NFC, NFD))
    label(root, ("0.bmp", NFC, NFD))  # each has its row
    assert sorted(int(image[0, 0, 0]) for image in load(root).pixels) == [10, 30, 50]
    label(root, ("0.bmp", NFD))
    with pytest.raises(DataError, match=r"'gar\\xe7on/.*' is spelled like 'garc\\u0327on/.*'"):
        load(root)
    label(root, ("0.bmp", unicodedata.normalize("NFC", NFD[:-6]) + NFD[-6:]))
    with pytest.raises(DataError, match=r"may be .*garc\\u0327on/.* or .*gar\\xe7on/"):
        load(root)


def test_a_second_row_of_one_image_is_refused(tmp_path, load):
    root = colours(tmp_path / "mine", ("a.bmp", "b.BMP"))
    label(root, ("a.bmp", "b.bmp", "./a.bmp"))
    with pytest.raises(DataError, match=r"lists 1 image \(\./a\.bmp\) not in .*'a\.bmp'"):
        load(root)


def test_a_table_without_a_header_is_refused_also_where_names_have_no_suffix(tmp_path, load):
    root = colours(tmp_path / "mine", ("a", "b"))
    (root / "labels.csv").write_text("a,1\nb,0\n")
    with pytest.raises(DataError, match=r"line 1\b.*\bheader\b.*'a'"):
        load(root)
    (root / "labels.csv").write_text("file,0,1\na,1,0\nb,0,1\n")  # labels may be called 0 and 1
    assert load(root).names == ("0", "1")


def test_skip_missing_is_true_or_false(root, load):
    with pytest.raises(DataError, match=r"\bskip_missing\b.*'false'"):
        load(root, skip_missing="false")


def test_missing_and_unlabelled_images_are_told_together(tmp_path, load):
    root = colours(tmp_path / "mine", [f"{i}.bmp" for i in range(6)])
    label(root, [f"{i}.bmp" for i in range(4, 10)])
    missing, extra = (
        r"lists 4 images \(6\.bmp, 7\.bmp, 8\.bmp, \.\.\.\)",
        r"holds 4 images \(0\.bmp, 1\.bmp, 2\.bmp, \.\.\.\)",
    )
    with pytest.raises(DataError, match=rf"{missing}.*--skip-missing.*{extra}"):
        load(root)
    with pytest.raises(DataError, match=extra):  # no image is left out
        load(root, skip_missing=True)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), *[st.sampled_from(["NFC", "NFD"])] * 2)
def test_any_name_is_found_in_either_composition(name, in_table, on_disk):
    row, file = (unicodedata.normalize(form, name + ".png") for form in (in_table, on_disk))
    table = AttributeTable(Path("labels.csv"), (row,), ("A",), np.ones((1, 1), np.int8))
    assert match_images(table, Path(), {file: (1, 1)}, any_suffix=False, skip_missing=False) == {row: file}
    with pytest.raises(DataError, match=r"lists 1 image"):
        match_images(table, Path(), {"x" + file: (1, 1)}, any_suffix=False, skip_missing=True)


def test_a_link_to_itself_is_no_image(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "labels.csv").write_text("file,Red,split\na.png,1,train\n")
    assert len(load_folder(tmp_path, cache=tmp_path / "cache", progress=False)) == 1
    with (tmp_path / "labels.csv").open("a") as table:
        table.write("loop.png,0,train\n")
    with pytest.raises(DataError, match=r"1 image \(loop\.png\) not in"):
        load_folder(tmp_path, cache=tmp_path / "cache", progress=False)

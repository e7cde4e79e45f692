import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.image_trees import FILES, LABELS, NAMES, PARTITION, area_oracle, write_celeba
from PIL import Image

from causalcf.data.celeba import load_celeba
from causalcf.data.imagefiles import celeba_crop, read_image
from causalcf.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "celeba"
ROWS = {
    split: [row for row, p in enumerate(PARTITION) if p == part]
    for part, split in enumerate(("train", "valid", "test"))
}


@pytest.fixture
def root(tmp_path):
    write_celeba(tmp_path / "celeba")
    return tmp_path / "celeba"


@pytest.fixture
def load(tmp_path):
    return lambda root, split="all", **options: load_celeba(
        root, split, cache=tmp_path / "cache", progress=False, **options
    )


@pytest.mark.parametrize("layout", ["plain", "kaggle", "official"])
@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_every_layout_gives_the_official_split_of_cropped_and_resized_images(tmp_path, load, layout, split):
    folder = write_celeba(tmp_path / layout, layout)
    data = load(tmp_path / layout, split)
    assert (data.name, data.names, data.flip) == ("celeba", NAMES, True)
    assert data.labels.tolist() == LABELS[ROWS[split]].tolist()
    assert isinstance(data.pixels, np.memmap)  # nothing was copied into memory
    for pixels, row in zip(data.pixels, ROWS[split], strict=True):
        decoded = np.asarray(Image.open(folder / FILES[row]).crop((35, 55, 143, 163)))
        assert np.abs(pixels.transpose(1, 2, 0) - area_oracle(decoded, 64)).max() <= 0.5 + 1e-3


def test_all_is_train_then_valid_then_test(root, load):
    whole = load(root)
    parts = [load(root, split) for split in ("train", "valid", "test")]
    np.testing.assert_array_equal(whole.pixels, np.concatenate([part.pixels for part in parts]))
    assert whole.labels.tolist() == [row for part in parts for row in part.labels.tolist()]


def test_another_size_has_its_own_cache(root, load):
    assert load(root, size=54).pixels.shape == (10, 3, 54, 54)
    assert load(root).pixels.shape == (10, 3, 64, 64)
    with pytest.raises(DataError, match=r"\bsize\b.*\b0\b"):
        load(root, size=0)


def test_a_changed_image_is_noticed(root, load, caplog):
    before = load(root)
    shutil.copy(root / "img_align_celeba" / FILES[3], root / "img_align_celeba" / FILES[0])
    after = load(root)
    assert "source has changed" in caplog.text
    assert before.fingerprint != after.fingerprint
    np.testing.assert_array_equal(after.pixels[0], after.pixels[2])  # images 1 and 4 are rows 0 and 2 of train
    assert not np.array_equal(before.pixels[0], after.pixels[0])


def test_a_changed_label_changes_the_fingerprint_but_decodes_nothing(root, load, caplog):
    before = load(root)
    table = root / "list_attr_celeba.txt"
    table.write_text(table.read_text().replace("000001.jpg -1", "000001.jpg  1"))
    after = load(root)
    assert before.fingerprint != after.fingerprint
    assert after.labels[0, 0] == 1
    assert not caplog.records


def test_the_fingerprint_is_stable_and_tells_splits_apart(root, load):
    prints = [load(root, split).fingerprint for split in ("train", "valid", "test", "all", "train")]
    assert prints[0] == prints[4]
    assert len(set(prints)) == 4


def test_a_truncated_jpeg_is_named_and_replacing_it_is_enough(root, load):
    file = root / "img_align_celeba" / FILES[4]
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"000005\.jpg"):
        load(root)
    file.write_bytes(whole)
    assert len(load(root)) == 10


def test_images_that_are_not_aligned_are_refused(root, load):
    Image.new("RGB", (409, 687)).save(root / "img_align_celeba" / FILES[4])
    with pytest.raises(DataError, match=r"000005\.jpg.*409x687.*178x218"):
        load(root)


def test_images_of_the_table_that_are_not_there(root, load):
    for file in FILES[2:7]:
        (root / "img_align_celeba" / file).unlink()
    with pytest.raises(DataError, match=r"list_attr_celeba\.txt.*000003\.jpg, 000004\.jpg, 000005\.jpg"):
        load(root)


def test_images_that_are_not_in_the_table(root, load):
    shutil.copy(root / "img_align_celeba" / FILES[0], root / "img_align_celeba" / "000099.jpg")
    (root / "img_align_celeba" / "Thumbs.db").write_text("no image")
    with pytest.raises(DataError, match=r"000099\.jpg.*list_attr_celeba\.txt"):
        load(root)


@pytest.mark.parametrize("folder", ["img_align_celeba_png", "Img/img_align_celeba_png", "img_align_celeba"])
@pytest.mark.parametrize("suffixes", [("png",), ("PNG", "webp", "jpeg")])
def test_the_png_release_and_other_suffixes_load_under_a_jpg_table(root, load, folder, suffixes):
    whole = load(root, "valid")
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    for i, file in enumerate(FILES):
        (root / "img_align_celeba" / file).rename(place / f"{file[:-4]}.{suffixes[i % len(suffixes)]}")
    if folder != "img_align_celeba":
        (root / "img_align_celeba").rmdir()
    data = load(root, "valid")
    np.testing.assert_array_equal(data.pixels, whole.pixels)
    assert data.labels.tolist() == whole.labels.tolist()


def test_two_images_for_one_row_are_refused(root, load):
    here = root / "img_align_celeba"
    shutil.copy(here / FILES[1], here / FILES[1].replace("jpg", "png"))
    with pytest.raises(DataError, match=r"'000002\.png' is spelled like '000002\.jpg'"):
        load(root)
    (here / FILES[1]).rename(here / FILES[1].replace("jpg", "bmp"))
    with pytest.raises(DataError, match=r"'000002\.jpg' may be '000002\.bmp' or '000002\.png'"):
        load(root)


@pytest.mark.parametrize("place", ["img_celeba", "Img/img_celeba"])
def test_images_in_the_wild_are_refused_by_name(root, load, place):
    (root / "img_align_celeba").rename(root / "aside")
    (root / place).mkdir(parents=True)
    with pytest.raises(DataError, match=rf"\({place} holds those in the wild"):
        load(root)


def test_a_part_of_the_images_is_loaded_when_asked_to(root, load, caplog):
    whole = load(root)
    files = [FILES[row] for row in ROWS["train"] + ROWS["valid"] + ROWS["test"]]
    gone = [FILES[i] for i in (1, 4, 8)]
    for file in gone:
        (root / "img_align_celeba" / file).unlink()
    with pytest.raises(DataError, match=r"\b3 images \(000002\.jpg, .*--skip-missing true.*\b7\b"):
        load(root)
    kept = [i for i, file in enumerate(files) if file not in gone]
    part = load(root, skip_missing=True)
    np.testing.assert_array_equal(part.pixels, whole.pixels[kept])
    assert part.labels.tolist() == whole.labels[kept].tolist()
    assert part.fingerprint != whole.fingerprint
    load(root, "train", skip_missing=True)
    (told,) = [record.message for record in caplog.records if "left out" in record.message]  # not for each split
    assert "7 of 10 images loaded; left out: 3 images (000002.jpg, 000005.jpg, 000009.jpg)" in told
    with pytest.raises(DataError, match=r"'test'.*train 5, valid 2, test 0"):
        load(root, "test", skip_missing=True)


def test_skip_missing_changes_nothing_where_all_are_there_and_does_not_load_nothing(root, load, caplog):
    assert load(root).fingerprint == load(root, skip_missing=True).fingerprint
    assert not caplog.records
    shutil.rmtree(root / "img_align_celeba")
    (root / "img_align_celeba").mkdir()
    with pytest.raises(DataError, match=r"lists 10 images"):
        load(root, skip_missing=True)


def test_all_broken_images_are_counted_at_once(root, load):
    for row in (9, 3, 6, 2, 5):
        file = root / "img_align_celeba" / FILES[row]
        file.write_bytes(file.read_bytes()[:-700] if row % 2 else b"")
    told = r"/000003\.jpg: .*\b5 images \(000003\.jpg, 000004\.jpg, 000006\.jpg, \.\.\.\) of 10\b"
    for _ in range(2):  # no cache is left of the first time
        with pytest.raises(DataError, match=told):
            load(root)


def test_after_very_many_broken_images_the_others_are_not_tried(root, load, monkeypatch):
    monkeypatch.setattr("causalcf.data.imagefiles._MOST_BROKEN", 3)
    monkeypatch.setattr("causalcf.data.cache._CHUNK", 1)
    for file in FILES:
        (root / "img_align_celeba" / file).write_bytes(b"")
    with pytest.raises(DataError, match=r"\bat least [3-9] images \(.*\) of 10\b"):
        load(root)


def test_the_cache_of_an_earlier_decoder_is_not_used(root, load, monkeypatch):
    """It held 16 bits in white and transparency in black, under the same names and times."""
    keys = []

    def open_cache(folder, key, shape, produce, *rest, **more):
        keys.append(key)
        return produce(0, shape[0])

    monkeypatch.setattr("causalcf.data.imagefiles.open_cache", open_cache)
    load(root)
    assert keys[0]["decoder"] == 2


def test_spaces_around_names_and_values_of_both_tables_are_no_part_of_them(tmp_path, load):
    write_celeba(tmp_path / "c", "kaggle")
    usual = load(tmp_path / "c")
    for table in ("list_attr_celeba.csv", "list_eval_partition.csv"):
        text = (tmp_path / "c" / table).read_text()
        (tmp_path / "c" / table).write_text(text.replace(",", " , "))
    spaced = load(tmp_path / "c")
    assert (spaced.names, spaced.labels.tolist()) == (usual.names, usual.labels.tolist())
    np.testing.assert_array_equal(spaced.pixels, usual.pixels)


def test_a_table_merged_with_the_partition_needs_no_other(tmp_path, load):
    write_celeba(tmp_path / "c", "kaggle")
    data, table = load(tmp_path / "c", "valid"), tmp_path / "c" / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    merged = [head + ",Partition", *(f"{row},{PARTITION[i]}" for i, row in enumerate(rows))]
    table.write_text("\n".join(merged))
    (tmp_path / "c" / "list_eval_partition.csv").unlink()
    assert (load(tmp_path / "c", "valid").fingerprint, data.names) == (data.fingerprint, NAMES)


@pytest.mark.parametrize(
    ("short", "culprit"),
    [
        ("list_eval_partition.txt", r"list_eval_partition\.txt .*000010\.jpg.*list_attr"),
        ("list_attr_celeba.txt", r"list_attr_celeba\.txt .*000010\.jpg.*list_eval"),
    ],
)
def test_a_missing_row_is_named(root, load, short, culprit):
    lines = (root / short).read_text().splitlines(keepends=True)[:-1]
    (root / short).write_text("".join(lines).replace("10\n", "9\n", 1) if "attr" in short else "".join(lines))
    with pytest.raises(DataError, match=culprit):
        load(root)


@pytest.mark.parametrize(
    ("lost", "culprit"),
    [
        ("", r"/celeba\."),
        ("img_align_celeba", r"\bimg_align_celeba/img_align_celeba"),
        ("list_attr_celeba.txt", r"\blist_attr_celeba\.txt, list_attr_celeba\.csv"),
        ("list_eval_partition.txt", r"\blist_eval_partition\.txt"),
    ],
)
def test_what_is_missing_is_said_with_how_to_get_it(root, load, lost, culprit):
    path = root / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError, match=rf"{culprit}.*mmlab\.ie\.cuhk.*non-commercial.*--data-root PATH"):
        load(root)


def test_an_empty_or_unknown_split_is_refused(root, load):
    partition = root / "list_eval_partition.txt"
    partition.write_text(partition.read_text().replace(" 2\n", " 0\n"))
    with pytest.raises(DataError, match=r"'test'.*train 8, valid 2, test 0"):
        load(root, "test")
    with pytest.raises(DataError, match=r"'vaild'.*'valid'"):
        load(root, "vaild")


def test_the_home_folder_is_understood(root, load, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(load(os.path.join("~", "celeba"))) == 10


@pytest.mark.parametrize("agree", [True, False])
def test_a_merged_column_of_splits_must_agree_with_the_partition(tmp_path, load, agree):
    write_celeba(tmp_path / "c", "kaggle")
    (table,) = (tmp_path / "c").rglob("list_attr_celeba.csv")
    header, *rows = table.read_text().splitlines()
    parts = list(PARTITION)
    parts[4] = PARTITION[4] if agree else 0
    table.write_text("\n".join([f"{header},split", *(f"{r},{p}" for r, p in zip(rows, parts, strict=True))]) + "\n")
    if agree:
        assert len(load(tmp_path / "c", "train")) == PARTITION.count(0)
        return
    with pytest.raises(DataError, match=rf"attr.*puts {FILES[4]} into train, .*partition.* into test; remove one"):
        load(tmp_path / "c", "train")


@pytest.mark.parametrize(
    ("crop", "window"), [(148, (15, 35, 163, 183)), (178, (0, 20, 178, 198)), (109, (34, 54, 143, 163))]
)
def test_a_wider_crop_is_central_and_is_other_data(root, load, crop, window):
    usual, wide = load(root), load(root, crop=crop)
    files = [FILES[row] for row in ROWS["train"] + ROWS["valid"] + ROWS["test"]]
    for pixels, file in zip(wide.pixels, files, strict=True):
        decoded = np.asarray(Image.open(root / "img_align_celeba" / file).crop(window))
        assert np.abs(pixels.transpose(1, 2, 0) - area_oracle(decoded, 64)).max() <= 0.5 + 1e-3
    assert wide.fingerprint != usual.fingerprint == load(root, crop=108).fingerprint
    assert wide.labels.tolist() == usual.labels.tolist()


def test_both_crops_keep_their_cache(root, load, monkeypatch):
    load(root), load(root, crop=148)
    monkeypatch.setattr("causalcf.data.imagefiles.read_image", lambda *_: pytest.fail("decoded again"))
    load(root), load(root, crop=148)


@pytest.mark.parametrize("crop", [63, 179, 108.0, "148", True])
def test_a_crop_that_is_no_part_of_the_image_is_refused(root, load, crop):
    with pytest.raises(DataError, match=r"\bcrop\b.*\b64, 178\b"):
        load(root, crop=crop)


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared data not present")
def test_real_images_are_decoded_cropped_and_resized():
    for file in sorted((SHARED / "img_align_celeba").iterdir())[::500]:
        decoded = np.asarray(Image.open(file).crop((35, 55, 143, 163)))
        read = read_image(file, celeba_crop, 64).transpose(1, 2, 0)
        assert np.abs(read - area_oracle(decoded, 64)).max() <= 0.5 + 1e-3

from pathlib import Path

import numpy as np
import pytest
from helpers.image_trees import (
    FILES,
    LABELS,
    NAMES,
    PARTITION,
    attribute_csv,
    attribute_text,
    partition_csv,
    partition_text,
)
from hypothesis import given
from hypothesis import strategies as st

from causalcf.data.tables import SPLITS, read_attributes, read_partition
from causalcf.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", attribute_text()),
        ("a.txt", attribute_text().replace("\n", "\r\n")),
        ("a.csv", attribute_csv()),
        ("a.csv", "\ufeff" + attribute_csv()),
        ("a.csv", attribute_csv().replace("-1", "0")),
        ("a.csv", attribute_csv().replace(",", ";")),
        ("a.csv", "\ufeff\r\n" + attribute_csv().replace(",", "\t ").replace("\n", "\r\n")),
        ("a.csv", attribute_csv().replace("\n", "\r")),
        ("a.csv", attribute_csv().replace("-1", "False").replace(",1", ",True")),
        ("a.csv", attribute_csv().replace("-1", "0.0").replace(",1", ", 1.0 ")),
        ("a.csv", attribute_csv().replace("\n", "\n,,,\n \n")),
        ("a.csv", attribute_csv().replace("Male", ' "Male" ').replace("000003.jpg", '"000003.jpg"')),
    ],
    ids=[
        "text", "text with CRLF", "Kaggle's CSV", "CSV with a byte-order mark", "CSV of 0/1", "semicolons",
        "tabs, spaces, mark, CRLF", "CR", "truth values", "floats", "blank rows", "quotes",
    ],
)  # fmt: skip
def test_every_format_gives_the_same_table(tmp_path, name, text):
    table = read_attributes(write(tmp_path, name, text))
    assert (table.files, table.names, table.splits) == (FILES, NAMES, None)
    assert table.values.dtype == np.int8
    np.testing.assert_array_equal(table.values, LABELS)


def test_a_split_column_is_no_attribute(tmp_path):
    text = "file,Bald,split,Male\na.png,1,train,0\n" + '"b, too.png",0,test,1\n'
    table = read_attributes(write(tmp_path, "labels.csv", text))
    assert (table.files, table.names, table.splits) == (("a.png", "b, too.png"), ("Bald", "Male"), ("train", "test"))
    assert table.values.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("column", ["split", "partition", "Split", "PARTITION", " Partition "])
@pytest.mark.parametrize(
    "words", [("0", "1", "2"), ("train", "val", "test"), ("TRAIN", "Validation", " Test "), ("0.0", "1", "2.0")]
)
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_a_column_of_splits_is_followed_however_it_is_spelled(tmp_path, column, words, suffix):
    if suffix == "csv":
        rows = [f"{i}.png,{i % 2},{word},1" for i, word in enumerate(words)]
        text = "\n".join([f"file,Bald,{column},Male", *rows])
    else:
        text = "\n".join(["3", f"Bald {column} Male", *(f"{i}.png {i % 2} {word} 1" for i, word in enumerate(words))])
    table = read_attributes(write(tmp_path, f"a.{suffix}", text))
    assert (table.names, table.splits) == (("Bald", "Male"), SPLITS)
    assert table.values.tolist() == [[0, 1], [1, 1], [0, 1]]


@pytest.mark.parametrize("value", ["3", "-1", "", "vaild", "dev", "true"])
def test_any_other_split_is_refused_by_row_and_value(tmp_path, value):
    text = f"file,Bald,partition\na.png,1,0\nb.png,0,{value}\n"
    with pytest.raises(DataError, match=rf"a\.csv, line 3: .*'{value}'.*0, 1, 2, train"):
        read_attributes(write(tmp_path, "a.csv", text))


@pytest.mark.parametrize(
    "columns",
    ["split,Partition", "Fold,Bald", "Bald,is_train", "SET,Bald", "subset,split", "train,Bald", "Bald,isTest",
     "train_test_split,Bald", "Bald,data-split", "dataset,Bald", "validation,split"],
)  # fmt: skip
def test_columns_that_may_be_splits_are_refused_by_name(tmp_path, columns):
    culprit = next(name for name in columns.split(",") if name not in ("split", "Bald"))
    with pytest.raises(DataError, match=rf"a\.csv, line 1: column '{culprit}'.*'split'"):
        read_attributes(write(tmp_path, "a.csv", f"file,{columns}\na.png,1,1\n"))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20), st.sampled_from(["0", "-1"]))
def test_what_is_written_is_read(tmp_path_factory, rows, no):
    lines = [f"{i}.png,{','.join('1' if v else no for v in row)}" for i, row in enumerate(rows)]
    table = read_attributes(write(tmp_path_factory.mktemp("t"), "t.csv", "\n".join(["f,A,B", *lines])))
    assert table.values.tolist() == [[int(a), int(b)] for a, b in rows]


@pytest.mark.parametrize(
    ("name", "text", "culprit"),
    [
        ("a.txt", attribute_text().replace("10\n", "11\n", 1), r"\b11\b.*\b10\b"),
        ("a.txt", attribute_text()[3:], r"line 1\b.*'Bald Male Young'"),
        ("a.txt", "", r"line 1\b.*''"),
        ("a.txt", "0\nBald\n", r"no rows"),
        ("a.txt", attribute_text().replace("000004.jpg", "000003.jpg"), r"line 6\b.*000003\.jpg.*line 5\b"),
        ("a.txt", attribute_text().replace("000003.jpg -1", "000003.jpg"), r"line 5\b.*000003\.jpg.*\b3\b.*\b4\b"),
        ("a.txt", attribute_text().replace("000003.jpg", "000003.jpg 1"), r"line 5\b.*000003\.jpg.*\b5\b.*\b4\b"),
        ("a.txt", attribute_text().replace("000003.jpg -1", "000003.jpg  7"), r"line 5\b.*'Bald'.*'7'"),
        ("a.txt", attribute_text().replace("Male", "Bald"), r"line 2\b.*'Bald'"),
        (
            "a.txt",
            attribute_text().replace("000003.jpg -1", "000003.jpg  0"),
            r"\b0 and -1\b.*line 5\b.*'Bald'",
        ),
        ("a.csv", attribute_csv().replace("000003.jpg,-1", "000003.jpg,"), r"line 4\b.*'Bald'.*''"),
        ("a.csv", attribute_csv().replace("000003.jpg,-1", "000003.jpg"), r"line 4\b.*000003\.jpg.*\b3\b.*\b4\b"),
        ("a.csv", attribute_csv().replace(",", "|"), r"line 1\b.*'image_id\|Bald\|Male\|Young'"),
        ("a.csv", attribute_csv().split("\n", 1)[1], r"line 1\b.*\bheader\b.*'000001\.jpg'"),
        ("a.csv", "a.WEBP,1\nb.webp,0\n", r"line 1\b.*\bheader\b.*'a\.WEBP'"),
        ("a.txt", attribute_text().replace("Bald Male Young \n", ""), r"line 2\b.*\bheader\b.*'000001\.jpg'"),
        ("a.csv", ",file,Bald\n0,a.png,1\n", r"line 1\b.*\bname.*\b1\b"),
        ("a.csv", "file,Bald\na.png,1\n,0\n", r"line 3\b.*\bfile name"),
        ("a.csv", "file,Bald\na.png,Yes\n", r"line 2\b.*'Bald'.*'Yes'.*\btrue and false\b"),
        ("a.csv", "file,phase\na.png,train\n", r"line 2\b.*'phase'.*'train'.*'split'"),
        ("a.csv", "file\na.png\n", r"line 1\b.*'file'"),
        ("a.csv", "file,Bald\n\n", r"no rows"),
        ("a.csv", attribute_csv().replace("Male", ""), r"line 1\b.*\bname"),
        ("a.csv", "file,split\na.png,train\n", r"no attribute columns"),
        (
            "a.csv",
            "file,A,split\na.png,1,train\nb.png,1,vaild\n",
            r"line 3\b.*'vaild'.*'valid'",
        ),
        ("a.csv", "", r"line 1\b.*''"),
    ],
)
def test_a_malformed_table_is_refused_by_file_and_line(tmp_path, name, text, culprit):
    with pytest.raises(DataError, match=rf"(?s)a\.(txt|csv).*{culprit}"):
        read_attributes(write(tmp_path, name, text))


@pytest.mark.parametrize("read", [read_attributes, read_partition])
def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path, read):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xd8\xff\xe0" * 100)
    with pytest.raises(DataError, match=r"binary\.csv.*UTF-8"):
        read(tmp_path / "binary.csv")
    with pytest.raises(DataError, match=r"absent\.txt.*No such file"):
        read(tmp_path / "absent.txt")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.txt", partition_text()),
        ("p.csv", partition_csv()),
        ("p.csv", partition_csv().split("\n", 1)[1]),
        ("p.txt", "image_id partition\n" + partition_text()),
        ("p.csv", partition_csv().replace(",", ";").replace("partition", "Split")),
        ("p.csv", "\ufeff" + partition_csv().replace(",2", ",Test").replace("\n", "\r\n")),
    ],
)
def test_partition(tmp_path, name, text):
    splits = read_partition(write(tmp_path, name, text))
    assert splits == dict(zip(FILES, [SPLITS[p] for p in PARTITION], strict=True))


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        (partition_text().replace("000005.jpg 2", "000005.jpg 3"), r"line 5\b.*'3'.*0, 1, 2"),
        (partition_text().replace("000005.jpg 2", "000005.jpg"), r"line 5\b.*000005\.jpg.*\b1\b.*\b2\b"),
        (partition_text().replace("000005.jpg", "000002.jpg"), r"line 5\b.*000002\.jpg.*line 2\b"),
        (partition_text().replace("000001.jpg 0", "000001.jpg 7"), r"line 1\b.*'7'.*0, 1, 2"),
    ],
)
def test_a_malformed_partition_is_refused_by_file_and_line(tmp_path, text, culprit):
    with pytest.raises(DataError, match=rf"p\.txt, {culprit}"):
        read_partition(write(tmp_path, "p.txt", text))


@pytest.mark.skipif(not (SHARED / "celeba").is_dir(), reason="shared data not present")
def test_the_real_tables_agree_with_an_independent_copy():
    table = read_attributes(SHARED / "celeba" / "list_attr_celeba.txt")
    splits = read_partition(SHARED / "celeba" / "list_eval_partition.txt")
    assert list(splits) == list(table.files)
    assert {s: list(splits.values()).count(s) for s in SPLITS} == {"train": 12_000, "valid": 2_000, "test": 0}

    full = np.load(SHARED / "celeba_attributes.npz")
    rows = [int(Path(file).stem) - 1 for file in table.files]
    assert table.names == tuple(full["names"].tolist())
    np.testing.assert_array_equal(table.values, np.unpackbits(full["attr"][rows], axis=1)[:, :40])
    assert [splits[file] for file in table.files] == [SPLITS[p] for p in full["partition"][rows]]


@pytest.mark.parametrize("name", ["Trained", "Sunset", "Blood_Test", "Is_Data_Scientist", "Indian", "1"])
def test_a_label_that_holds_a_word_of_splits_is_a_label(tmp_path, name):
    assert read_attributes(write(tmp_path, "a.csv", f"file,Bald,{name}\na.png,1,1\n")).names == ("Bald", name)

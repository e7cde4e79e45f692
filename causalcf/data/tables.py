"""Attribute tables and partitions: CelebA's text files, Kaggle's CSV, a plain CSV.
They are read row by row, so that every error names its line.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from ..errors import DataError, unknown

SPLITS = ("train", "valid", "test")
"""Names of CelebA's partitions 0, 1 and 2."""
SPLIT_COLUMNS = ("split", "partition")
"""Columns, in any capitals, that say the split of each image; they are no attributes."""
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".avif"))
"""Files that count as images when a folder is searched for images the table does not know."""

_MAX_BYTES = 2**27  # five times CelebA's table
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Words of which the name of a column of splits is made, or of a membership of 0/1: "train_test_split", "isTrain".
_UNCLEAR = re.compile(
    "(?:is|in|data|dev|eval|folds?|holdout|partitions?|set|splits?|subset|test|testing|train|training|val|valid"
    "|validation|[^a-z])+"
)
_SPLIT_OF = {**dict(zip("012", SPLITS, strict=True)), **{s: s for s in SPLITS}, "val": "valid", "validation": "valid"}
# "no" keeps its two spellings apart until the whole table is read; pandas writes floats and truth values.
_CODES = {"0": 0, "1": 1, "-1": 2, "0.0": 0, "1.0": 1, "-1.0": 2, "false": 0, "true": 1}
_Row = tuple[int, list[str]]  # line number, fields


@dataclass(frozen=True)
class AttributeTable:
    """Attribute table: file names, attribute names, values (files, names) int8 0/1, optional splits."""

    path: Path
    files: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray
    splits: tuple[str, ...] | None = None


def read_attributes(path: str | Path) -> AttributeTable:
    """Read an attribute table, as CSV (`*.csv`) or in CelebA's text format; "no" is 0 or -1."""
    path = Path(path)
    read = _read_csv if path.suffix.lower() == ".csv" else _read_text
    with _open(path) as stream:
        return read(path, stream)


def read_partition(path: str | Path) -> dict[str, str]:
    """Read CelebA's partition; return {file name: "train", "valid" or "test"} in file order."""
    path = Path(path)
    splits: dict[str, str] = {}
    lines = _Lines(path)
    with _open(path) as stream:
        rows = _csv_rows(stream) if path.suffix.lower() == ".csv" else _text_rows(stream)
        for number, (line, fields) in enumerate(rows):
            if number or _names_image(fields[0]) or fields[1:2] in (["0"], ["1"], ["2"]):  # no header
                lines.check(line, fields, 2)
                splits[fields[0].strip()] = _split(path, line, fields[1])
    return splits


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    """Open a table; errors in its size, its encoding or its quotes name the file."""
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read the table {path}: no regular file")
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"the table {path} is larger than {_MAX_BYTES // 2**20} MiB, the most that is read")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except OSError as error:
        raise DataError(f"cannot read the table {path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a text table in UTF-8: {error}") from error


def _csv_rows(stream: TextIO) -> Iterator[_Row]:
    """Yield the rows that are not blank; they are separated by commas, or else as spreadsheets export them."""
    first = next((text for text in stream if text.strip()), "")
    stream.seek(0)
    delimiter = next((mark for mark in ",;\t" if mark in first), ",")
    reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=True)
    return ((reader.line_num, fields) for fields in reader if any(map(str.strip, fields)))


def _text_rows(stream: TextIO) -> Iterator[_Row]:
    split = ((line, text.split()) for line, text in enumerate(stream, start=1))
    return ((line, fields) for line, fields in split if fields)


def _read_csv(path: Path, stream: TextIO) -> AttributeTable:
    rows = _csv_rows(stream)
    line, header = next(rows, (1, []))
    header = [name.strip() for name in header]
    if len(header) < 2:
        raise DataError(
            f"{path}, line {line}: expected a header of the file name's column and one column per attribute, "
            f"separated by commas, but found {','.join(header)!r}"
        )
    _check_names(path, line, header)
    return _read_rows(path, line, header[1:], rows)


def _split(path: Path, line: int, value: str) -> str:
    split = _SPLIT_OF.get(value.strip().lower().removesuffix(".0"))
    if split is None:
        raise DataError(f"{path}, line {line}: " + unknown("split", value, _SPLIT_OF))
    return split


def _read_text(path: Path, stream: TextIO) -> AttributeTable:
    rows = _text_rows(stream)
    line, count = next(rows, (1, []))
    if len(count) != 1 or not count[0].isdecimal() or len(count[0]) > 18:
        raise DataError(f"{path}, line {line}: expected the number of images alone, found {' '.join(count)[:60]!r}")
    line, header = next(rows, (2, []))
    _check_names(path, line, header)
    table = _read_rows(path, line, header, rows)
    if len(table.files) != int(count[0]):
        raise DataError(f"{path}: its first line promises {count[0]} rows, but there are {len(table.files)}")
    return table


def _refuse_controls(path: Path, line: int, name: str) -> None:
    """Check that a name holds no line break or other control character."""
    if _CONTROL.search(name):
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise DataError(f"{path}, line {line}: the name {shown!r} holds a line break or another control character")


def _names_image(name: str) -> bool:
    return Path(name.strip()).suffix.lower() in SUFFIXES


def _check_names(path: Path, line: int, header: Sequence[str]) -> None:
    for name in header:
        _refuse_controls(path, line, name)
    if not header or "" in header:
        raise DataError(f"{path}, line {line}: a column has no name{' (column 1)' * (header[:1] == [''])}")
    only_values = all(name in _CODES for name in header[1:])
    if _names_image(header[0]) or (only_values and os.path.isfile(path.parent / header[0])):
        raise DataError(
            f"{path}, line {line}: expected a header, the names of the columns such as image_id, Male and Smiling, "
            f"but found the row of an image, {header[0]!r}"
        )
    repeated = sorted(name for name, times in Counter(header).items() if times > 1)
    if repeated:
        raise DataError(f"{path}, line {line}: column {repeated[0]!r} occurs more than once")


def _split_column(path: Path, line: int, names: Sequence[str]) -> int | None:
    found = [column for column, name in enumerate(names) if name.lower() in SPLIT_COLUMNS]
    rest = [name for column, name in enumerate(names) if column not in found[:1]]
    unclear = [
        name for name in rest if name.isascii() and _UNCLEAR.fullmatch(name.lower()) and name.upper() != name.lower()
    ]
    if unclear:
        raise DataError(
            f"{path}, line {line}: column {unclear[0]!r} may say which images are for training; call that column "
            f"'split', with {', '.join(SPLITS)}, or rename this one if it is an attribute"
        )
    return found[0] if found else None


def _read_rows(path: Path, line: int, names: Sequence[str], rows: Iterator[_Row]) -> AttributeTable:
    """Read the rows below a header of these names, of which one may be a column of splits."""
    at, width, splits = _split_column(path, line, names), len(names) + 1, []
    names = [name for column, name in enumerate(names) if column != at]
    if not names:
        raise DataError(f"{path}: no attribute columns")
    lines = _Lines(path)
    codes = bytearray()
    for line, fields in rows:
        lines.check(line, fields, width)
        if at is not None:
            splits.append(_split(path, line, fields.pop(at + 1)))
        try:
            codes += bytes(map(_CODES.__getitem__, fields[1:]))
        except KeyError:
            for name, value in zip(names, fields[1:], strict=True):
                if value.strip().lower() not in _CODES:
                    allowed = "allowed: 1 and 0, 1 and -1, or true and false"
                    hint = "; call a column of splits 'split'" * (value.strip().lower() in _SPLIT_OF)
                    raise DataError(f"{path}, line {line}, column {name!r}: value {value!r}; {allowed}{hint}") from None
                codes.append(_CODES[value.strip().lower()])
    if not lines.of:
        raise DataError(f"{path}: no rows")
    values = np.frombuffer(codes, np.uint8).reshape(-1, len(names))
    _check_one_spelling(path, names, values, list(lines.of.values()))
    return AttributeTable(path, tuple(lines.of), tuple(names), (values == 1).astype(np.int8), tuple(splits) or None)


def _check_one_spelling(path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int]) -> None:
    """Check that 0 and -1 do not both occur: one of them may mean "unknown"."""
    minus, zero = values == _CODES["-1"], values == _CODES["0"]
    if minus.any() and zero.any():
        rarer, value = (minus, -1) if minus.sum() <= zero.sum() else (zero, 0)
        row, column = np.argwhere(rarer)[0]
        raise DataError(
            f"{path}: both 0 and -1 occur, so what they mean is unclear; allowed: 1 and 0, or 1 and -1. "
            f"The first {value} is in line {lines[row]}, column {names[column]!r}"
        )


class _Lines:
    """First line of each image; checks the width of each row and that no image occurs twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.of: dict[str, int] = {}

    def check(self, line: int, fields: Sequence[str], width: int) -> None:
        _refuse_controls(self.path, line, fields[0])
        if len(fields) != width:
            raise DataError(f"{self.path}, line {line} ({fields[0]}): {len(fields)} columns, expected {width}")
        if not fields[0].strip():
            raise DataError(f"{self.path}, line {line}: the row has no file name")
        first = self.of.setdefault(fields[0], line)
        if first != line:
            raise DataError(f"{self.path}, line {line}: {fields[0]} is already in line {first}")

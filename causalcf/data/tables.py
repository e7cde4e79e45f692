"""Attribute tables and partitions: CelebA's text files, Kaggle's CSV, a plain CSV.
They are read row by row, so that every error names its line.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np

from ..errors import DataError, unknown

SPLITS = ("train", "valid", "test")
"""Names of CelebA's partitions 0, 1 and 2."""

_MAX_BYTES = 2**27  # five times CelebA's table
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPLIT_COLUMN = "split"
_CODES = {"0": 0, "1": 1, "-1": 2}  # "no" keeps both spellings apart until the whole table is read
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
    by_number = {str(number): name for number, name in enumerate(SPLITS)}
    splits: dict[str, str] = {}
    lines = _Lines(path)
    with _open(path) as stream:
        is_csv = path.suffix.lower() == ".csv"
        rows = _csv_rows(stream) if is_csv else _text_rows(stream)
        if is_csv:
            next(rows, None)  # image_id,partition
        for line, fields in rows:
            lines.check(line, fields, 2)
            if fields[1] not in by_number:
                raise DataError(f"{path}, line {line}: " + unknown("partition", fields[1], by_number))
            splits[fields[0]] = by_number[fields[1]]
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
    reader = csv.reader(stream, skipinitialspace=True)
    return ((reader.line_num, fields) for fields in reader if fields)


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
    at = header.index(_SPLIT_COLUMN) if _SPLIT_COLUMN in header[1:] else None
    if at is None:
        return _read_rows(path, header[1:], rows)
    splits: list[str] = []
    names = [name for column, name in enumerate(header) if column not in (0, at)]
    table = _read_rows(path, names, _without_split(path, rows, at, splits))
    return replace(table, splits=tuple(splits))


def _without_split(path: Path, rows: Iterator[_Row], at: int, splits: list[str]) -> Iterator[_Row]:
    """Yield the rows without the column `at`; check its values and append them to `splits`."""
    for line, fields in rows:
        if len(fields) > at:  # a shorter row is refused by its reader
            split = fields.pop(at).strip()
            if split not in SPLITS:
                raise DataError(f"{path}, line {line}: " + unknown("split", split, SPLITS))
            splits.append(split)
        yield line, fields


def _read_text(path: Path, stream: TextIO) -> AttributeTable:
    rows = _text_rows(stream)
    line, count = next(rows, (1, []))
    if len(count) != 1 or not count[0].isdecimal() or len(count[0]) > 18:
        raise DataError(f"{path}, line {line}: expected the number of images alone, found {' '.join(count)[:60]!r}")
    line, header = next(rows, (2, []))
    _check_names(path, line, header)
    table = _read_rows(path, header, rows)
    if len(table.files) != int(count[0]):
        raise DataError(f"{path}: its first line promises {count[0]} rows, but there are {len(table.files)}")
    return table


def _refuse_controls(path: Path, line: int, name: str) -> None:
    """Check that a name holds no line break or other control character."""
    if _CONTROL.search(name):
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise DataError(f"{path}, line {line}: the name {shown!r} holds a line break or another control character")


def _check_names(path: Path, line: int, header: Sequence[str]) -> None:
    for name in header:
        _refuse_controls(path, line, name)
    if not header or "" in header:
        raise DataError(f"{path}, line {line}: a column has no name")
    repeated = sorted(name for name, times in Counter(header).items() if times > 1)
    if repeated:
        raise DataError(f"{path}, line {line}: column {repeated[0]!r} occurs more than once")


def _read_rows(path: Path, names: Sequence[str], rows: Iterator[_Row]) -> AttributeTable:
    if not names:
        raise DataError(f"{path}: no attribute columns")
    lines = _Lines(path)
    codes = bytearray()
    for line, fields in rows:
        lines.check(line, fields, len(names) + 1)
        try:
            codes += bytes(map(_CODES.__getitem__, fields[1:]))
        except KeyError:
            name, value = next((n, v) for n, v in zip(names, fields[1:], strict=True) if v not in _CODES)
            allowed = "allowed: 1 and 0, or 1 and -1"
            raise DataError(f"{path}, line {line}, column {name!r}: value {value!r}; {allowed}") from None
    if not lines.of:
        raise DataError(f"{path}: no rows")
    values = np.frombuffer(codes, np.uint8).reshape(-1, len(names))
    _check_one_spelling(path, names, values, list(lines.of.values()))
    return AttributeTable(path, tuple(lines.of), tuple(names), (values == 1).astype(np.int8))


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
        first = self.of.setdefault(fields[0], line)
        if first != line:
            raise DataError(f"{self.path}, line {line}: {fields[0]} is already in line {first}")

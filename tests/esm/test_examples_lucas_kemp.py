"""The example prints every published case, and the nested answer exactly where it parts from the joint one."""

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "examples" / "lucas_kemp_2015.py"

# story, antecedent, s, variable -> joint, nested or "" where they agree; published cases and those worked out by hand
# in test_esm.py
EXPECTED = {
    ("bacon", "observe S*=0", "0", "B*"): (".4737", ""),
    ("bacon", "observe S*=0", "0.5", "B*"): (".4872", ""),
    ("bacon", "observe S*=0", "0.53", "B*"): (".4880", ""),
    ("bacon", "observe S*=0", "0.9", "B*"): (".4975", ""),
    ("bacon", "do S*=0", "0.5", "B*"): (".9500", ""),
    ("1", "observe A*=0", "0.53", "B*"): (".5770", ""),
    ("2", "observe B*=0", "0.53", "A*"): (".1381", ""),
    ("2", "observe B*=0", "0.53", "C*"): (".0000", ""),
    ("3", "observe A*=0", "0.53", "B*"): (".5770", ""),
    ("3", "observe A*=0", "0.53", "C*"): (".5770", ""),
    ("4", "observe C*=1", "0.53", "A*"): (".6341", ""),
    ("4", "observe C*=1", "0.53", "B*"): (".6341", ""),
    ("4", "observe C*=1", "0.53", "D*"): ("1.0000", ""),
    ("5", "observe C*=0", "0.53", "A*"): (".0000", ""),
    ("5", "observe C*=0", "0.53", "B*"): (".4289", ".3161"),
    ("5", "observe C*=0", "0.53", "D*"): (".0000", ""),
    ("6", "observe B*=1", "0.53", "A*"): (".7297", ""),
    ("6", "observe B*=1", "0.53", "C*"): (".4230", ""),
}


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("lucas_kemp_2015", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_printed_table(example, capsys):
    example.main()
    printed, story = {}, ""
    for line in capsys.readouterr().out.splitlines():
        if not line.startswith("│"):
            continue
        title, _, antecedent, s, variable, published, joint, nested = (cell.strip() for cell in line.split("│")[1:-1])
        story = title.split()[0] if title else story
        printed[story, antecedent, s, variable] = (joint.removeprefix("0"), nested.removeprefix("0"))
        if published:
            digits = len(published.partition(".")[2])
            assert f"{float(joint):.{digits}f}" in (published, "0" + published)
    assert printed == EXPECTED


def test_published_column(example):
    """Six predictions of the paper stand beside ours, and ours round to them."""
    rows = [row for row in example.answers() if row.published]
    assert [row.published for row in rows] == [".487", ".577", ".138", "0", ".577", ".577"]
    for row in rows:
        digits = len(row.published.partition(".")[2])
        assert round(row.joint, digits) == float(row.published)

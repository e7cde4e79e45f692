"""Lists of statements from YAML, and those that are shipped."""

import configparser
import re
from pathlib import Path

import pytest

import causalcf as cf
from causalcf.data.faces.units import celeba_scm
from causalcf.errors import StatementError
from causalcf.io.yaml import preset_folder
from causalcf.language.conflicts import check_statements
from causalcf.language.lists import STATEMENT_FOLDER, load_statements
from causalcf.language.statement import Statement

FILE = preset_folder(STATEMENT_FOLDER) / "celeba.yaml"
TOLD = re.compile(r"^  ([a-z-]+): .*# q = (\d?\.\d{4}), (true|false)$")
MIGHT = Statement({"Male": 1}, {"Young": 0}, "might", {"Bald": 1}, "observe")


def test_a_preset_is_found_by_name_and_by_path_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_statements("celeba") == load_statements("eval/statements/celeba.yaml") == load_statements(FILE)
    assert cf.load_statements is load_statements


def test_what_is_told_of_each_shipped_statement_is_so():
    told = [TOLD.match(line).groups() for line in FILE.read_text().splitlines() if " If " in line]
    found = check_statements(load_statements("celeba"), celeba_scm())
    assert [one.name for one in found] == [name for name, *_ in told]
    for one, (name, q, value) in zip(found, told, strict=True):
        assert f"{one.truth.probability:.4f}" == f"{float(q):.4f}", name
        assert (one.truth.value is True) == (value == "true"), name


def test_half_of_the_shipped_statements_are_true_on_links_and_off_them_without_conflict():
    law = celeba_scm()
    found = check_statements(load_statements("celeba"), law)
    assert not any(one.conflicts or one.truth.vacuous for one in found)
    linked = []
    for one in found:
        (cause, *_), (effect, *_) = one.statement.antecedent, one.statement.consequent
        linked.append(cause in law.graph.parents(effect))
    assert linked == [True] * 12 + [False] * 6
    values = [one.truth.value for one in found]
    assert sum(values[:12]) == 6 and sum(values[12:]) == 3


def test_subfolders_of_presets_travel_with_a_wheel():
    root = Path(__file__).parents[2]
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    patterns = config["options.package_data"]["causalcf._shipped.eval"].split()
    nested = [path.relative_to(root / "eval") for path in (root / "eval").glob("*/*")]
    assert nested and all(any(path.match(pattern) for pattern in patterns) for path in nested)


def test_statements_as_mappings(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "statements:\n"
        "  a: {given: {Male: 1}, antecedent: {Young: 0}, modal: might, consequent: {Bald: 1}, mode: observe}\n"
        "  b: If we saw that this man were old, he might be bald.\n"
        "  c: {antecedent: {Scar: 1}, modal: would not, consequent: {Scar: 0}}\n"
        "  d: If someone had a scar, they would not be without a scar.\n"
    )
    found = load_statements(tmp_path / "s.yaml", ["Scar"])
    assert found["a"] == found["b"] == MIGHT and found["c"] == found["d"]


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b"", "empty.*'statements'"),
        (b"- a\n", "a list"),
        (b"statement: {}\n", "'statement'.*'statements'"),
        (b"statements: {}\n", "'statements'"),
        (b"statements: {a: 3}\n", r"\ba: .*statement"),
        (b"statements: {a: if a green man smiled he might be old}\n", r"\ba: .*'green'"),
        (b"statements: {a: {antecedent: {Bald: 1}, modl: might}}\n", r"\ba: .*'modl'.*'modal'"),
        (b"statements: {a: {antecedent: {Bald: 1}, modal: might}}\n", r"\ba: .*'consequent'"),
        (b"statements: {a: {antecedent: {Bald: 1}, consequent: {Bald: 1}}}\n", r"\ba: .*'modal'"),
        (b"statements: {a: {modal: might, consequent: {Bald: 1}}}\n", r"\ba: .*supposed"),
        (b"statements: {a: {antecedent: {Bald: 1}, modal: [x], consequent: {Bald: 1}}}\n", r"\ba: .*\bmodal\b.*'x'"),
        (b"statements: {a: {antecedent: {Bald: 1}, modal: might, consequent: 3}}\n", r"\ba: consequent=3\b"),
        (b"statements:\n  a: x\n  a: y\n", r"line 3\b.*'a'.*line 2\b"),
        (b"statements:\n  a: &b x\n  c: *b\n", r"line 2, column 6\b.*\banchors\b"),
        (b"statements: {a: [\n", "YAML"),
        (b"[" * 5000, r"\b8\b"),
    ],
)
def test_files_that_are_no_list_of_statements(tmp_path, content, culprit):
    (tmp_path / "s.yaml").write_bytes(content)
    with pytest.raises(StatementError, match=rf"s\.yaml: .*{culprit}"):
        load_statements(tmp_path / "s.yaml")


def test_missing_files_name_the_nearest_preset():
    with pytest.raises(StatementError, match=r"'celebb'.*'celeba'"):
        load_statements("celebb")
    with pytest.raises(StatementError):
        load_statements("x" * 5000)

"""Tables of the benchmarks: figures stand beside the run that they are of, and are kept by all that they depend on."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
from helpers.report_toys import approach, small

ROOT = Path(__file__).resolve().parent.parent.parent


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_realism_is_that_of_the_run_asked():
    names = {"dcgan-esm": "plain", "dcgan-statements-esm (one)": "one", "dcgan-statements-esm (two)": "two"}
    asked = [approach(name, "observe", run) for name, run in names.items()]
    keys = {"dcgan": "plain", "dcgan-statements (one)": "one", "dcgan-statements (two)": "two"}
    figures = {"plain": 1.0, "one": 2.0, "two": 3.0}
    realism = {key: {"run": run, "FD(judge)": figures[run]} for key, run in keys.items()}
    report = {**small(), "approaches": asked, "realism": realism}
    summarise = script("summarise_reports")
    assert [summarise.realism(report, name) for name in names] == [1.0, 2.0, 3.0]
    assert summarise.realism(report, "causalgan-do") is None
    assert summarise.realism({**report, "realism": {}}, "dcgan-esm") is None


@pytest.fixture
def experiment(runs, judge_folder, tmp_path, monkeypatch):
    """Asks runs small, and gives what was kept; the runs are one/same and two/same, of other weights."""
    module = script("statement_experiment")
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    monkeypatch.setattr(module, "POOL", 32)
    monkeypatch.setattr(module, "CAUSES", ("Young",))
    (tmp_path / "one.yaml").write_text("statements: {bald: 'If this man were old, he might be bald.'}\n")
    for base, name in (("one", "a"), ("two", "c")):
        shutil.copytree((runs / name / "latest").resolve(), tmp_path / base / "same")
        (tmp_path / base / "latest").symlink_to("same")
        (tmp_path / base / "judge-faces").symlink_to(judge_folder)

    def ask(units, *asked):
        out = tmp_path / "kept.json"
        given = ["--told", str(tmp_path / "one.yaml"), "--units", str(units), "--out", str(out)]
        monkeypatch.setattr(sys, "argv", ["experiment", *(str(tmp_path / one) for one in asked), *given])
        module.main()
        return json.loads(out.read_text())

    return ask


def test_figures_are_kept_by_run_and_question(experiment, capsys):
    first = experiment(8, "one/latest")  # stored under its own name
    (kept,) = first.values()
    assert len(first) == 1 and all(0 <= one["seen"] <= 1 for one in kept["labels"].values())
    assert set(kept["labels"]) >= {"Smiling", "Male", "Bald"} and "Young flipped: Male" in kept["stays"]
    said = capsys.readouterr().out
    assert "share of all images" in said and "held-out images" in said and "stays as it was" in said
    both = experiment(8, "one/same", "two/same")  # of one name, and apart
    assert len(both) == 2 and both.items() > first.items() and capsys.readouterr().out.count('{"bald"') == 1
    assert len(experiment(9, "one/same")) == 3

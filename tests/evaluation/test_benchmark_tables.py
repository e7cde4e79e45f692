"""Tables of the benchmarks: figures stand beside the run that they are of, and are kept by all that they depend on."""

import ast
import importlib.util
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers.report_toys import approach, small
from PIL import Image
from scipy.stats import binomtest

from causalcf.data.faces import true_scm
from causalcf.evaluation.approaches import LabelledApproach
from causalcf.evaluation.inputs import load_inputs, load_runs
from causalcf.graph import CausalGraph
from causalcf.labels.reference import Reference
from causalcf.language.lists import load_statements
from causalcf.runs.loading import load_run

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
        given = ["--statements", str(tmp_path / "one.yaml"), "--units", str(units), "--out", str(out)]
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


def people(stickiness):
    """Cells of people whose images are their labels, which follow the law with noise kept or redrawn."""
    module, law = script("people"), true_scm()
    nodes = law.graph.nodes

    def generate(noise, labels):
        return labels.float()[:, None, :, None].expand(-1, 3, -1, 1).clone()

    run = SimpleNamespace(labels=law, generate=generate, sample_noise=lambda n, draw: torch.rand(n, 3, generator=draw))
    reference = Reference(law, nodes, "truth")
    approach = LabelledApproach("toy-do", "toy", run, nodes, "do", stickiness, "", reference)
    judge = SimpleNamespace(read=lambda images: images[:, 0, :, 0].to(torch.int8))
    inputs = SimpleNamespace(reference=reference, true_graph=law.graph, judge=judge)
    group, told = {"Young": 1, "Male": 1}, load_statements("faces-people-true")
    worlds = approach.actual(20_000, group, torch.Generator().manual_seed(0))
    found = module._cells(inputs, approach, worlds, judge.read(worlds.images), "Young", group, told)
    return module, {(cell["label"], cell["people"][cell["label"]]): cell for cell in found}, found


def test_the_law_itself_makes_no_forbidden_move_and_is_as_far_off_as_its_own_draws():
    module, cells, found = people(1.0)
    assert sum(sum(cell["wrong"]) for cell in found) == 0
    error, least = (sum(cell[key] for cell in found if cell["path"]) for key in ("error", "least"))
    n = sum(cell["n"] for cell in found if cell["path"])
    assert error / n == pytest.approx(least / n, abs=0.005) and error / n > 0.05
    kinds = module.wrong_by_kind({"cells": found})
    assert len(kinds["taught"]) == 3 and len(kinds["no path"]) == 1 and not kinds["other cause"]
    assert all(cells["Bald", 1]["taught"]) and all(cells["Narrow_Eyes", 1]["taught"])
    assert not any(cells["Wearing_Lipstick", 0]["taught"])  # the statement speaks of women
    assert not any(cells["Smiling", 1]["taught"])  # and none of this


def test_people_whose_noise_is_redrawn_move_as_often_as_the_law_says():
    _, cells, _ = people(0.0)
    for label in ("Bald", "Eyeglasses", "Male"):
        wrong = cells[label, 1]["wrong"]
        share = true_scm().probability({label: 1}, do={"Young": 0})  # all noise is new, that of sex too
        assert binomtest(sum(wrong), len(wrong), 1 - share).pvalue > 1e-5
    of_men = true_scm().probability({"Bald": 1}, do={"Young": 0, "Male": 1})
    wrong = cells["Bald", 1]["wrong"]
    assert binomtest(sum(wrong), len(wrong), 1 - of_men).pvalue < 1e-5


def test_leaks_of_photographs_and_runs_stand_side_by_side(runs, judge_folder, tmp_path, monkeypatch, capsys):
    module = script("leaks")
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    run = (runs / "a" / "latest").resolve()
    asked = ["leaks", str(run), "--judge", str(judge_folder), "--photos", "60", "--plot", str(tmp_path / "leaks.png")]
    monkeypatch.setattr(sys, "argv", asked)
    module.main()
    assert (tmp_path / "leaks.png").stat().st_size > 5000
    said = " ".join(capsys.readouterr().out.split())
    assert "│ photographs │" in said and said.count(f"{run.name}, drawn") == said.count(f"{run.name}, set") == 2


def test_labels_go_to_a_run_in_its_own_order(runs, judge_folder, monkeypatch, capsys):
    module, said = script("leaks"), []
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    run = load_run(runs / "a" / "latest", "cpu")
    turned = CausalGraph({name: [] for name in reversed(run.graph.nodes)}, name="turned")

    class Turned:
        """The same run, whose labels are in the opposite order."""

        labels, graph, sample_noise = run.labels, turned, run.sample_noise

        def generate(self, noise, labels):
            return run.generate(noise, labels.flip(1))

    monkeypatch.setattr(sys, "argv", ["leaks", str(run.folder), "--judge", str(judge_folder), "--photos", "60"])
    for asked in (run, Turned()):
        inputs = load_inputs(load_runs([str(run.folder)], "cpu", None), None, str(judge_folder), None, "cpu")
        monkeypatch.setattr(module, "load_inputs", lambda *_, i=inputs, a=asked: replace(i, runs={"run": a}))
        module.main()
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] and "run, set" in said[0]


BENCHMARKS = sorted(ROOT.glob("benchmarks/*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_reads_only_options_that_it_has(path):
    nodes, known, read = list(ast.walk(ast.parse(path.read_text()))), set(), set()
    for node in nodes:
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            named = [part.value for part in node.args if isinstance(part, ast.Constant)]
            dest = next((part.value.value for part in node.keywords if part.arg == "dest"), None)
            long = next((name for name in named if name.startswith("--")), named[0])
            known.add(dest or long.lstrip("-").replace("-", "_"))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "options":
            read.add(node.attr)
    assert not known or read <= known
    assert len(BENCHMARKS) > 10


@pytest.mark.parametrize(("name", "shown"), [("a", r"0\.\d{3} \[.*\(n=360\)"), ("b", r"\d+\.\d\d \(\w+\)|inf|nan")])
def test_each_truncation_has_a_row_of_figures(runs, judge_folder, tmp_path, monkeypatch, capsys, name, shown):
    module = script("truncation")
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    monkeypatch.setattr(module, "SHOWN", 3)
    drawn, run = [], load_run(runs / name / "latest", "cpu")
    generate = type(run).generate
    monkeypatch.setattr(type(run), "generate", lambda self, *given: drawn.append(given) or generate(self, *given))
    sheet = tmp_path / "sheet.png"
    asked = ["truncation", str(run.folder), "--judge", str(judge_folder), "-n", "40", "--at", "1", "0.5"]
    monkeypatch.setattr(sys, "argv", [*asked, "--sheet", str(sheet)])
    module.main()
    (whole, labels), (half, same) = drawn
    assert torch.equal(half, whole / 2) and 0.9 < float(whole.abs().max()) <= 1
    assert labels is same if name == "b" else torch.equal(labels, same)
    said = capsys.readouterr().out
    assert len(re.findall(rf"│ (?:1|0\.5) .*(?:{shown})", said)) == 2 and "data" in said
    with Image.open(sheet) as picture:
        assert picture.size == (3 * 66 + 2, 2 * 66 + 2)


def test_a_run_without_labels_is_compared_by_the_label_that_is_furthest_off():
    module = script("truncation")
    known = torch.tensor([[1, 1], [0, 1], [0, 0], [0, 0]])
    seen = torch.tensor([[1, 1], [1, 0], [1, 0], [0, 0]])
    judge = SimpleNamespace(select=lambda nodes: SimpleNamespace(labels=lambda images: seen))
    run = SimpleNamespace(graph=SimpleNamespace(nodes=("Bald", "Young")))
    assert module.labels_shown(judge, run, None, None, known) == "3.00 (Bald)"
    assert module.labels_shown(judge, run, None, seen, known).startswith("1.000")

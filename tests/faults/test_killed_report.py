"""An evaluation that is killed while it writes its report gives, run again, the whole report and nothing else.

python -m pytest tests/faults/test_killed_report.py            # the writing alone
python -m pytest tests/faults/test_killed_report.py -m slow    # the whole command, twice
"""

import json
import signal
from pathlib import Path

import pytest
from helpers.killing import Killing, plot
from helpers.report_toys import small

from causalcf.eval import main
from causalcf.evaluation.report import plots as figures
from causalcf.evaluation.report.write import write_report
from causalcf.evaluation.session import FOLDER

NAMED, FLUSHED, WRITTEN = "a file taking its name", "a file on its way to the disk", "a part of the report"
PARTS = ("report.html", "report.md", "report.json")  # in the order in which they are written


def held(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def killing(tmp_path_factory):
    return Killing(tmp_path_factory.mktemp("killing"))


def report_of(killing, die):
    plan = killing.plan(die)
    folder = Path(plan["folder"]) / "report"
    folder.mkdir()
    (folder / "faces.png").write_bytes(plot())
    return {**plan, "outcome": small()}


def test_a_report_whose_writing_was_killed_is_written_whole_again(killing, monkeypatch):
    for draw in ("draw_effects", "draw_heat_map"):
        monkeypatch.setattr(figures, draw, plot)  # as dying.py has it
    folder = Path(report_of(killing, None)["folder"]) / "report"
    write_report(folder, small())
    whole = held(folder)
    n = len(whole) - 1  # files are written; faces.png was there
    moments = [(NAMED, n - 2, "before"), (FLUSHED, n - 1, "after"), (NAMED, n, "before")]
    plans = [report_of(killing, die) for die in moments]
    assert killing.run(plans) == [-signal.SIGKILL] * len(plans)
    for plan, written in zip(plans, (0, 1, 2), strict=True):
        folder = Path(plan["folder"]) / "report"
        assert [name for name in PARTS if (folder / name).is_file()] == list(PARTS[:written])
        assert sum(name.endswith(".tmp") for name in held(folder)) == 1
        assert all(whole[name] == content for name, content in held(folder).items() if not name.endswith(".tmp"))
        write_report(folder, small())
        assert held(folder) == whole


@pytest.mark.slow
def test_an_evaluation_killed_at_its_report_gives_the_whole_one_when_run_again(
    killing, runs, judge_folder, monkeypatch
):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))

    def plan_of(die):
        plan = {**killing.plan(die), "cache": str(runs / "cache")}
        flags = ["--link", "Young:Bald", "--half-width", ".09", "--judge", str(judge_folder)]
        flags += ["--run", str(runs / "c" / "latest"), "--out", str(Path(plan["folder"]) / "report")]
        return {**plan, "evaluation": flags}

    def found_in(plan):
        out = Path(plan["folder"]) / "report"
        report = json.loads((out / "report.json").read_text())
        return sorted(path.name for path in out.iterdir()), report["links"], report["axioms"], report["realism"]

    plan = plan_of(None)
    assert killing.run([plan]) == [0], (Path(plan["folder"]) / "log").read_text()
    n = json.loads((Path(plan["folder"]) / "counted.json").read_text())[WRITTEN]
    whole, plan = found_in(plan), plan_of((WRITTEN, n, "before"))
    assert killing.run([plan]) == [-signal.SIGKILL]
    out = Path(plan["folder"]) / "report"
    assert [(out / name).is_file() for name in PARTS] == [True, True, False] and (out / FOLDER).is_dir()
    assert main(plan["evaluation"]) == 0
    assert found_in(plan) == whole

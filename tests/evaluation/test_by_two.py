"""Oracle: one process. Two share out an evaluation and come to the same report, each part of it made once."""

import json

import pytest
from helpers.several_processes import by_two, report, save_reader

from causalcf.classifiers.report import JSON
from causalcf.data.faces import true_scm
from causalcf.evaluation.judge import COUNTS
from causalcf.evaluation.session import FOLDER

SUITE = """
links: ["Young->Bald", "Male->Bald"]
half_width: 0.09
axioms: {axioms}
realism: true
queries: {queries}
faces: 4
statements: {statements}
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """An untrained judge with a report that praises it; its readings are as good as any for being the same."""
    nodes = true_scm().graph.nodes
    folder = save_reader(tmp_path_factory.mktemp("reader") / "untrained", nodes)
    share = {"value": 0.9, "low": 0.8, "high": 0.95}
    counts = {f"true {true}, said {said}": 90 if true == said else 10 for true in (0, 1) for said in (0, 1)}
    scores = {"calibration_error": {"corrected": share}, COUNTS: counts}
    scores |= dict.fromkeys(["accuracy", "balanced_accuracy", "auroc"], share)
    description = {"attributes": dict.fromkeys(nodes, scores), "images": {"scored": {"n": 200, "told": "none"}}}
    (folder / JSON).write_text(json.dumps(description))
    return folder


def arguments(runs, reader, folder, names, axioms):
    suite = folder / "suite.yaml"
    (folder / "said.yaml").write_text("statements: {bald: 'If this man were old, he might be bald.'}")
    (folder / "asked.yaml").write_text("queries: {bald: 'Given a young man, what if he were bald?'}")
    suite.write_text(SUITE.format(axioms=axioms, statements=folder / "said.yaml", queries=folder / "asked.yaml"))
    asked = [str(runs / name / "latest") for name in names]
    common = ["--judge", str(reader), "--classifier", str(reader), "--budget", "3", "--run", *asked]
    return ["--suite", str(suite), *common]


@pytest.mark.parametrize(("names", "axioms"), [("a", "false"), pytest.param("ab", "true", marks=pytest.mark.slow)])
def test_two_processes_report_what_one_does(runs, reader, tmp_path, monkeypatch, names, axioms):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    given = arguments(runs, reader, tmp_path, names, axioms)
    alone, together = tmp_path / "alone", tmp_path / "together"
    whole = report([*given, "--out", str(alone)])
    shares = by_two({"report": (report, ([*given, "--out", str(together)],), ())}, tmp_path)
    made = [share["report"]["made"] for share in shares]
    assert min(map(len, made)) > 1 and sorted(made[0] + made[1]) == sorted(whole["made"])
    first, second = (json.loads((folder / "report.json").read_text()) for folder in (alone, together))
    assert second["provenance"]["processes"] == 2
    for description in (first, second):
        del description["provenance"], description["command"]
    assert first == second and first["links"] and first["queries"] and first["statements"]
    assert pictures(alone) == pictures(together) and not (together / FOLDER).exists()


def pictures(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.png")}

"""`python -m causalcf.eval` end to end on small runs: what it writes, what it refuses, what it does not depend on."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from causalcf.classifiers.storage import load_classifier, save_classifier
from causalcf.cli.command import run as run_command
from causalcf.errors import QueryError, RunError
from causalcf.eval import main, parse_options
from causalcf.evaluation import measure
from causalcf.evaluation.session import FOLDER
from causalcf.evaluation.suite import VERDICTS
from causalcf.io.files import of_weights

LINK_KEYS = {
    *("cause", "effect", "approach", "mode", "stickiness", "given", "held", "n", "units", "relation"),
    *("effect_estimate", "interval", "interval_method", "half_width", "reference", "link_error", "link_error_interval"),
    *("leak", "leak_interval", "p_factual", "p_counterfactual", "p_reference", "p_value", "p_holm", "corrected"),
    *("verdict", "why", "sentence", "picture"),
}


@pytest.fixture(autouse=True)
def cache(runs, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    monkeypatch.setattr("causalcf.evaluation.approaches.ROUND", 64)
    monkeypatch.setattr("causalcf.evaluation.measure.REAL", 100)


def of(runs, *names):
    return [str(runs / name / "latest") for name in names]


def evaluated(out, runs, judge_folder, names, *more):
    """The report of a small evaluation."""
    common = ["--half-width", ".09", "--judge", str(judge_folder), "--classifier", str(judge_folder), "--budget", "3"]
    code = main([*more, "--run", *of(runs, *names), *common, "--out", str(out)])
    return json.loads((out / "report.json").read_text()), code


@pytest.fixture(scope="module")
def everything(runs, judge_folder, tmp_path_factory):
    """One report on all approaches."""
    out = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
        patch.setattr("causalcf.evaluation.approaches.ROUND", 64)
        links = ["--link", "Young->Bald", "--link", "Male:Wearing_Lipstick"]
        return out, evaluated(out, runs, judge_folder, "abc", *links)[0]


def _checkpoints(runs, digests):
    folders = [(runs / name / "latest").resolve() for name in "abc"]
    return [(folder / "checkpoint.pt", digests[folder.name]) for folder in folders]


def test_the_report_holds_what_it_is_documented_to_hold(everything, runs, judge_folder):
    out, report = everything
    names = ["causalgan-do", "causalgan-esm", "dcgan-gaussian", "dcgan-esm", "conditional-do"]
    assert [approach["name"] for approach in report["approaches"]] == names
    assert len(report["links"]) == 2 * len(names) and all(set(link) >= LINK_KEYS for link in report["links"])
    assert {link["verdict"] for link in report["links"]} <= set(VERDICTS)
    assert report["settings"]["n"] == 119 and report["data"]["reference"] == "truth"
    assert set(report) >= {"judge", "graph_fit", "axioms", "realism", "provenance", "queries", "settings", "command"}
    known = report["provenance"]["fingerprints"]
    for file, digest in ((judge_folder / "classifier.pt", known["judge"]), *_checkpoints(runs, known["runs"])):
        assert hashlib.sha256(file.read_bytes()).hexdigest().startswith(digest) and len(digest) == 16
    assert len(known["runs"]) == 3 and len(known["classifiers"]) == 1
    assert report["judge"]["warnings"] and not report["judge"]["independent"]  # the same network sees antecedents
    for name in ("report.html", "report.md"):
        assert "Young" in (out / name).read_text()
    pictures = [link["picture"] for link in report["links"] if link["picture"]]
    assert len(pictures) >= 6 and all((out / picture).stat().st_size > 1000 for picture in pictures)
    assert not (out / FOLDER).exists()


def test_exact_parts_of_the_report(everything):
    _, report = everything
    for link in report["links"]:
        if link["verdict"] != "none":
            assert link["link_error"] == pytest.approx(abs(link["effect_estimate"] - link["reference"]))
            assert link["interval"][0] <= link["effect_estimate"] <= link["interval"][1]
        assert link["units"]["asked"] == link["n"] + link["units"]["unreached"] + link["units"]["impossible"]
        assert (link["leak"] is None) == (link["approach"].startswith("dcgan") or link["n"] == 0)
    same = {link["reference"] for link in report["links"] if link["cause"] == "Male" and link["mode"] == "do"}
    assert len(same) == 1  # approaches with labels are asked about the same people


def test_a_link_does_not_depend_on_what_else_is_asked_nor_on_batch_size(
    everything, runs, judge_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("causalcf.runs.run.CHUNK", 7)
    monkeypatch.setattr("causalcf.evaluation.judge.CHUNK", 11)
    alone, _ = evaluated(tmp_path, runs, judge_folder, "a", "--link", "Young->Bald")
    together = {link["approach"]: link for link in everything[1]["links"] if link["effect"] == "Bald"}
    for link in alone["links"]:
        other = together[link["approach"]]
        for key in ("effect_estimate", "interval", "reference", "leak", "verdict", "n", "corrected"):
            assert link[key] == other[key], key


def test_an_interrupted_evaluation_goes_on(everything, runs, judge_folder, tmp_path, monkeypatch):
    asked, ask = [], measure._links

    def interrupted(evaluation, session, group):
        if len(asked) == 1:
            raise KeyboardInterrupt
        asked.append(group)
        return ask(evaluation, session, group)

    links = ["--link", "Young->Bald", "--link", "Male:Wearing_Lipstick"]
    monkeypatch.setattr(measure, "_links", interrupted)
    assert run_command(lambda: evaluated(tmp_path, runs, judge_folder, "a", *links)[1]) == 130
    assert len(list((tmp_path / FOLDER).iterdir())) == 2 and not (tmp_path / "report.json").exists()
    retrained = tmp_path / "retrained" / judge_folder.name  # another judge in a folder of the same name
    shutil.copytree(judge_folder, retrained)
    judge = load_classifier(judge_folder, "cpu")
    save_classifier(retrained / "classifier.pt", replace(judge, base_rates=(0.5,) * len(judge.base_rates)))
    asked.clear()
    assert run_command(lambda: evaluated(tmp_path, runs, retrained, "a", *links)[1]) == 130
    assert len(asked) == 1  # the first part is not found, and made anew
    asked.clear()
    with monkeypatch.context() as patch:  # a newer causalcf, which may measure otherwise
        patch.setattr("causalcf.evaluation.evaluate.of_code", lambda package: "newer")
        assert run_command(lambda: evaluated(tmp_path, runs, judge_folder, "a", *links)[1]) == 130
    assert len(asked) == 1
    asked.clear()
    monkeypatch.setattr(measure, "_links", lambda *given: asked.append(given) or ask(*given))
    report, _ = evaluated(tmp_path, runs, judge_folder, "a", *links)
    assert len(asked) == 3  # of four
    whole = [link for link in everything[1]["links"] if link["approach"].startswith("causalgan")]
    assert [link["effect_estimate"] for link in report["links"]] == [link["effect_estimate"] for link in whole]


def test_require_is_an_exit_code(runs, judge_folder, tmp_path, capsys):
    report, code = evaluated(
        tmp_path, runs, judge_folder, "c", "--link", "Male:Wearing_Lipstick", "--require", "absent"
    )
    (link,) = report["links"]
    assert code == (0 if link["verdict"] == "absent" else 1)
    other = "respected" if link["verdict"] != "respected" else "weak"
    _, code = evaluated(tmp_path, runs, judge_folder, "c", "--link", "Male:Wearing_Lipstick", "--require", other)
    assert code == 1 and f"not {other}: Male->Wearing_Lipstick by conditional-do" in capsys.readouterr().err


def test_conditions_modes_and_suites(runs, judge_folder, tmp_path):
    suite = tmp_path / "small.yaml"
    suite.write_text(
        'links: ["Male->Bald"]\nmore: [{link: "Young->Male", given: {Bald: 1}, held: {Bald: 1}}]\nshown: []\n'
        "half_width: 0.09\naxioms: true\nrealism: true\nqueries: queries\nfaces: 4\n"
    )
    report, _ = evaluated(tmp_path / "out", runs, judge_folder, "ab", "--suite", str(suite))
    names = [approach["name"] for approach in report["approaches"]]
    assert len(report["links"]) == 2 * len(names) and not any(link["picture"] for link in report["links"])
    assert set(report["axioms"]) == set(names) and set(report["realism"]) == {
        "causalgan",
        "dcgan",
        "the data themselves",
    }
    measures = set(report["realism"]["the data themselves"])
    assert {"FD(judge)", "recall(judge)", "SWD x 1,000, 64 pixels", "power / data, band 6 of 6"} < measures
    assert set(report["realism"]["dcgan"]) == measures | {"views most", "views fewest", "effective images"}
    assert "FD(features) is left out; train its classifier with" in " ".join(report["settings"]["left_out"])
    assert report["axioms"]["causalgan-do"]["composition"]["pixels"]["value"] == 0.0
    assert report["axioms"]["causalgan-do"]["minimality"]["non_descendants"]["value"] is not None
    assert report["axioms"]["causalgan-esm"]["composition"]["pixels"]["value"] > 0
    assert len(report["queries"]) == 6 * len(names) and report["associations"] == []  # Bald descends from Male
    collider = [link for link in report["links"] if link["held"]]
    assert {link["reference"] for link in collider if link["mode"] == "do"} == {0.0}
    suite.write_text("links: ['Smiling->Male']\naxioms: false\nhalf_width: 0.09\n")
    found = evaluated(tmp_path / "f", runs, judge_folder, "c", "--suite", str(suite), "--features", str(judge_folder))
    one = found[0]["realism"]["conditional"]
    assert one["FD(features)"] == one["FD(judge)"] > 0 and one["recall(features)"] == one["recall(judge)"]
    (association,) = found[0]["associations"]
    assert association["low"] <= association["value"] <= association["high"] and association["n"] == one["n"]
    assert one["extractor"] == "judge residual 16, features residual 16" and not found[0]["settings"]["left_out"]
    observed, _ = evaluated(
        tmp_path / "observed",
        runs,
        judge_folder,
        "ac",
        "--link",
        "Young:Bald",
        "--mode",
        "observe",
        "--given",
        "Male=1",
    )
    assert [approach["name"] for approach in observed["approaches"]] == ["causalgan-esm"]
    assert "conditional-do is left out" in " ".join(observed["settings"]["left_out"])
    assert observed["links"][0]["given"] == {"Male": 1} and observed["links"][0]["p_factual"] is not None


def test_statements_alone_and_a_run_that_was_told_some(runs, judge_folder, tmp_path, monkeypatch):
    base = tmp_path / "base"
    for name, copied in (("a", "a"), ("b", "b"), ("a", "told")):
        shutil.copytree((runs / name / "latest").resolve(), base / copied)
    recipe, state = base / "told" / "recipe.yaml", torch.load(base / "told" / "checkpoint.pt", weights_only=True)
    recipe.write_text(recipe.read_text().replace("statements: null", "statements: celeba"))
    description = {"statements": "celeba", "statement_from": 0}
    constrained_by = {"classifier": of_weights(load_classifier(judge_folder, "cpu").network)}
    changed = {**state, "recipe": {**state["recipe"], **description}, "telling": constrained_by}
    torch.save(changed, base / "told" / "checkpoint.pt")
    listed = tmp_path / "mine.yaml"
    listed.write_text(
        "statements:\n  bald: If this man were old, he might be bald.\n"
        "  rare: If this old bald man with glasses were young, he would be bald.\n"
    )
    common = ["--half-width", ".09", "--judge", str(judge_folder), "--classifier", str(judge_folder), "--budget", "3"]
    asked = ["--statements", str(listed), *common]
    assert main([*asked, "--runs-dir", str(base), "--out", str(tmp_path / "out")]) == 0  # the newest of each kind
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    names = ["causalgan-do", "causalgan-esm", "causalgan-statements-do", "causalgan-statements-esm"]
    names += ["dcgan-gaussian", "dcgan-esm"]
    assert [one["name"] for one in report["approaches"]] == names and report["links"] == []
    assert [one["statements"] for one in report["approaches"]] == [None] * 2 + ["celeba"] * 2 + [None] * 2
    assert "the classifier that told was told statements by" in report["judge"]["warnings"][0]
    answers = {(one["approach"], one["name"]): one for one in report["statements"]}
    assert list(answers) == [(approach, name) for approach in names for name in ("bald", "rare")]
    assert "within a budget" in answers["dcgan-esm", "rare"]["why"]  # nobody like that, and no crash
    assert answers["causalgan-do", "bald"]["n"] == 119 and report["title"] == "statements mine"
    same = [answers[f"causalgan{part}-do", "bald"] for part in ("", "-statements")]
    assert same[0]["q_images"] == same[1]["q_images"]  # the same weights, asked about the same people
    assert (tmp_path / "out" / "report.html").read_text().count("If this man were old, he might be bald.") == 1
    monkeypatch.setattr("causalcf.runs.run.CHUNK", 7)
    monkeypatch.setattr("causalcf.evaluation.judge.CHUNK", 11)
    assert main([*asked, "--run", *of(runs, "a"), "--out", str(tmp_path / "again")]) == 0
    again = json.loads((tmp_path / "again" / "report.json").read_text())["statements"]
    assert again == [one for one in report["statements"] if one["approach"] in names[:2]]


def test_two_runs_of_a_kind_are_told_apart_and_asked_about_the_same_people(runs, judge_folder, tmp_path):
    copied = tmp_path / "elsewhere" / (runs / "a" / "latest").resolve().name  # the same name in another folder
    shutil.copytree((runs / "a" / "latest").resolve(), copied)
    suite = tmp_path / "small.yaml"
    suite.write_text('links: ["Male->Bald", "Male:Bald"]\naxioms: false\nhalf_width: 0.09\n')
    arguments = ["--suite", str(suite), "--judge", str(judge_folder), "--out", str(tmp_path / "out"), "--mode", "do"]
    assert main([*arguments, "--run", *of(runs, "a"), str(copied), *of(runs, "b")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (
        len({approach["name"] for approach in report["approaches"]}) == len(report["links"]) == 2
    )  # causalgan-esm by do at 1 is -do
    assert len({link["effect_estimate"] for link in report["links"] if "do" in link["approach"]}) == 1
    assert len(report["realism"]) == 3  # with the data themselves; nobody asks the dcgan by do
    with pytest.raises(RunError, match=r"--run\b.*faces-causalgan\b.*twice"):
        main([*arguments, "--run", *of(runs, "a", "a")])


def test_where_nobody_can_be_asked_the_report_says_so(runs, judge_folder, tmp_path):
    report, _ = evaluated(tmp_path, runs, judge_folder, "a", "--link", "Young:Bald", "--stickiness", "1")
    observed = next(link for link in report["links"] if link["mode"] == "observe")
    assert observed["n"] == 0 and observed["verdict"] == "none" and observed["units"]["impossible"] == 119
    assert "0 units of 119 asked" in observed["why"]


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--link", "Young-"], "--link Young-.*shell"),
        (["--link", "Young"], "--link 'Young'"),
        ([], "one of: --link"),
        (["--link", "a:b", "--suite"], "one of: --link"),
        (["--link", "a:b", "--stickiness", "2"], r"--stickiness\b.*\b2\b.*\[0, 1\]"),
        (["--link", "a:b", "--half-width", "0"], r"--half-width\b.*\b0\b"),
        (["--link", "a:b", "--require", "respect"], "'respect'.*'respected'"),
        (["--link", "a:b", "--given", "Male"], "--given"),
        (["--lnk", "a:b"], r"--lnk\b.*--link\b"),
        (["--suite", "celeb"], "'celeb'.*'celeba'"),
        (["--link", "a:b", "--half-width", "0.001"], r"--half-width\b.*\b0\.001\b.*\[0\.01, 0\.098\]"),
        (["--suite", "--given", "Male=1"], r"--given\b.*--link\b"),
        (["--statements", "celeba", "--given", "Male=1"], r"--given\b.*--link\b"),
        (["--statements", "celeba", "--require", "respected"], r"--require\b.*\blinks\b"),
        (["--suite", "images", "--require", "respected"], r"--require\b.*\blinks\b.*\bimages\b"),
        (["--statements", "celeb"], "'celeb'.*'celeba'"),
    ],
)
def test_mistakes_on_the_command_line(arguments, culprit):
    with pytest.raises(QueryError, match=culprit):
        parse_options(arguments)


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--link", "Young:Bold"], "'Bold'.*'Bald'"),
        (["--link", "Young:Bald", "--given", "Mael=1"], "'Mael'.*'Male'"),
        (["--link", "Young:Bald", "--graph", "celeba-small"], r"\bceleba-small\b"),
        (["--link", "Young:Bald", "--judge", "nowhere"], "nowhere"),
    ],
)
def test_what_does_not_fit_the_runs(runs, judge_folder, tmp_path, arguments, culprit):
    judge = [] if "--judge" in arguments else ["--judge", str(judge_folder)]
    with pytest.raises((QueryError, RunError), match=culprit):
        main([*arguments, "--run", *of(runs, "a"), *judge, "--out", str(tmp_path)])


def test_no_runs_and_no_approach_left_are_errors_with_advice(runs, judge_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command(lambda: main(["--link", "Young:Bald", "--runs-dir", str(tmp_path)])) == 2
    assert "python -m causalcf.train" in capsys.readouterr().err
    judge = ["--judge", str(judge_folder), "--classifier", str(judge_folder)]
    only_do = ["--link", "Young:Bald", "--mode", "do", "--run", *of(runs, "b"), *judge]
    assert run_command(lambda: main(only_do)) == 2
    assert "dcgan-esm is left out: it is asked by observe" in capsys.readouterr().err
    assert run_command(lambda: main([*only_do, "--out", str(tmp_path / "deep" / "report")])) == 2
    assert not (tmp_path / "deep" / "report").exists() and not list(Path("runs").iterdir())  # nothing to report


def test_pictures_alone_take_no_antecedent_classifier(runs, judge_folder, tmp_path, capsys):
    suite, dcgan = tmp_path / "images.yaml", ["--run", *of(runs, "b"), "--judge", str(judge_folder)]
    suite.write_text("links: []\naxioms: false\n")
    assert run_command(lambda: main(["--suite", str(suite), *dcgan, "--out", str(tmp_path)])) == 0
    said = capsys.readouterr().err
    assert "faces for each cause" not in said and "left out: it needs a classifier" not in said
    assert json.loads((tmp_path / "report.json").read_text())["realism"]
    for asked in (["--link", "Young:Bald"], ["--photos", "4"]):
        assert run_command(lambda asked=asked: main([*asked, *dcgan, "--out", str(tmp_path / "other")])) == 2
        assert "left out: it needs a classifier to see antecedents" in capsys.readouterr().err


def test_an_unquoted_arrow_ends_with_two_and_no_traceback():
    command = [sys.executable, "-m", "causalcf.eval", "--link", "Young-"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "quote it" in ended.stderr and "Traceback" not in ended.stderr

"""Run folders, exported runs and classifier folders, damaged at random: each is used, or refused in a sentence.

200 damaged folders of each kind; 10,000 take 20 minutes: pytest -m slow -rP tests/fuzz/test_folders.py
A damaged weight may go unseen here, as any number is a weight: that is what a checkpoint's checksum is for.
"""

import json
import shutil
from contextlib import suppress

import pytest
import torch
from helpers.broken import CASES, MANY, PLACE, fuzz, outcome
from helpers.newest import latest_runs
from hypothesis import strategies as st

from causalcf.classifiers.storage import load_classifier, save_classifier
from causalcf.errors import CausalCFError
from causalcf.evaluation.judge import load_judge
from causalcf.export import export
from causalcf.runs.directory import stored_runs
from causalcf.runs.exported import WEIGHTS, read_state, write_state
from causalcf.runs.loading import load_run
from causalcf.training.experiment import resume_run

FILES = ("checkpoint.pt", "recipe.yaml", "graph.yaml", "meta.json", "stats.jsonl", "statements.yaml")
EXPORTED = (WEIGHTS, "graph.yaml", "recipe.yaml")
READ = ("classifier.pt", "meta.json", "report.json")
ODD = (None, True, -1, 0, 10**30, 0.5, float("nan"), "", "\x1b[2J", "x" * 1000, [], {}, [[]], {"a": 1}, torch.zeros(0))
ODD += (
    torch.zeros(2, 2),
    torch.full((3,), float("nan")),
    torch.zeros(1).expand(10**9),
    torch.zeros(2, dtype=torch.int8),
)
ENDS = ("flip", "truncate", "empty", "delete", "swap", "grow")


def harm(files):
    """Strategy: a few ways in which files are damaged, and one in which a value among stored tensors is exchanged."""
    byte = st.tuples(st.sampled_from(files), st.sampled_from(ENDS), PLACE, PLACE)
    value = st.tuples(st.lists(PLACE, min_size=1, max_size=6), st.sampled_from((*ODD, "deleted")))
    return st.lists(byte, max_size=2), st.none() | value


def damage(folder, other, harms, exchange, stored):
    """Does to a folder what was drawn; `other` is a whole folder of the same kind."""
    if exchange is not None:
        change_value(folder / stored, *exchange)
    for name, what, here, there in harms:
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        i = here * 7919 % max(len(content), 1)
        if what == "flip" and content:
            content = content[:i] + bytes([content[i] ^ (1 << there % 8)]) + content[i + 1 :]
        elif what == "truncate":
            content = content[:i]
        elif what == "empty":
            content = b""
        elif what == "grow":
            content = content[:i] + content[max(i - there, 0) :]
        elif what == "swap":
            donors = sorted(file for file in other.iterdir() if file.suffix == path.suffix)
            content = donors[there % len(donors)].read_bytes() if donors else b""
        path.unlink(missing_ok=True)
        if what != "delete":
            path.write_bytes(content)


def change_value(path, places, odd):
    """Exchanges one value, wherever the places lead among mappings and lists."""
    exported = path.suffix == ".safetensors"
    if exported and isinstance(odd, torch.Tensor) and odd.numel() > 10**6:
        return  # such a file has no tensor that is larger than its storage
    state = read_state(path) if exported else torch.load(path, weights_only=True)
    at, key = state, None
    for place in places:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        if not keys:
            return
        key = keys[place % len(keys)]
        if not isinstance(at[key], (dict, list)) or place is places[-1]:
            break
        at = at[key]
    if isinstance(odd, str) and odd == "deleted":
        del at[key]
    elif isinstance(at, (dict, list)):
        at[key] = odd
    with suppress(ValueError, TypeError, RuntimeError):  # what no safetensors file can hold
        write_state(path, state) if exported else torch.save(state, path)


def check_runs(runs, tmp_path, cases):
    """Damages copies of runs and uses them; how often they were used and refused."""
    told = []

    @fuzz(st.tuples(st.sampled_from("abc"), st.integers(0, 39), *harm(FILES)), cases)
    def test(drawn):
        kind, number, harms, exchange = drawn
        whole = next((runs / kind).glob("*-*"))
        other = next((runs / ("a" if kind != "a" else "c")).glob("*-*"))
        base = tmp_path / "runs"
        shutil.rmtree(base, ignore_errors=True)
        (base / whole.name).mkdir(parents=True)
        for name in FILES:
            if (whole / name).is_file():
                shutil.copy(whole / name, base / whole.name)
        damage(base / whole.name, other, harms, exchange, "checkpoint.pt")
        assert outcome(stored_runs, base) is None and outcome(latest_runs, base) is None
        told.append(outcome(load_run, base / whole.name, "cpu"))
        if number == 7:  # of forty: its pictures and its checkpoint may be made anew, which takes seconds
            told.append(outcome(resume_run, str(base / whole.name), {}, seconds=60))

    test()
    return told


def check_exported(runs, tmp_path, cases):
    """The same with exported runs."""
    for kind in "ab":
        export(next((runs / kind).glob("*-*")), tmp_path / kind)
    told = []

    @fuzz(st.tuples(st.permutations("ab"), *harm(EXPORTED)), cases)
    def test(drawn):
        (kind, other), harms, exchange = drawn
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / kind, folder)
        damage(folder, tmp_path / other, harms, exchange, WEIGHTS)
        told.append(outcome(load_run, folder, "cpu"))

    test()
    return told


def check_classifiers(runs, tmp_path, cases):
    """The same with classifier folders."""
    from helpers.classifier_toys import untrained
    from helpers.judge_toys import written_judge

    scored = written_judge().scores["Young"]
    whole, other = tmp_path / "whole", tmp_path / "other"
    for folder, name in ((whole, "residual"), (other, "alexnet")):
        folder.mkdir()
        save_classifier(folder / "classifier.pt", untrained(name))
        report = {
            "attributes": dict.fromkeys(untrained(name).attributes, scored),
            "images": {"scored": {"n": 9, "told": "x"}},
        }
        (folder / "report.json").write_text(json.dumps(report))
        (folder / "meta.json").write_text('{"recipe": {"role": "judge"}}')
    told, names = [], untrained().attributes

    @fuzz(st.tuples(st.booleans(), *harm(READ)), cases)
    def test(drawn):
        as_judge, *drawn = drawn
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        damage(folder, other, *drawn, "classifier.pt")
        if as_judge:
            told.append(outcome(load_judge, folder, names, "cpu"))
        else:
            told.append(outcome(load_classifier, folder, "cpu"))

    test()
    return told


CHECKS = {"runs": check_runs, "exported": check_exported, "classifiers": check_classifiers}


@pytest.mark.parametrize("kind", CHECKS)
def test_damaged_folders_are_used_or_refused_in_a_sentence(kind, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    told = CHECKS[kind](runs, tmp_path, CASES)
    assert None in told and len({one for one in told if one}) > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHECKS)
def test_ten_thousand_damaged_folders(kind, runs, tmp_path, monkeypatch):
    """10,000 cases: pytest -m slow -rP tests/fuzz/test_folders.py"""
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    told = CHECKS[kind](runs, tmp_path, MANY)
    print(f"{kind}: {len(told):,} uses, {sum(one is not None for one in told):,} refused")


def test_a_whole_run_and_classifier_are_used(runs):
    assert outcome(load_run, next((runs / "a").glob("*-*")), "cpu") is None
    with pytest.raises(CausalCFError):
        load_run(runs / "a" / "nothing")

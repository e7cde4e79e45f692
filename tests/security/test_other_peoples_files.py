"""Loading what others made executes nothing, ends soon, and takes no more memory than it should."""

import os
import pickle
import re
import resource
import shutil
import zipfile

import pytest
import torch
from helpers.broken import limited
from helpers.newest import latest_runs

from causalcf.classifiers.storage import load_classifier
from causalcf.errors import CausalCFError, GraphError, RecipeError, RunError
from causalcf.evaluation.suite import load_suite
from causalcf.graph.files import load_graph
from causalcf.io.folders import read_meta
from causalcf.io.untrusted import MAX_JSON, read_bounded, read_json, read_tensors
from causalcf.language.lists import load_queries, load_statements
from causalcf.runs.directory import find_run, load_checkpoint
from causalcf.runs.loading import load_run
from causalcf.runs.recipe import Recipe
from causalcf.train import parse_options
from causalcf.training.experiment import resume_run

YAML_KINDS = {
    "graph": load_graph,
    "recipe": lambda path: parse_options(["--recipe", str(path)]),
    "suite": load_suite,
    "statements": load_statements,
    "queries": load_queries,
}
LAUGHS = "\n".join(
    [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]" for i in range(12)]
    + [f"{key}: *a11" for key in ("nodes", "links", "statements ", "queries ", "name")]
)


@pytest.mark.parametrize("archive", [True, False], ids=["zip", "plain"])
@pytest.mark.parametrize("name", ["checkpoint.pt", "classifier.pt"])
def test_a_pickle_is_not_executed(trap, tmp_path, name, archive):
    held, made = trap
    file = tmp_path / name
    if archive:
        torch.save(held, file)
    else:
        file.write_bytes(pickle.dumps(held))
    with pytest.raises(RunError, match=rf"{re.escape(name)}\b.*" + ("something else" if archive else "no archive")):
        (load_checkpoint if name == "checkpoint.pt" else load_classifier)(tmp_path)
    assert not made.exists()


def test_the_trap_would_have_gone_off(trap, tmp_path):
    held, made = trap
    torch.save(held, tmp_path / "checkpoint.pt")
    torch.load(tmp_path / "checkpoint.pt", weights_only=False)
    assert made.exists()


@pytest.mark.parametrize("kind", YAML_KINDS)
@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "[" * 5000,
        "a: " + "{b: " * 5000,
        "- " * 5000,
        "#" * 10 * 2**20,
        "a: !!python/object/apply:os.system [id]",
    ],
    ids=["aliases", "brackets", "braces", "dashes", "10 MiB", "tag"],
)
def test_yaml_bombs_are_refused(kind, text, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with limited(), pytest.raises(CausalCFError):
        YAML_KINDS[kind](file)


def test_compressed_tensors_are_not_blown_up(tmp_path):
    whole, bomb = tmp_path / "whole.pt", tmp_path / "checkpoint.pt"
    torch.save({"weights": torch.zeros(2**20)}, whole)
    with zipfile.ZipFile(whole) as stored, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    assert bomb.stat().st_size < 2**14
    with pytest.raises(RunError, match=r"checkpoint\.pt\b.*\blarger\b"):
        load_checkpoint(tmp_path)


def nested(levels):
    """Lists within lists that share their parts: short to write, endless to print."""
    found = ["x"]
    for _ in range(levels):
        found = [found] * 9
    return found


@pytest.mark.parametrize(
    ("held", "culprit"),
    [
        ({"a": torch.zeros(1).expand(10**12)}, r"\(1000000000000,\).*\bfewer\b"),
        ({"a": nested(12)}, r"\bmore than\b"),
        ({"a": torch.zeros(2, 2).to_sparse()}, r"\(2, 2\).*\bfewer\b"),
        ({"a": {1, 2}}, r"\bset\b"),
        ([torch.zeros(1)], r"\blist\b"),
    ],
    ids=["expanded", "laughs", "sparse", "set", "list"],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
def test_only_plain_values_come_out_of_a_checkpoint(held, culprit, tmp_path):
    torch.save(held, tmp_path / "checkpoint.pt")
    with limited(), pytest.raises(CausalCFError, match=culprit):
        read_tensors(tmp_path / "checkpoint.pt")


def test_a_checkpoint_that_claims_a_giant_network_takes_no_memory(runs, tmp_path):
    whole = next((runs / "a").glob("*-*"))
    shutil.copytree(whole, tmp_path / "run")
    state = load_checkpoint(whole)
    state["recipe"].update(width=320, labeler_width=64)
    torch.save(state, tmp_path / "run" / "checkpoint.pt")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for use in (load_run, lambda path: resume_run(str(path), {})):
        with pytest.raises(RunError, match=r"checkpoint\.pt\b.*\bweight '.*'.*\(.*\) of floats"):
            use(tmp_path / "run")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # kB; such networks take gigabytes


@pytest.mark.parametrize("change", [{"data": "../x"}, {"name": "../../etc/passwd"}, {"width": 10**9}, {"approach": 3}])
def test_a_checkpoint_with_an_impossible_recipe_is_refused(runs, tmp_path, change):
    whole = next((runs / "a").glob("*-*"))
    shutil.copytree(whole, tmp_path / "run")
    state = load_checkpoint(whole)
    state["recipe"].update(change)
    torch.save(state, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(RunError, match=r"\b{}\b.*{}".format(*map(re.escape, map(str, *change.items())))):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\0b", "\x1b[2J", "x" * 101, ""])
def test_a_recipe_s_name_stays_in_its_folder(name):
    with pytest.raises(RecipeError, match=r"\bname\b"):
        Recipe(name=name).validate()


def test_pipes_devices_and_endless_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "meta.json")
    (tmp_path / "recipe.yaml").symlink_to("/dev/zero")
    (tmp_path / "big.json").write_bytes(b" " * (MAX_JSON + 1))
    with limited():
        assert read_meta(tmp_path) == {}
        assert latest_runs(tmp_path.parent) == {}
        with pytest.raises(CausalCFError, match=r"meta\.json\b.*\bregular\b"):
            read_bounded(tmp_path / "meta.json", 10)
        with pytest.raises(CausalCFError, match=r"big\.json\b.*\b16,384 kB\b"):
            read_json(tmp_path / "big.json")
        with pytest.raises(GraphError):
            load_graph(tmp_path / "recipe.yaml")


def test_deep_json_is_refused(tmp_path):
    (tmp_path / "meta.json").write_text("[" * 200_000)
    assert read_meta(tmp_path) == {}
    with pytest.raises(CausalCFError, match=r"meta\.json\b.*\bJSON\b"):
        read_json(tmp_path / "meta.json")


def test_a_run_that_leads_out_of_itself_is_refused_and_a_link_to_a_run_is_not(runs, tmp_path):
    shutil.copytree(next((runs / "a").glob("*-*")), tmp_path / "run")
    (tmp_path / "latest").symlink_to("run")
    (tmp_path / "run" / "copy.yaml").symlink_to("recipe.yaml")
    assert find_run(tmp_path / "latest") == (tmp_path / "run").resolve()
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "run" / "reals.png").unlink(missing_ok=True)
    (tmp_path / "run" / "reals.png").symlink_to(tmp_path / "secret")
    for use in (load_run, lambda path: resume_run(str(path), {})):
        with pytest.raises(RunError, match=r"\breals\.png\b.*/secret\b"):
            use(tmp_path / "latest")
    assert (tmp_path / "secret").read_text() == "mine"

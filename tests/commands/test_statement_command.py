"""`python -m causalcf.statements`: a table or JSON; exit code 1 on conflicts, 2 on mistakes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.dags import listings
from hypothesis import given
from hypothesis import strategies as st

from causalcf.cli.command import run as run_command
from causalcf.data.faces.units import celeba_scm
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.language.vocabulary import CELEBA_ATTRIBUTES
from causalcf.statements import main, project

CONFLICT = """statements:
  yes: If this young man were old, he might be bald.
  no: If this young man were old, he would not be bald.
  seen: If we saw that this young man were old, he might be bald.
"""


@pytest.fixture
def check(monkeypatch, tmp_path, capsys):
    """Runs the command in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def checked(*arguments):
        code = run_command(lambda: main(list(arguments)))
        return code, *capsys.readouterr()

    return checked


def test_help_needs_no_torch():
    code = "import sys, causalcf.statements as s\ntry: s.main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0 and "a preset such as celeba" in told.stdout, told.stderr


def test_the_shipped_statements_are_shown_in_a_table(check):
    code, out, err = check("celeba")
    assert code == 0 and err == ""
    (line,) = [line for line in out.splitlines() if "old-man-bald" in line]
    assert line.split()[-4:] == ["0.0950", "above", "0.05", "true"]
    assert "18 statements: 9 true, 9 false; no conflicts" in out


def test_conflicts_and_vacuous_statements_are_told(check, tmp_path):
    (tmp_path / "s.yaml").write_text(CONFLICT.replace("yes:", "'yes':").replace("no:", "'no':"))
    code, out, _ = check("s.yaml")
    assert code == 1
    assert "yes and no conflict: 'might' asks for a probability above 0.05, 'would not' for one at most 0.05" in out
    assert "seen is vacuous: a young man cannot turn out to be an old person at stickiness 1" in out
    assert "3 statements: 1 true, 1 false, 1 vacuous; 1 conflict\n" in out
    code, out, _ = check("s.yaml", "--json", "--stickiness", ".53", "--eps", ".2")
    document = json.loads(out)
    assert code == 1 and (document["model"], document["stickiness"], document["eps"]) == ("faces on celeba", 0.53, 0.2)
    yes, no, seen = document["statements"]
    assert yes["conflicts"].keys() == {"no"} and no["conflicts"].keys() == {"yes"} and seen["conflicts"] == {}
    assert (yes["value"], no["value"], seen["vacuous"]) == (False, True, False)
    assert yes["about_change"]["probability"] == pytest.approx(0.1033 * (0.53 + 0.47 * 0.41675), abs=1e-4)


def test_a_run_answers_by_its_own_labels(check, runs):
    """The label model is read from the checkpoint; no network is built."""
    from causalcf import Statement, load_run

    sentence = "If this young man (who is not bald) were old, he might be bald."
    Path("s.yaml").write_text(f"statements: {{a: {sentence!r}}}")
    folder = str(runs / "a" / "latest")
    code, out, _ = check("s.yaml", "--run", folder, "--json")
    (one,) = json.loads(out)["statements"]
    expected = Statement.parse(sentence).truth(load_run(folder).labels)
    assert code == 0 and one["probability"] == pytest.approx(expected.probability, abs=1e-12)
    assert "graph" not in one and json.loads(out)["model"] == folder


def test_celeba_is_counted_from_its_training_labels_without_its_images(check, tmp_path):
    """Of 4 young men in the training split 1 is bald, of 2 old men 1; the test split would say otherwise."""
    rows = [(1, 1, 1), (1, 1, -1), (1, 1, -1), (1, 1, -1), (1, -1, 1), (1, -1, -1), (-1, 1, -1), (1, -1, 1)]
    (tmp_path / "img_align_celeba").mkdir()
    lines = [f"{i}.jpg {' '.join(map(str, row))}" for i, row in enumerate(rows)]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join([str(len(rows)), "Male Young Bald", *lines]) + "\n")
    (tmp_path / "list_eval_partition.txt").write_text("".join(f"{i}.jpg {2 * (i == 7)}\n" for i in range(8)))
    (tmp_path / "g.yaml").write_text("nodes: {Male: [], Young: [], Bald: [Male, Young]}\n")
    (tmp_path / "s.yaml").write_text(
        "statements: {a: 'If this young man (who is not bald) were old, he might be bald.'}"
    )
    code, out, err = check("s.yaml", "--graph", "g.yaml", "--data", "celeba", "--data-root", str(tmp_path), "--json")
    assert code == 0, err
    assert json.loads(out)["statements"][0]["probability"] == pytest.approx((1 / 2 - 1 / 4) / (3 / 4))


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ((), "file"),
        (("celebb",), "celebb.*'celeba'"),
        (("celeba", "--grap", "x"), r"--grap\b.*--graph\b"),
        (("celeba", "--graph", "celebb"), "celebb"),
        (("celeba", "--graph", "celeba-small"), "old-man-bald"),
        (("celeba", "--graph", "celeba-all"), "'faces'"),
        (("celeba", "--stickiness", "2"), r"--stickiness\b.*\b2\b"),
        (("celeba", "--eps", ".5"), r"--eps\b.*\b0\.5\b"),
        (("celeba", "--data", "photos"), "photos"),
        (("celeba", "--data", "celeba"), "--data-root"),
        (("celeba", "--data-root", "x"), "--data-root.*--data celeba"),
        (("celeba", "--data", "celeba", "--data-root", "nowhere"), "nowhere"),
        (("celeba", "--run", "nowhere", "--graph", "celeba"), "--run.*graph"),
        (("celeba", "--run", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(check, arguments, culprit):
    code, out, err = check(*arguments)
    assert code == 2 and out == "" and err.startswith("error: ") and re.search(culprit, err) and "Traceback" not in err


def test_a_run_without_labels_has_no_model(check, runs):
    code, _, err = check("celeba", "--run", str(runs / "b" / "latest"))
    assert code == 2 and re.match(r"error: .*\bdcgan\b.*label model", err)


def test_a_name_cannot_write_to_the_terminal(check, tmp_path):
    (tmp_path / "s.yaml").write_text('statements: {"[red]": "If this man were old, he might be bald."}')
    code, out, _ = check("s.yaml")
    assert code == 0 and "[red]" in out
    (tmp_path / "s.yaml").write_text('statements: {"[red]\\e[31m": "If this man were old, he might be bald."}')
    code, out, said = check("s.yaml")
    assert code == 2 and "\x1b" not in out + said and re.match(r"error: .*s\.yaml.*printed", said)


def test_the_law_on_its_own_graph_is_itself():
    law = celeba_scm()
    assert project(law, law.graph) is law


@given(st.data())
def test_a_law_on_another_graph_has_the_conditionals_of_the_law(data):
    names = CELEBA_ATTRIBUTES[:4]
    whole = CausalGraph({name: list(names[:i]) for i, name in enumerate(names)})
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    tables = {name: numbers.uniform(0.1, 0.9, (2,) * i) for i, name in enumerate(names)}
    law = LabelSCM.from_probabilities(whole, tables)
    graph = CausalGraph(data.draw(listings(4, st.sampled_from(names))))
    fitted = project(law, graph)
    for node in graph.nodes:
        parents = graph.parents(node)
        values = {parent: data.draw(st.integers(0, 1)) for parent in parents}
        expected = law.probability({node: 1}, given=values)
        assert fitted.probability({node: 1}, do=values) == pytest.approx(expected, abs=1e-9)


def test_parents_that_never_occur_leave_the_marginal():
    law = LabelSCM.from_probabilities(CausalGraph({"A": [], "B": ["A"]}), {"A": 0.25, "B": [0.0, 0.0]})
    turned = project(law, CausalGraph({"B": [], "A": ["B"]}))
    assert torch.equal(turned.joint(), law.joint().T.contiguous()) or turned.probability({"A": 1}, do={"B": 1}) == 0.25

"""Interventions of a suite: what is read, what is refused, and answers against the label model's own."""

from types import SimpleNamespace

import pytest
import torch
from scipy.stats import binomtest

import causalcf as cf
from causalcf.data.faces import true_scm
from causalcf.errors import QueryError
from causalcf.evaluation.approaches import LabelledApproach
from causalcf.evaluation.interventions import Intervention, ask_intervention
from causalcf.evaluation.session import Session, Settings
from causalcf.evaluation.suite import load_suite
from causalcf.labels.reference import Reference

ALPHA, FACES = 1e-5, 4000
LAW = true_scm()
NODES = LAW.graph.nodes
SUITE = """
links: []
interventions:
  more-moustaches: {given: {Male: 1}, do: {Mustache: {soft: 0.3}}}
  coin: {do: {Smiling: {stochastic: 0.5}, Young: 1}}
  old-men-are-bald: {do: {Bald: {conditional: {Male: 1, Young: 0}}}}
"""


def suite(tmp_path, text=SUITE):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return load_suite(file)


def test_what_a_suite_says_is_read_and_said_again(tmp_path):
    found = suite(tmp_path).interventions
    assert found["more-moustaches"] == Intervention({"Male": 1}, {"Mustache": cf.Soft(0.3)})
    assert found["coin"].do == {"Smiling": cf.Stochastic(0.5), "Young": 1}
    rule = found["old-men-are-bald"].do["Bald"].rule
    assert [rule(Young=young, Male=male) for young in (0, 1) for male in (0, 1)] == [0, 1, 0, 0]
    assert [str(one) for one in found.values()] == [
        "Given a man, what if the probability of Mustache were moved by +0.3?",
        "Given someone, what if Smiling were drawn with probability 0.5, and Young were set to 1?",
        "Given someone, what if Bald were 1 exactly where Male=1, Young=0?",
    ]


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("[a]", "interventions: expected a mapping"),
        ("{a: {}}", "interventions, a: do: expected"),
        ("{a: {do: {Bald: 2}}}", "interventions, a: do: Bald=2; expected 0 or 1"),
        ("{a: {do: {Bald: {soft: 3}}}}", "a: shift is 3"),
        ("{a: {do: {Bald: {soft: x}}}}", "a: shift is 'x'"),
        ("{a: {do: {Bald: {sofd: 0.1}}}}", "a: Bald: .*'sofd'.*'soft'"),
        ("{a: {do: {Bald: {soft: 0.1, stochastic: 0.2}}}}", "a: Bald: expected one of"),
        ("{a: {do: {Bald: {conditional: 1}}}}", "a: conditional=1"),
        ("{a: {do: {Bald: {conditional: {}}}}}", "a: conditional is empty"),
        ("{a: {giwen: {}, do: {Bald: 1}}}", "'giwen'.*'given'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, culprit):
    with pytest.raises(QueryError, match=rf"mine\.yaml: .*{culprit}"):
        suite(tmp_path, f"links: []\ninterventions: {text}")


def test_labels_that_the_graph_lacks_are_named(tmp_path):
    with pytest.raises(QueryError, match=r"more-moustaches: .*'Mustache'"):
        suite(tmp_path).questions(("Male", "Smiling", "Young", "Bald"))


def session(mode="do"):
    """Images are the labels; the judge reads them."""

    def generate(noise, labels):
        return labels.float()[:, None, :, None].expand(-1, 3, -1, 1).clone()

    def read(images):
        return images[:, 0, :, 0].to(torch.int8)

    run = SimpleNamespace(labels=LAW, generate=generate, sample_noise=lambda n, draw: torch.rand(n, 3, generator=draw))
    approach = LabelledApproach("toy-do", "toy", run, NODES, mode, 1.0, "", Reference(LAW, NODES, "truth"))
    return Session(approach, approach.reference, SimpleNamespace(read=read), Settings(FACES, 0.05))


@pytest.fixture(autouse=True)
def without_drawing(monkeypatch):
    monkeypatch.setattr("causalcf.evaluation.interventions.save_pairs", lambda *parts: None)


@pytest.mark.parametrize("name", ["more-moustaches", "coin", "old-men-are-bald"])
def test_images_of_the_law_follow_the_exact_answer(tmp_path, name):
    found = ask_intervention(tmp_path, session(), name, suite(tmp_path).interventions[name], FACES)
    assert found["error"] is None and found["picture"]

    def p_value(one, when):
        expected = min(max(one["expected"], 0.0), 1.0)
        return binomtest(round(one[when]["value"] * FACES), FACES, expected).pvalue

    assert min(p_value(one, "after") for one in found["seen"]) > ALPHA
    assert min(p_value(one, "before") for one in found["seen"]) < ALPHA  # the control: it was not so before


def test_a_shift_of_the_probability_is_that_of_the_same_people(tmp_path):
    asked = suite(tmp_path).interventions["more-moustaches"]
    found = ask_intervention(tmp_path, session(), "a", asked, FACES)["seen"]
    (seen,) = (one for one in found if one["label"] == "Mustache")
    young = LAW.probability({"Young": 1})
    shifted = [LAW.probability({"Mustache": 1}, given={"Male": 1, "Young": value}) + 0.3 for value in (0, 1)]
    assert seen["expected"] == pytest.approx((1 - young) * shifted[0] + young * shifted[1], abs=0.02)


def test_who_cannot_be_asked_says_so(tmp_path):
    found = suite(tmp_path).interventions
    assert "asked by observe" in ask_intervention(tmp_path, session("observe"), "a", found["coin"], 5)["error"]
    strange = Intervention({}, {"Hat": 1})
    assert "Hat cannot be changed" in ask_intervention(tmp_path, session(), "a", strange, 5)["error"]


def test_rules_by_labels_that_are_no_causes_are_refused(tmp_path):
    rule = Intervention({}, {"Eyeglasses": suite(tmp_path).interventions["old-men-are-bald"].do["Bald"]})
    with pytest.raises(QueryError, match="Male is no cause of Eyeglasses; its causes are Young"):
        rule.check_causes(LAW.graph)


def test_people_whom_the_runs_model_excludes_are_left_out_and_counted(tmp_path):
    asked = session()
    tables = {node: LAW.mechanisms[node].whole_table() for node in NODES}
    tables["Mustache"] = tables["Mustache"] * 0
    asked.approach.asked.labels = cf.LabelSCM.from_probabilities(LAW.graph, tables)
    found = ask_intervention(tmp_path, asked, "a", Intervention({"Male": 1}, {"Young": 0}), FACES)
    lost = int(found["error"].split()[3])
    share = LAW.probability({"Mustache": 1}, given={"Male": 1})
    assert found["seen"] and binomtest(lost, FACES, share).pvalue > ALPHA
    excluded = ask_intervention(tmp_path, asked, "a", Intervention({"Mustache": 1}, {"Young": 0}), 10)
    assert excluded["seen"] == [] and "all of 10 faces" in excluded["error"]

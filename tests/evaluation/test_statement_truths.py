"""Statements in images: verdicts are the exact truths where the answer is known, and none where there is nobody."""

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from helpers.artificial import NODES, Exact, IgnoresGraph, Rendered, written
from scipy.stats import binom, binomtest

from causalcf.data.faces import true_scm
from causalcf.errors import UnreachedError
from causalcf.evaluation.approaches import Drawn
from causalcf.evaluation.queries import ask_statement, image_verdict
from causalcf.evaluation.report.tables import statement_counts_table
from causalcf.evaluation.session import Session, Settings
from causalcf.labels.reference import Reference
from causalcf.language.lists import load_statements
from causalcf.language.modals import MODALS, Interval
from causalcf.language.statement import Statement
from causalcf.statistics.rates import Rate

ALPHA = 1e-5
N = 800
REFERENCE = Reference(true_scm(), NODES, "truth")
STATEMENTS = load_statements("celeba")
OLD_MAN = STATEMENTS["old-man-bald"]


def ask(approach, name="old-man-bald", statement=None, judge=None, n=N):
    session = Session(approach, REFERENCE, judge or Exact(), Settings(n, 0.05))
    return ask_statement(session, name, statement or STATEMENTS[name])


@cache
def verdicts(modal):
    """The verdict on every number of hits among N."""
    return [image_verdict(Rate(hits, N), MODALS[modal].interval()) for hits in range(N + 1)]


def chance_of_another(statement, q):
    """How probable it is that N units get another verdict than the truth."""
    truth = "true" if q in MODALS[statement.modal].interval() else "false"
    return sum(
        float(binom.pmf(hits, N, q))
        for hits, description in enumerate(verdicts(statement.modal))
        if description != truth
    )


def test_the_true_renderer_gets_the_exact_truths():
    approach, clear = written(Rendered)(), 0
    for name, statement in STATEMENTS.items():
        answer, exact = ask(approach, name), statement.truth(true_scm())
        hits = round(answer["q_images"]["value"] * N)
        assert binomtest(hits, N, exact.probability).pvalue > ALPHA, name
        assert answer["model"]["probability"] == answer["truth"]["probability"] == exact.probability
        assert abs(answer["q_expected"] - exact.probability) < 0.08  # of these 800 people, not of all
        if chance_of_another(statement, exact.probability) < ALPHA:
            clear += 1
            assert answer["verdict"] == ("true" if exact.value else "false"), name
    assert clear >= 12


def test_an_approach_that_ignores_the_graph_is_told_apart():
    assert ask(written(Rendered)())["verdict"] == "true"
    answer = ask(written(IgnoresGraph)())
    assert answer["verdict"] == "false" and answer["q_images"]["value"] == answer["seen_before"]["value"] == 0
    assert answer["model"]["value"] and binomtest(0, N, answer["model"]["probability"]).pvalue < ALPHA
    beard = ask(written(IgnoresGraph)(), "woman-lipstick")
    assert beard["verdict"] == "true" and not beard["truth"]["value"]


def test_rendered_faces_read_by_a_trained_judge_do_not_depend_on_the_size_of_batches(judge, monkeypatch):
    names = ("old-man-bald", "woman-lipstick", "mouth-smile")
    found = {name: ask(Rendered(), name, judge=judge, n=300) for name in names}
    assert found["woman-lipstick"]["verdict"] == "false" and found["woman-lipstick"]["q_images"]["value"] > 0.6
    monkeypatch.setattr("causalcf.evaluation.judge.CHUNK", 7)
    assert {name: ask(Rendered(), name, judge=judge, n=300) for name in names} == found


@dataclass(frozen=True)
class Observed(written(Rendered)):
    """The true counterfactual under observe."""

    mode: str = "observe"
    stickiness: float = 0.53

    def respond(self, worlds, antecedent, generator):
        s = self.stickiness
        return true_scm().counterfactual(worlds.labels, observe=antecedent, stickiness=s, generator=generator)[:, 0]


def test_under_observe_images_are_held_against_the_same_faces():
    """The label model weighs people by how probable the antecedent is of them; q of images cannot."""
    answer = ask(Observed(), "bald-young")
    hits = round(answer["q_images"]["value"] * N)
    assert binomtest(hits, N, answer["q_expected"]).pvalue > ALPHA
    assert binomtest(hits, N, answer["model"]["probability"]).pvalue < ALPHA
    assert answer["mode"] == "observe" and answer["truth"]["probability"] == 1.0  # by do, as it is stated


def test_a_perfect_renderer_agrees_with_what_the_label_model_says_of_its_faces():
    """Young men who were bald would probably be young: so of everybody (.59), and not so of these, each once (.44)."""
    probably = Statement({"Male": 1, "Young": 1}, {"Bald": 1}, "probably", {"Young": 1}, "observe")
    answer = ask(Observed(), "bald-young", probably)
    assert answer["model"]["value"] and answer["model"]["probability"] == pytest.approx(0.592, abs=5e-4)
    assert answer["q_expected"] == pytest.approx(0.436, abs=0.01)
    assert answer["verdict"] == "false" and answer["expected"] is False
    (row,) = statement_counts_table({"statements": [answer]}).rows
    assert row[-2:] == ["1", "1"] and row[2] == "1"  # one of one as in the label model


def test_a_vacuous_statement_gets_no_verdict_and_nobody_is_asked():
    class Silent(Rendered):
        def actual(self, n, given, generator):
            raise AssertionError

    never = ask(Silent(mode="observe", stickiness=1.0))
    assert never["verdict"] == "no verdict" and never["n"] == 0 and never["q_images"] is None
    assert "cannot turn out to be" in never["why"] and never["model"]["vacuous"] and not never["truth"]["vacuous"]


def test_facts_and_antecedents_that_are_not_reached_get_no_verdict():
    class Unreached(written(Rendered)):
        def actual(self, n, given, generator):
            raise UnreachedError("3 of 2,048 images show Bald=1")

    nobody = ask(Unreached())
    assert nobody["verdict"] == "no verdict" and "3 of 2,048" in nobody["why"]
    assert nobody["units"] == {"asked": N, "unreached": N, "impossible": 0, "told": "3 of 2,048 images show Bald=1"}

    class Half(written(Rendered)):
        def counterfactual(self, worlds, antecedent, generator):
            whole = super().counterfactual(worlds, antecedent, generator)
            rows = torch.arange(0, kept)
            return Drawn(rows, whole.noise[rows], whole.labels[rows], whole.images[rows], unreached=N - kept)

    description = {0: "0 units of 800 asked", 60: "60 units of 800 asked", 700: "100 of 800 units were lost"}
    for kept, why in description.items():
        answer = ask(Half())
        assert answer["verdict"] == "no verdict" and why in answer["why"] and answer["n"] == kept
        assert answer["units"]["unreached"] == N - kept and (answer["q_images"] is None) == (kept == 0)
        assert answer["expected"] is (True if kept else None)
    kept = 760
    assert ask(Half())["verdict"] == "true"


def test_faces_that_are_impossible_for_the_reference_are_counted_as_such():
    approach = written(IgnoresGraph)(mode="observe", stickiness=1.0)  # that a woman turned out to be a man
    answer = ask(approach, "men", Statement({}, {"Male": 1}, "might", {"Bald": 1}, "observe"))
    men, women = answer["n"], answer["units"]["impossible"]
    assert men + women == N and binomtest(men, N, true_scm().probability({"Male": 1})).pvalue > ALPHA
    assert answer["verdict"] == "no verdict" and f"{women} of {N} units were lost" in answer["why"]
    assert answer["seen_before"] == answer["q_images"]  # nothing changes of the men


def test_a_judge_that_reads_the_consequent_poorly_withholds_the_verdict():
    approach = written(Rendered)()
    for label, verdict in (("Bald", "no verdict"), ("Young", "true")):
        answer = ask(approach, judge=Exact((label,)))
        assert answer["verdict"] == verdict and answer["q_images"]["value"] > 0
        assert answer["why"] == ("Bald is read too poorly" if label == "Bald" else "")


def test_all_of_a_consequent_must_show():
    both = Statement({"Male": 0}, {"Male": 1}, "might", {"Male": 1, "Mustache": 1})
    answer = ask(written(Rendered)(), "both", both)
    exact = both.truth(true_scm()).probability
    assert binomtest(round(answer["q_images"]["value"] * N), N, exact).pvalue > ALPHA and exact < 0.2


@pytest.mark.parametrize(
    ("modal", "low", "high"), [("might", 0.05, 1.0), ("would", 0.95, 1.0), ("would not", 0.0, 0.05)]
)
def test_a_verdict_needs_the_whole_interval(modal, low, high):
    asked = MODALS[modal].interval()
    for hits in range(0, N + 1, 4):
        shown = Rate(hits, N)
        ends = shown.interval
        inside = low <= ends[0] and ends[1] <= high
        outside = ends[1] < low or ends[0] > high
        assert image_verdict(shown, asked) == ("true" if inside else "false" if outside else "undecided")
    assert image_verdict(Rate(0, 20), Interval(0.1, 1.0)) == "undecided"  # few units decide nothing

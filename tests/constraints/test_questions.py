"""Statements about the same people and the same antecedent share a group."""

from causalcf.constraints.sources import questions_of
from causalcf.graph.graph import CausalGraph
from causalcf.language.statement import Statement

GRAPH = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"], "Smiling": ["Young"], "Eyeglasses": ["Young"]})
SAID = {
    "bald": Statement({"Male": 1, "Young": 1}, {"Young": 0}, "might", {"Bald": 1}),
    "glasses": Statement({"Young": 1, "Male": 1}, {"Young": 0}, "might", {"Eyeglasses": 1}),
    "seen": Statement({"Young": 1, "Male": 1}, {"Young": 0}, "might", {"Bald": 1}, "observe"),
    "man": Statement({}, {"Bald": 1}, "would", {"Male": 1}),
}


def test_one_question_for_what_is_asked_of_the_same_people():
    found = questions_of(SAID, GRAPH, 1.0, 0.0)
    assert [list(question.statements) for question in found] == [["bald", "glasses"], ["seen"], ["man"]]


def test_without_labels_all_is_observed():
    found = questions_of(SAID, GRAPH, 1.0, 0.0, mode="observe")
    assert [list(question.statements) for question in found] == [["bald", "glasses", "seen"], ["man"]]
    assert {question.query.mode for question in found} == {"observe"}


def test_kept_are_the_antecedent_and_what_neither_descends_from_it_nor_is_spoken_of():
    bald, _, man = questions_of(SAID, GRAPH, 2.0, 0.0)
    assert set(bald.kept) == {"Young", "Male"} and bald.weight == 2.0
    assert set(man.kept) == {"Bald", "Young", "Smiling", "Eyeglasses"}


def test_null_questions_suppose_what_holds_and_keep_everything_else():
    assert len(questions_of(SAID, GRAPH, 1.0, 0.0)) == 3
    found = questions_of(SAID, GRAPH, 1.0, 0.5)[3:]
    assert [(q.query.given, q.query.antecedent, q.query.mode) for q in found] == [
        ({"Young": 0}, {"Young": 0}, "do"),
        ({"Young": 0}, {"Young": 0}, "observe"),
        ({"Bald": 1}, {"Bald": 1}, "do"),
    ]
    assert all(not q.statements and q.weight == 0.5 and len(q.kept) == 5 for q in found)

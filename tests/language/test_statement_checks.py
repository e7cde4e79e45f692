"""Conflicts among statements, and what is told of each before anything is trained."""

import pytest
from helpers.statement_strategies import conditions, statements
from hypothesis import given
from hypothesis import strategies as st

from causalcf.data.faces.units import celeba_scm
from causalcf.errors import StatementError
from causalcf.language.conflicts import check_statements, conflicts
from causalcf.language.modals import MODALS
from causalcf.language.statement import Statement

LAW = celeba_scm()
GRID = sorted({i / 1000 for i in range(1001)} | {0.05, 0.95, 0.5, 0.3, 0.7, 0.4999999, 0.5000001})


def say(modal, predicate="be bald", subject="this young man", before=""):
    return Statement.parse(f"If {before}{subject} were old, they {modal} {predicate}.")


@given(
    st.sampled_from([*MODALS]), st.sampled_from([*MODALS]), st.integers(0, 1), st.sampled_from([0.0, 0.05, 0.2, 0.4])
)
def test_two_statements_conflict_exactly_where_no_probability_satisfies_both(first, second, value, eps):
    """Against a grid of q that holds every threshold; the second statement speaks of the same value or the opposite."""
    pair = [Statement({}, {"Young": 0}, first, {"Bald": 1}), Statement({}, {"Young": 0}, second, {"Bald": value})]
    one, other = (MODALS[name].interval(eps) for name in (first, second))
    both = any(q in one and (q if value else round(1 - q, 12)) in other for q in GRID)
    assert bool(conflicts(pair, eps)) is not both


@given(statements(most=1), st.sampled_from(["might", "would"]), st.data())
def test_only_the_same_question_can_conflict(statement, modal, data):
    one = Statement(statement.given, statement.antecedent, modal, statement.consequent, statement.mode)
    denial = {"might": "would not", "would": "might not"}[modal]
    other = Statement(one.given, one.antecedent, denial, one.consequent, one.mode)
    assert [(i, j) for i, j, _ in conflicts([one, other])] == [(0, 1)]
    parts = {"given": one.given, "antecedent": one.antecedent, "consequent": one.consequent}
    changed = data.draw(st.sampled_from([*parts]))
    least = 0 if changed == "given" else 1
    parts[changed] = data.draw(
        conditions(least, 2).filter(lambda new: set(new) - set(one.consequent) - set(parts[changed]))
    )
    elsewhere = Statement(parts["given"], parts["antecedent"], denial, parts["consequent"], one.mode)
    assert conflicts([one, elsewhere]) == []
    as_found = {"do": "observe", "observe": "do"}[one.mode]
    assert conflicts([one, Statement(one.given, one.antecedent, denial, one.consequent, as_found)]) == []


def test_conflicts_say_what_each_asks_for():
    three = [say("might"), say("would not"), say("might", "be not bald"), say("would", "be not bald")]
    assert conflicts(three) == [
        (0, 1, "'might' asks for a probability above 0.05, 'would not' for one at most 0.05"),
        (0, 3, "'might' asks for a probability above 0.05, 'would' for one at most 0.05 (both of the same value)"),
    ]


def test_several_conditions_conflict_as_one_event():
    both = [say("would", "be bald and smile"), say("might not", "both be bald and smile")]
    assert [(i, j) for i, j, _ in conflicts(both)] == [(0, 1)]
    assert conflicts([both[0], say("might", "be not bald and not smile")]) == []


def test_each_statement_is_told_with_its_change_and_its_conflicts():
    found = check_statements(
        {"a": say("might"), "b": say("would not"), "c": say("would", subject="this bald man")}, LAW
    )
    a, b, c = found
    assert [one.name for one in found] == ["a", "b", "c"]
    assert (a.truth.value, b.truth.value, c.truth.value) == (True, False, True)
    assert f"{a.change.probability:.4f}" == "0.0950" and c.change is None
    assert set(a.conflicts) == {"b"} and a.conflicts["b"] == b.conflicts["a"] and c.conflicts == {}


def test_stickiness_and_tolerance_reach_every_statement():
    one = say("might", subject="this young man (who is not bald)")
    found = [check_statements([one], LAW, *numbers)[0] for numbers in ((1.0, 0.07), (1.0, 0.1), (0.0, 0.07))]
    assert [(told.name, told.truth.value) for told in found] == [("1", True), ("1", False), ("1", False)]


def test_several_open_conditions_have_no_change():
    (found,) = check_statements([say("might", "be bald and smile")], LAW)
    assert found.change is None and found.truth.value is not None


def test_a_model_without_the_label_names_the_statement():
    with pytest.raises(StatementError, match=r"^x: .*'Goatee'"):
        check_statements({"x": say("might", "have a goatee")}, LAW)

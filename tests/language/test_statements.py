"""Statements as data, and their truth under label models."""

import numpy as np
import pytest
from helpers.label_oracles import known_labels
from helpers.statement_strategies import conditions, models, statements
from hypothesis import assume, given
from hypothesis import strategies as st

import causalcf as cf
from causalcf.data.faces.units import celeba_scm
from causalcf.errors import CausalCFError, StatementError
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.language.modals import MODALS, Interval
from causalcf.language.statement import Statement

LAW = celeba_scm()
YOUNG_MAN = {"Young": 1, "Male": 1}
TOLERANCES = st.sampled_from([0.0, 0.03, 0.05, 0.25, 0.49])
STICKINESS = st.sampled_from([0.0, 0.53, 1.0])
NEGATIONS = [name for name in MODALS if not name.endswith("not")]


def truth(text, **options):
    return Statement.parse(text).truth(LAW, **options)


def test_the_public_name_is_the_class():
    assert (
        cf.Statement is Statement and cf.StatementError is StatementError and issubclass(StatementError, cf.QueryError)
    )


@pytest.mark.parametrize(
    ("modal", "value", "threshold"),
    [
        ("might", True, 0.05),
        ("would", False, 0.95),
        ("might not", True, 0.95),
        ("would not", False, 0.05),
        ("would probably", False, 0.5),
        ("would probably not", True, 0.5),
        ("would likely", False, 0.7),
        ("would likely not", True, 0.3),
    ],
)
def test_a_young_man_who_is_not_bald_might_be_bald_if_he_were_old(modal, value, threshold):
    told = truth(f"If this young man (who is not bald) were old, he {modal} be bald.")
    assert told.value is value and bool(told) is value and not told.vacuous
    assert told.threshold == threshold and f"{told.probability:.4f}" == "0.0950" and "0.0950" in told.reason


def test_a_young_woman_would_not():
    told = truth("If this young woman (who is not bald) were old, she might be bald.")
    assert told.value is False and f"{told.probability:.4f}" == "0.0001"
    assert truth("If this young woman (who is not bald) were old, she would not be bald.").value is True


@pytest.mark.parametrize(
    ("p", "modal"), [(0.05, "would not"), (0.95, "would"), (0.5, "would probably"), (0.05, "might")]
)
def test_rounding_at_the_threshold_does_not_decide(p, modal):
    graph = CausalGraph({"Male": [], "Young": ["Male"], "Bald": ["Male", "Young"]})
    told = set()
    for share in np.linspace(0.05, 0.95, 19):
        scm = LabelSCM.from_probabilities(
            graph, {"Male": share, "Young": [share, 1 - share / 3], "Bald": [[p, p], [p, p]]}
        )
        for begin in ("If this person were old", "If we saw that this person was old"):
            told.add(Statement.parse(f"{begin}, they {modal} be bald.").truth(scm, stickiness=0.53).value)
    assert len(told) == 1


def test_who_is_bald_already_counts_unless_the_change_is_meant():
    statement = Statement.parse("If this young man were old, he might be bald.")
    p_old, p_young = (LAW.probability({"Bald": 1}, given={"Male": 1, "Young": young}) for young in (0, 1))
    assert statement.truth(LAW).probability == pytest.approx(p_old, abs=1e-12)
    changed = statement.about_change().truth(LAW).probability
    assert changed == pytest.approx((p_old - p_young) / (1 - p_young), abs=1e-12)


@pytest.mark.parametrize(("stickiness", "q"), [(1.0, 0.0950), (0.77, 0.0991), (0.53, 0.1033), (0.0, 0.1126)])
def test_stickiness_moves_the_probability_as_in_closed_form(stickiness, q):
    """That he stays a man is supposed too: else a share of the men would be women, their sex being redrawn."""
    statement = Statement.parse("If this young man (who is not bald) were an old man, he might be bald.")
    assert statement.truth(LAW, stickiness).probability == pytest.approx(q, abs=5e-5)


def test_what_backtracks_is_true_under_observe_alone():
    set_, seen = ("If this woman had a moustache", "If we saw that this woman had a moustache")
    assert truth(f"{set_}, she would probably be a woman.", stickiness=0.53).value is True
    assert truth(f"{set_}, she would be a woman.").value is True
    assert truth(f"{seen}, she would be a man.", stickiness=0.53).value is True
    assert truth(f"{seen}, she would be a woman.", stickiness=0.53).value is False


@given(st.floats(0, 1), TOLERANCES, st.sampled_from(NEGATIONS))
def test_not_means_the_same_of_the_opposite(q, eps, name):
    affirmed, denied = MODALS[name].interval(eps), MODALS[f"{name} not"].interval(eps)
    if min(abs(q - bound) for bound in (affirmed.threshold, denied.threshold)) > 1e-9:
        assert (q in denied) == (1 - q in affirmed)


@given(st.floats(0, 1), TOLERANCES)
def test_might_and_would_are_duals_at_every_probability_and_would_implies_might(q, eps):
    holds = {name: q in MODALS[name].interval(eps) for name in MODALS}
    assert holds["might"] is not holds["would not"] and holds["might not"] is not holds["would"]
    assert holds["might"] or not holds["would"]
    assert holds["might not"] or not holds["would not"]
    assert holds["probably"] or not holds["likely"]


def test_two_tolerances_would_break_the_duality():
    might, would_not = MODALS["might"].interval(0.02), MODALS["would not"].interval(0.05)
    assert 0.03 in might and 0.03 in would_not


@given(st.data(), models(), STICKINESS, TOLERANCES)
def test_duality_under_random_models(data, case, stickiness, eps):
    nodes = case.graph.nodes
    statement = data.draw(statements(nodes, most=1))
    (name, value), *_ = statement.consequent.items()
    parts = statement.given, statement.antecedent
    might = Statement(*parts, "might", {name: value}, statement.mode).truth(case.scm, stickiness, eps)
    would = Statement(*parts, "would", {name: value}, statement.mode).truth(case.scm, stickiness, eps)
    would_not = Statement(*parts, "would not", {name: value}, statement.mode).truth(case.scm, stickiness, eps)
    opposite = Statement(*parts, "would", {name: 1 - value}, statement.mode).truth(case.scm, stickiness, eps)
    assert might.vacuous == would.vacuous == would_not.vacuous == opposite.vacuous
    if might.vacuous:
        assert might.value is would.value is opposite.value is might.probability is None
        return
    assert might.value is not would_not.value and (might.value or not would.value)
    assert opposite.probability == pytest.approx(1 - might.probability, abs=1e-9)
    if abs(might.probability - eps) > 1e-9:
        assert might.value is not opposite.value


@given(st.data(), models())
def test_probabilities_of_set_antecedents_are_those_of_abduction_action_prediction(data, case):
    statement = data.draw(statements(case.graph.nodes).filter(lambda one: one.mode == "do"))
    told = statement.truth(case.scm)
    both, below = case.pearl(statement.consequent, statement.given, statement.antecedent)
    possible = below > 0 and case.probability(statement.antecedent)[0] > 0
    assert told.vacuous is not possible
    if possible:
        assert told.probability == pytest.approx(both / below, abs=1e-9)


@given(st.data(), models())
def test_probabilities_of_seen_antecedents_are_conditional_ones_where_no_noise_is_kept(data, case):
    nodes = case.graph.nodes
    intervention, consequent = data.draw(conditions(1, 2, nodes)), data.draw(conditions(1, 2, nodes))
    told = Statement({}, intervention, "might", consequent, "observe").truth(case.scm, stickiness=0.0)
    both, below = case.probability(consequent, intervention)
    assert told.vacuous is not (below > 0)
    if below > 0:
        assert told.probability == pytest.approx(both / below, abs=1e-9)


@given(st.data(), models())
def test_a_seen_antecedent_against_all_facts_is_vacuous_where_all_noise_is_kept(data, case):
    nodes = case.graph.nodes
    facts = data.draw(known_labels(case, complete=True))
    name = data.draw(st.sampled_from(nodes))
    assume(case.probability({name: 1 - facts[name]})[0] > 0)
    told = Statement(facts, {name: 1 - facts[name]}, "might", {name: 1}, "observe").truth(case.scm)
    assert told.vacuous and "cannot turn out to be" in told.reason and "at stickiness 1" in told.reason


def test_what_nobody_is_is_vacuous_and_says_who():
    graph = CausalGraph({"Male": [], "Mustache": ["Male"], "Bald": []})
    scm = LabelSCM.from_probabilities(graph, {"Male": 0.5, "Mustache": [0.0, 0.25], "Bald": 0.0})
    told = Statement.parse("If this woman with a moustache were a man, she would have a moustache.").truth(scm)
    assert (told.value, told.probability, told.vacuous) == (None, None, True) and not told
    assert told.reason == "nobody is a woman with a moustache"
    told = Statement.parse("If this woman were bald, she would have a moustache.").truth(scm)
    assert told.vacuous and told.reason == "nobody is a bald person"
    told = Statement.parse("If this woman had a moustache, she would be a man.").truth(scm)
    assert not told.vacuous and told.probability == 0.0


def test_what_is_certain_is_exactly_so():
    tenths = LabelSCM.from_probabilities(
        CausalGraph({"Young": [], "Bald": ["Young"]}), {"Young": 0.1, "Bald": [0.1, 0.7]}
    )
    assert Statement({}, {"Bald": 1}, "would", {"Bald": 1}).truth(tenths, eps=0.0).value is True
    assert Statement({}, {"Bald": 1}, "might", {"Bald": 0}).truth(tenths, eps=0.0).value is False


def test_about_change_leaves_what_is_said_and_refuses_what_is_unclear():
    said = Statement({"Bald": 1}, {"Young": 0}, "would", {"Bald": 1})
    assert said.about_change() is said
    two = Statement({"Bald": 0}, {"Young": 0}, "might", {"Bald": 1, "Smiling": 1})
    assert two.about_change() is two  # not both already
    one = Statement({"Bald": 1}, {"Young": 0}, "might", {"Bald": 1, "Smiling": 1})
    assert one.about_change().given == {"Bald": 1, "Smiling": 0}
    with pytest.raises(StatementError, match="Bald, Smiling"):
        Statement({}, {"Young": 0}, "might", {"Bald": 1, "Smiling": 1}).about_change()


@given(statements(most=1))
def test_the_change_is_from_not_being_so(statement):
    changed = statement.about_change()
    (name, value), *_ = statement.consequent.items()
    assert changed.given[name] == statement.given.get(name, 1 - value) and changed.about_change() is changed


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (({}, {"Young": 0}, "might", {}), "consequent.*empty"),
        (({}, {}, "might", {"Bald": 1}), "supposed"),
        (({}, {"Young": 0}, "migt", {"Bald": 1}), "'migt'.*'might'"),
        (({}, {"Young": 0}, ["might"], {"Bald": 1}), r"modal.*\['might'\]"),
        (({}, {"Young": 0}, "might", {"Bald": 2}), "consequent.*Bald=2"),
        (({"Bald": 0.5}, {"Young": 0}, "might", {"Bald": 1}), r"given.*Bald=0\.5"),
        (({}, {"Young": 0}, "might", ["Bald"]), r"consequent=\['Bald'\]"),
        (({}, {"Young": 0}, "might", {"Bald": 1}, "see"), "mode.*'see'"),
    ],
)
def test_malformed_statements(arguments, culprit):
    with pytest.raises(StatementError, match=culprit):
        Statement(*arguments)


def test_a_statement_keeps_no_hold_of_what_it_was_made_from():
    values = {"Bald": 1}
    statement = Statement({}, {"Young": 0}, "might", values)
    values["Bald"] = 0
    assert statement.consequent == {"Bald": 1} and statement.query == cf.Query({}, {"Young": 0})


@pytest.mark.parametrize("eps", [-0.01, 0.5, np.nan])
def test_tolerances_out_of_range_are_refused(eps):
    with pytest.raises(StatementError, match=rf"\beps\b.*{eps}"):
        truth("If this man were old, he might be bald.", eps=eps)


def test_models_that_cannot_be_asked():
    with pytest.raises(StatementError, match=r"'Goatee'.*Young"):
        truth("If this man were old, he might have a goatee.")
    with pytest.raises(CausalCFError, match="stickiness=2"):
        truth("If this man were old, he might be bald.", stickiness=2)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Interval(low=0.5), Interval(high=0.5), True),
        (Interval(low=0.5, low_open=True), Interval(high=0.5), False),
        (Interval(low=0.5), Interval(high=0.5, high_open=True), False),
        (Interval(low=0.2), Interval(low=0.8), True),
        (Interval(low=0.2, high=0.3), Interval(low=0.8), False),
    ],
)
def test_intervals_meet_or_not(one, other, meet):
    assert one.meets(other) is other.meets(one) is meet

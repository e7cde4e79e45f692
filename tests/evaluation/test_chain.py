"""The whole chain calibrated: approaches whose answers are known must get the verdicts that they deserve."""

import pytest
from helpers.artificial import NODES, Confounded, IgnoresGraph, Rendered, ReversedGraph

from causalcf.data.faces import true_scm
from causalcf.evaluation.axioms import composition, effectiveness
from causalcf.evaluation.flips import flip
from causalcf.evaluation.links import ABSENT, LEAKS, RESPECTED, adjust, link_results
from causalcf.evaluation.session import Session, Settings
from causalcf.evaluation.suite import Link, LinkQuestion
from causalcf.labels.reference import Reference

MARGIN = 0.05
N = 800
REFERENCE = Reference(true_scm(), NODES, "truth")


def judged(approach, judge, causes=NODES):
    """The verdict and the result of each pair of the causes, all 72 unless told, and the flips behind them."""
    settings = Settings(N, MARGIN, margin=MARGIN, resamples=500)
    session = Session(approach, REFERENCE, judge, settings)
    links = []
    for cause in causes:
        questions = [LinkQuestion(Link(cause, name)) for name in NODES if name != cause]
        links += link_results(session, true_scm().graph, session.flip(cause), questions)
        session.flipped(cause)
    adjust(links)
    return {(link["cause"], link["effect"]): link for link in links}, session


@pytest.fixture(scope="module")
def truth(judge):
    return judged(Rendered(), judge)


def test_the_judge_is_good_enough_to_calibrate_with(judge):
    assert min(min(rate.value for rate in judge.rates(name)) for name in NODES) > 0.97


def test_true_counterfactuals_are_respected_on_all_pairs(truth):
    links, _ = truth
    assert len(links) == 72 and {link["verdict"] for link in links.values()} == {RESPECTED}
    assert max(abs(link["leak"]) for link in links.values()) < MARGIN
    assert sum(abs(link["reference"]) > MARGIN for link in links.values()) > 5  # and not for want of effects


def test_true_counterfactuals_have_effectiveness_at_its_ceiling(truth, judge):
    _, session = truth
    flips = {cause: session.flipped(cause) for cause in NODES}
    cells = true_scm().sample(20_000)
    found = effectiveness(session.approach, flips, cells, 0)
    ceiling = min(min(rate.interval[0] for rate in judge.rates(name)) for name in NODES)
    assert found["all"]["value"] >= ceiling > 0.8 and found["unseen"]["value"] > 0.95
    assert composition(session.approach, session.worlds()[0], 0)["pixels"]["value"] == 0.0


def test_an_approach_that_ignores_the_graph_is_absent_on_exactly_the_descendants_that_answer(judge):
    links, _ = judged(IgnoresGraph("ignores"), judge)
    absent = {pair for pair, link in links.items() if link["verdict"] == ABSENT}
    assert absent == {pair for pair, link in links.items() if abs(link["reference"]) > MARGIN}
    assert all(pair[1] in true_scm().graph.descendants(pair[0]) for pair in absent) and len(absent) > 5


def test_a_reversed_graph_leaks_into_causes_and_leaves_effects_alone(judge, truth):
    links, session = judged(ReversedGraph("reversed"), judge)
    graph = true_scm().graph
    for (cause, effect), link in links.items():
        upwards = _expected(session, cause)[effect]
        if effect in graph.ancestors(cause) and abs(upwards) > MARGIN + 0.03:
            assert link["verdict"] == LEAKS, (cause, effect)
        if effect in graph.descendants(cause) and abs(link["reference"]) > MARGIN:
            assert link["verdict"] == ABSENT, (cause, effect)
    assert links["Bald", "Male"]["verdict"] == LEAKS and links["Male", "Wearing_Lipstick"]["verdict"] == ABSENT


@pytest.mark.slow
def test_taking_correlation_for_causation_leaks_where_there_is_no_path(judge):
    links, _ = judged(Confounded("confounded"), judge, ("Bald", "Mustache", "Wearing_Lipstick", "Mouth_Slightly_Open"))
    leaks = 0
    for (cause, effect), link in links.items():
        among = [true_scm().probability({effect: 1}, given={cause: value}) for value in (0, 1)]
        if effect not in true_scm().graph.descendants(cause) and abs(among[1] - among[0]) > MARGIN + 0.08:
            leaks += 1
            assert link["verdict"] == LEAKS, (cause, effect)
    assert leaks >= 5 and links["Wearing_Lipstick", "Male"]["verdict"] == LEAKS


def test_labels_held_show_explaining_away_under_observe_and_none_under_do(judge):
    """Young -> Bald <- Male, among the bald: the exact answers differ by the mode, and a renderer follows do."""
    approach = Rendered()
    session = Session(approach, REFERENCE, judge, Settings(300, MARGIN))
    worlds, seen = session.worlds((("Bald", 1),))
    male = NODES.index("Male")
    found = flip(approach, REFERENCE, judge.read, worlds, seen, "Young", {"Bald": 1})
    assert float(found.references[:, male].abs().max()) < 1e-9 and abs(float(found.effects[:, male].mean())) < 0.02
    column = worlds.labels[:, NODES.index("Young")]
    both = [
        REFERENCE.answer(worlds.labels, {"Bald": worlds.labels[:, 0] * 0 + 1, "Young": young}, "observe", 0.53)[1]
        for young in (column, 1 - column)
    ]
    assert float((both[1] - both[0])[:, male].abs().mean()) > 1e-4


def _expected(session, cause):
    """The reversed label model's own effect on each label, exactly."""
    worlds, _ = session.worlds()
    was = worlds.labels[:, NODES.index(cause)]
    theirs = Reference(ReversedGraph.law(), NODES, "fitted")
    possible, answers = theirs.answer(worlds.labels, {cause: 1 - was}, "do", 1.0)
    moved = (answers - worlds.labels) * (1 - 2 * was.double())[:, None]
    return dict(zip(NODES, moved[possible].mean(0).tolist(), strict=True))

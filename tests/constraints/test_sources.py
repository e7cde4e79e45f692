"""Where groups come from: the laws of what they draw, exactly or as binomial tests at one fixed level."""

import pytest
import torch
from helpers.constraint_toys import GRAPH, OLD_MAN, law
from scipy.stats import binomtest

from causalcf.constraints.costs import Targets
from causalcf.constraints.sources import PAIRS, POOL, LabelledSource, PartlyLabelledSource, ReplaySource, questions_of
from causalcf.errors import StatementError
from causalcf.labels import LabelSCM
from causalcf.labels.evidence import configurations, matching
from causalcf.labels.mechanisms import TableMechanism
from causalcf.language.statement import Statement

ALPHA = 1e-5


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def source_of(statement, stickiness):
    questions = questions_of({"said": statement}, GRAPH, 1.0, 0.0)
    return questions[0], LabelledSource(law(), 3, stickiness, questions, seeded())


@pytest.mark.parametrize(("mode", "stickiness"), [("do", 1.0), ("do", 0.53), ("observe", 0.53)])
def test_labels_follow_the_label_models_own_counterfactuals(mode, stickiness):
    statement = Statement({"Male": 1}, {"Bald": 1}, "might", {"Young": 0}, mode)
    question, source = source_of(statement, stickiness)
    labels, intervention = source.pools[question.name]
    assert bool((labels[:, GRAPH.nodes.index("Male")] == 1).all())
    assert bool((intervention[:, GRAPH.nodes.index("Bald")] == 1).all())
    old = int((intervention[:, GRAPH.nodes.index("Young")] == 0).sum())
    asked = {mode: statement.antecedent}
    exact = law().counterfactual_probability({"Young": 0}, statement.given, **asked, stickiness=stickiness)
    assert binomtest(old, POOL, exact).pvalue > ALPHA
    other = {"observe" if mode == "do" else "do": statement.antecedent}
    wrong = law().counterfactual_probability({"Young": 0}, statement.given, **other, stickiness=0.53)
    assert binomtest(old, POOL, wrong).pvalue < ALPHA


def test_actual_facts_of_an_observation_are_conditioned_on_it_too():
    statement = Statement({"Male": 1}, {"Bald": 1}, "might", {"Young": 0}, "observe")
    question, source = source_of(statement, 0.9)
    young = int(source.pools[question.name][0][:, GRAPH.nodes.index("Young")].sum())
    both = law().counterfactual_probability({"Bald": 1}, {"Male": 1, "Young": 1}, stickiness=0.9)
    alone = law().counterfactual_probability({"Bald": 1}, {"Male": 1}, stickiness=0.9)
    assert binomtest(young, POOL, 0.7 * both / alone).pvalue > ALPHA
    assert binomtest(young, POOL, 0.7).pvalue < ALPHA


def test_a_rare_observation_at_stickiness_one_finds_those_who_are_so_already():
    statement = Statement({"Male": 0}, {"Bald": 1}, "might", {"Young": 1}, "observe")
    tables = law().mechanisms | {"Bald": TableMechanism(torch.full((2, 2), 1e-6))}
    questions = questions_of({"said": statement}, GRAPH, 1.0, 0.0)
    source = LabelledSource(LabelSCM(GRAPH, tables), 3, 1.0, questions, seeded())
    labels, after = source.pools[questions[0].name]
    assert torch.equal(labels, after)
    assert bool((labels[:, GRAPH.nodes.index("Bald")] == 1).all() and (labels[:, GRAPH.nodes.index("Male")] == 0).all())


def test_image_noise_is_kept_as_often_as_asked_and_all_of_it_at_one():
    question, source = source_of(OLD_MAN, 0.53)
    group = source.draw(question, 2000, seeded())
    kept = int((group.noise == group.moved).sum())
    assert binomtest(kept, group.noise.numel(), 0.53).pvalue > ALPHA
    question, source = source_of(OLD_MAN, 1.0)
    group = source.draw(question, 8, seeded())
    assert torch.equal(group.noise, group.moved)


def test_a_question_about_nobody_is_refused_by_name():
    with pytest.raises(StatementError, match=r"\bsaid\b.*Male=0, Young=1, Bald=1\b"):
        source_of(Statement({"Male": 0, "Young": 1, "Bald": 1}, {"Young": 0}, "might", {"Male": 1}), 1.0)


def read(noise, labels=None):
    """Three labels, each the sign of its own coordinate."""
    return (noise[:, :3] > 0).to(torch.int8)


def replay(stickiness=0.53, seed=0, turns=90):
    """Young is coordinate 0, Male 1, Bald 2, all independent of each other."""
    (question,) = questions_of({"said": OLD_MAN}, GRAPH, 1.0, 0.0, "observe")
    source = ReplaySource(("Young", "Male", "Bald"), 4, stickiness, 16, [question])
    draw = seeded(seed)
    for _ in range(turns):
        noise = torch.rand(64, 4, generator=draw) * 2 - 1
        source.watch(noise, read(noise))
        source.propose(question, read, draw)
    return question, source


def test_pairs_show_what_is_given_and_supposed():
    question, source = replay()
    noise, moved = source.pairs[question.name]
    assert len(noise) == PAIRS
    assert read(noise)[:, :2].tolist() == [[1, 1]] * PAIRS
    assert read(moved)[:, 0].tolist() == [0] * PAIRS


def test_pairs_follow_the_esm_given_facts_and_antecedent():
    same = total = 0
    for seed in range(8):
        question, source = replay(seed=seed)
        noise, moved = (read(part)[:, 2] for part in source.pairs[question.name])
        same, total = same + int((noise == moved).sum()), total + len(noise)
    s = 0.53  # a coordinate that nothing is asked of keeps its sign where it is kept, and else half of the time
    assert binomtest(same, total, s + (1 - s) / 2).pvalue > ALPHA
    assert binomtest(same, total, s).pvalue < ALPHA


def test_a_group_is_the_newest_pairs_and_shares_none_with_the_group_before():
    question, source = replay()
    first = source.draw(question, 16, seeded())
    assert first is not None and torch.equal(first.moved, source.pairs[question.name][1][-16:])
    source.propose(question, read, seeded(1))
    second = source.draw(question, 16, seeded())
    assert second is not None
    shown = {tuple(row) for row in first.moved.tolist()}
    assert not any(tuple(row) in shown for row in second.moved.tolist())


def test_where_the_antecedent_is_rare_older_pairs_fill_the_group():
    question, source = replay()
    older = source.pairs[question.name][1][-16:]
    nobody_old = torch.ones(source.proposals, 3, dtype=torch.int8)
    source.propose(question, lambda noise, labels: nobody_old, seeded(1))
    group = source.draw(question, 16, seeded())
    assert group is not None and torch.equal(group.moved, older)


def test_what_no_longer_holds_is_forgotten():
    question, source = replay()
    before = len(source.pairs[question.name][0])
    group = source.draw(question, 16, seeded())
    stale = read(group.moved)
    stale[:5, 0] = 1
    facts, holds = source.confirm(question, group, read(group.noise), stale)
    assert torch.equal(facts, read(group.noise))
    assert holds.tolist() == [False] * 5 + [True] * 11
    left, moved = source.pairs[question.name]
    assert len(left) == before - 5
    gone = {tuple(row) for row in group.moved[:5].tolist()}
    assert not gone & {tuple(row) for row in moved.tolist()}


def test_too_few_pairs_are_no_group():
    question, source = replay(turns=0)
    assert source.draw(question, 16, seeded()) is None
    source.propose(question, read, seeded())  # nobody is as given yet: nothing to do, and no error
    assert source.proposed == 0


BALD_MAN = Statement({"Young": 1, "Male": 1, "Bald": 1}, {"Young": 0}, "would", {"Bald": 1})
NODES = ("Bald", "Young", "Male")  # in another order than the generator's labels


def seen(noise, labels):
    """Bald is the sign of a coordinate; Young and Male are read wrongly, which must not matter."""
    return torch.stack([(noise[:, 0] > 0).to(torch.int8), 1 - labels[:, 0], 1 - labels[:, 1]], 1)


def partly(stickiness=1.0, turns=20, statement=BALD_MAN):
    (question,) = questions_of({"said": statement}, GRAPH, 1.0, 0.0)
    scm = LabelSCM.from_probabilities(GRAPH.with_nodes(["Young", "Male"]), {"Young": 0.7, "Male": 0.4})
    source = PartlyLabelledSource(scm, NODES, 4, stickiness, 16, [question])
    draw = seeded(1)
    for _ in range(turns):
        source.search(question, torch.zeros(0, 4), lambda: None, seen, draw)
    return question, source


def test_people_show_what_is_given_and_their_antecedent_is_set_on_the_same_noise():
    question, source = partly()
    assert source.proposed == 20 * 64
    assert binomtest(source.accepted, source.proposed, 0.5).pvalue > ALPHA  # half of the young men are bald
    assert binomtest(source.accepted, source.proposed, 0.7 * 0.4 * 0.5).pvalue < ALPHA
    group = source.draw(question, 16, seeded())
    assert torch.equal(group.noise, source.units[question.name][0][-16:]) and torch.equal(group.noise, group.moved)
    assert bool((group.noise[:, 0] > 0).all())
    assert group.labels.tolist() == [[1, 1]] * 16 and group.intervention.tolist() == [[0, 1]] * 16
    facts, holds = source.confirm(question, group, seen(group.noise, group.labels), None)
    assert facts.tolist() == [[1, 1, 1]] * 16 and bool(holds.all())


def test_people_who_no_longer_show_what_is_given_are_forgotten():
    question, source = partly()
    group, before = source.draw(question, 16, seeded()), len(source.units[question.name][0])
    read = seen(group.noise, group.labels)
    read[:5, 0] = 0
    assert source.confirm(question, group, read, None)[1].tolist() == [False] * 5 + [True] * 11
    left = {tuple(row) for row in source.units[question.name][0].tolist()}
    assert len(left) == before - 5 and not left & {tuple(row) for row in group.noise[:5].tolist()}


def test_people_are_kept_over_a_restart_and_too_few_are_no_group():
    question, source = partly()
    other = partly(turns=0)[1]
    assert other.draw(question, 16, seeded()) is None
    other.restore(source.state())
    ours, theirs = (one.draw(question, 16, seeded(3)) for one in (source, other))
    assert torch.equal(ours.noise, theirs.noise) and other.accepted == source.accepted > 0


def test_below_stickiness_one_the_noise_of_people_moves():
    question, source = partly(stickiness=0.53)
    group = source.draw(question, 400, seeded())
    kept = int((group.noise == group.moved).sum())
    assert binomtest(kept, group.noise.numel(), 0.53).pvalue > ALPHA


def test_an_antecedent_that_the_generator_is_not_given_is_refused_by_name():
    with pytest.raises(StatementError, match=r"\bsaid: Bald\b.*Young, Male alone"):
        partly(statement=Statement({"Male": 1}, {"Bald": 1}, "might", {"Young": 0}))
    with pytest.raises(StatementError, match=r"\bsaid: .*mode do"):
        partly(statement=Statement({"Male": 1}, {"Young": 0}, "might", {"Bald": 1}, "observe"))


def test_targets_are_the_label_models_answers_and_nothing_where_facts_cannot_be():
    (question,) = questions_of({"said": OLD_MAN}, GRAPH, 1.0, 0.0)
    targets = Targets(law(), GRAPH.nodes, 0.53)
    place = {name: i for i, name in enumerate(GRAPH.nodes)}
    rows = torch.zeros(4, 3, dtype=torch.int8)
    rows[:3, place["Male"]] = rows[:3, place["Young"]] = 1
    rows[1, place["Bald"]] = 1
    rows[3, place["Young"]] = rows[3, place["Bald"]] = 1  # young bald women do not exist here
    found = targets(question, rows)
    assert found.shape == (4, 4) and torch.equal(found[0], found[2])
    assert found[3].isnan().all()
    for row, bald in ((0, 0), (1, 1)):
        facts = {"Young": 1, "Male": 1, "Bald": bald}
        for column, event in enumerate([*({name: 1} for name in GRAPH.nodes), OLD_MAN.consequent]):
            exact = law().counterfactual_probability(event, facts, do={"Young": 0}, stickiness=0.53)
            assert found[row, column].item() == pytest.approx(exact, abs=1e-6)
    assert targets.before(question, "said") == pytest.approx(0.02)


@pytest.mark.parametrize("stickiness", [0.53, 1.0])
@pytest.mark.parametrize("given", [{}, {"Young": 1}])
def test_before_is_of_the_units_that_come_to_have_what_is_observed(stickiness, given):
    """Oracle: all label rows, each by its probability and by how likely it comes to have the antecedent."""
    scm, told = law(), Statement(given, {"Bald": 1}, "would", {"Male": 1}, "observe")
    (question,) = questions_of({"said": told}, GRAPH, stickiness, 0.0)
    rows = configurations(len(GRAPH.nodes))
    rows = rows[scm.log_probability(rows).isfinite() & matching(rows, GRAPH.nodes, given)]
    come = scm.counterfactual_probabilities({"Bald": 1}, rows, stickiness=stickiness)
    weights = scm.log_probability(rows).exp() * come
    exact = float(weights[matching(rows, GRAPH.nodes, {"Male": 1})].sum() / weights.sum())
    found = Targets(scm, GRAPH.nodes, stickiness).before(question, "said")
    assert found == pytest.approx(exact) and abs(found - scm.probability({"Male": 1}, given=given)) > 0.05

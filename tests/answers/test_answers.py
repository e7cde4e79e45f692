"""Answers against closed forms and recounts, in numbers, words and pictures."""

import json

import pytest
import torch
from helpers.fake_run import BALD_MEN, GRAPH, TABLES, FakeRun
from scipy.stats import binomtest

from causalcf.answers.answer import answer, answer_labels, expect_labels
from causalcf.answers.text import save_answer, to_dict, to_text
from causalcf.errors import CausalCFError, ImpossibleWorldError, IntractableError, QueryError
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, NeuralMechanism
from causalcf.language.query import Query
from causalcf.runs.recipe import STICKINESS

ALPHA = 1e-5
SCM = LabelSCM.from_probabilities(GRAPH, TABLES)
AGED = Query({"Young": 1, "Male": 1, "Bald": 0}, {"Young": 0})


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("stickiness", "bald"), [(1.0, 0.0950), (0.77, 0.0991), (0.53, 0.1033), (0.0, 0.1126)])
@pytest.mark.parametrize("mode", ["do", "observe"])  # the antecedent is a root, so that both agree
def test_the_exact_answer_is_the_closed_form(stickiness, bald, mode):
    men = LabelSCM.from_probabilities(CausalGraph({"Young": [], "Bald": ["Young"]}), {"Young": 0.75, "Bald": BALD_MEN})
    query = Query({"Young": 1, "Bald": 0}, {"Young": 0}, mode)
    if mode == "observe" and stickiness == 1:
        with pytest.raises(ImpossibleWorldError):
            answer_labels(men, query, stickiness)
        return
    told = answer_labels(men, query, stickiness)
    assert told.exact["Bald"].before == 0 and told.exact["Young"].before == 1
    assert told.exact["Bald"].after == pytest.approx(bald, abs=5e-5)
    assert told.exact["Young"].after == pytest.approx(0)


def test_a_label_with_unknown_causes_is_summed_over_them():
    told = answer_labels(SCM, Query({"Male": 0}, {"Male": 1}), 1.0)
    old, young = BALD_MEN
    assert told.exact["Bald"].after == pytest.approx(0.25 * old + 0.75 * young)
    assert told.exact["Eyeglasses"].after == told.exact["Eyeglasses"].before == pytest.approx(0.25 * 0.2 + 0.75 * 0.05)


def test_reachable_is_certain_by_intervention_and_a_sticky_redraw_by_observation():
    assert answer_labels(SCM, AGED, 1.0).reachable == 1
    assert answer_labels(SCM, AGED.as_mode("observe"), 0.6).reachable == pytest.approx(0.4 * 0.25)
    assert answer_labels(SCM, Query({"Male": 0}, {"Mustache": 1}), 1.0).base_rate == pytest.approx(0.001)
    assert answer_labels(SCM, Query({"Male": 0}, {"Male": 1}), 1.0).base_rate == 0


@pytest.mark.parametrize("stickiness", [0.0, 0.53, 0.9])
def test_observed_jointly_weighs_units_by_how_easily_they_reach_the_antecedent(stickiness):
    query = Query({"Young": 1}, {"Mustache": 1}, "observe")
    told = answer_labels(SCM, query, stickiness)
    every = torch.tensor([[int(bit) for bit in f"{cell:05b}"] for cell in range(32)])
    prior = SCM.log_probability(every).exp() * (every[:, GRAPH.nodes.index("Young")] == 1)
    reach = SCM.counterfactual_probabilities({"Mustache": 1}, every, stickiness=stickiness)
    for name in GRAPH.nodes:
        each = SCM.counterfactual_probabilities({name: 1}, every, observe={"Mustache": 1}, stickiness=stickiness)
        assert told.exact[name].after == pytest.approx(float((prior * reach * each).sum() / (prior * reach).sum()))
    nested = expect_labels(SCM, every[prior > 0], query, stickiness)
    average = SCM.counterfactual_probabilities({"Male": 1}, every[prior > 0], None, {"Mustache": 1}, stickiness)
    assert nested["Male"] == pytest.approx(float(average.mean()))


def test_joint_and_nested_answers_part():
    # Who wears glasses already reaches them most easily, without growing old: joint conditioning finds more of them.
    query = Query({"Young": 1}, {"Eyeglasses": 1}, "observe")
    found = answer(FakeRun(), query, 400, 1, generator=seeded())
    assert found.label_answer.exact["Young"].after - found.expected["Young"] > 0.05
    same = answer(FakeRun(), query, 400, 1, 0.0, generator=seeded())
    assert same.expected["Young"] == pytest.approx(same.label_answer.exact["Young"].after)


def test_images_show_the_exact_law_and_not_the_interventional_one():
    query = Query({"Young": 1, "Male": 1, "Bald": 0}, {"Young": 0})
    found = answer(FakeRun(side=5), query, 40_000, 1, generator=seeded())
    seen, exact = found.seen["Bald"].after, found.label_answer.exact["Bald"].after
    assert binomtest(seen.hits, seen.n, exact).pvalue > ALPHA
    assert binomtest(seen.hits, seen.n, BALD_MEN[0]).pvalue < ALPHA
    assert found.expected["Bald"] == pytest.approx(exact)


def test_rates_recount_the_first_draw_of_every_face():
    run, query = FakeRun(), Query({"Young": 1}, {"Young": 0})
    found = answer(run, query, 200, 3, generator=seeded(1))
    worlds = run.sample(200, given=query.given, generator=(g := seeded(1)))
    drawn = run.counterfactual(worlds, do=query.antecedent, draws=3, generator=g)
    assert torch.equal(found.actual, worlds.images) and torch.equal(found.drawn, drawn.images)
    assert torch.equal(found.labels, worlds.labels) and torch.equal(found.drawn_labels, drawn.labels)
    for i, name in enumerate(GRAPH.nodes):
        was, now, seen = worlds.labels[:, i].tolist(), drawn.labels[:, 0, i].tolist(), found.seen[name]
        assert (seen.before.hits, seen.after.hits) == (sum(was), sum(now))
        assert seen.gained == sum(a < b for a, b in zip(was, now, strict=True))
        assert seen.lost == sum(a > b for a, b in zip(was, now, strict=True))
        assert seen.before.n == seen.after.n == 200
    assert found.seen["Eyeglasses"].gained > 0 and found.seen["Male"].gained == found.seen["Male"].lost == 0


def test_a_generator_that_shows_nothing_of_the_antecedent_is_found_out():
    query = Query({"Male": 0}, {"Mustache": 1})
    assert answer(FakeRun(), query, 50, 2, generator=seeded()).seen["Mustache"].after.hits == 50
    assert answer(FakeRun(blind=("Mustache",)), query, 50, 2, generator=seeded()).seen["Mustache"].after.hits == 0


def test_stickiness_defaults_by_mode_and_the_noise_follows():
    query = Query({"Male": 0}, {"Mustache": 1})
    found = answer(FakeRun(), query, 3, 1, generator=seeded())
    assert (found.stickiness, found.noise_stickiness) == (1, 1)
    found = answer(FakeRun(), query.as_mode("observe"), 3, 1, generator=seeded())
    assert (found.stickiness, found.noise_stickiness) == (STICKINESS["observe"],) * 2 == (0.53, 0.53)
    found = answer(FakeRun(), query, 40, 2, 0.5, 1.0, seeded())
    assert (found.stickiness, found.noise_stickiness) == (0.5, 1.0)
    assert torch.equal(found.drawn[:, 0, :, 4, 4], found.actual[:, :, 4, 4])


def test_the_same_seed_gives_the_same_answer_and_global_state_stays():
    state = torch.get_rng_state()
    first, second = (answer(FakeRun(), AGED, 30, 2, 0.5, generator=seeded(3)) for _ in range(2))
    assert to_dict(first) == to_dict(second) and torch.equal(first.drawn, second.drawn)
    answer(FakeRun(), AGED, 2, 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_label_model_the_noise_draws_tell_what_is_reachable():
    found = answer(FakeRun(labelled=False), AGED.as_mode("observe"), 20, 2, generator=seeded())
    assert found.reachable == pytest.approx((0.25 + 0.75) / 2)
    assert found.label_answer is None and found.expected is None
    told = to_dict(found)
    assert told["labels"]["Bald"]["exact"] is None and told["base_rate"] is None
    assert told["note"] == "the run has no label model" and told["note"] in to_text(found)


@pytest.mark.parametrize("given", [{"Male": 1}, {}])
def test_at_stickiness_1_what_is_observed_holds_of_the_faces_that_are_drawn(given):
    query = Query(given, {"Mustache": 1}, "observe")  # one man in ten, so that faces drawn as given would not do
    found = answer(FakeRun(), query, 2000, 1, 1.0, generator=seeded())
    assert found.seen["Mustache"].before.hits == found.seen["Mustache"].after.hits == 2000
    assert torch.equal(found.actual, found.drawn[:, 0])
    for name, exact in found.label_answer.exact.items():
        after = found.seen[name].after
        assert binomtest(after.hits, after.n, min(exact.after, 1.0)).pvalue > ALPHA, name
    with pytest.raises(ImpossibleWorldError):
        answer(FakeRun(), Query({"Male": 0}, {"Male": 1}, "observe"), 5, 1, 1.0)


def test_a_label_model_too_large_leaves_the_images(monkeypatch):
    def refuse(*_, **__):
        raise IntractableError("a table of 2^99 cells")

    monkeypatch.setattr(LabelSCM, "probability", refuse)
    found = answer(FakeRun(), AGED, 5, 1, generator=seeded())
    assert found.note == "a table of 2^99 cells" and found.label_answer is None and found.seen["Young"].lost == 5


@pytest.mark.parametrize("query", [AGED, Query({"Male": 1}, {"Eyeglasses": 1}, "observe"), Query({}, {"Bald": 1})])
def test_where_exact_answers_are_too_large_rates_of_drawn_labels_stand_for_them(query, monkeypatch):
    exact = answer_labels(SCM, query, STICKINESS[query.mode]).exact
    monkeypatch.setattr("causalcf.labels.elimination.MAX_CELLS", 1)
    found = answer(FakeRun(), query, 5, 1, generator=seeded())
    assert found.label_answer is None and found.expected is None and len(found.actual) == 5
    for name, rates in found.sampled.items():
        for rate, probability in zip(rates, (exact[name].before, exact[name].after), strict=True):
            assert binomtest(rate.hits, rate.n, min(probability, 1.0)).pvalue > ALPHA / 10, name
    moved = max(found.sampled, key=lambda name: abs(exact[name].after - exact[name].before))
    after = found.sampled[moved][1]
    assert binomtest(after.hits, after.n, min(exact[moved].before, 1.0)).pvalue < ALPHA, "negative control"
    text, told = to_text(found), to_dict(found)["labels"]["Bald"]
    assert "sampled before" in text and "exact before" not in text and "no exact answer: the exact answer needs" in text
    assert "sampled: 10,000 draws of the label model" in text
    low, high = found.sampled["Bald"][1].interval
    assert told["exact"] is None and (told["sampled"]["after"]["low"], told["sampled"]["after"]["high"]) == (low, high)
    assert to_dict(answer(FakeRun(), query, 5, 1, generator=seeded()))["labels"]["Bald"]["sampled"] == told["sampled"]


def test_labels_that_are_too_rare_to_be_drawn_leave_the_images(monkeypatch):
    def refuse(*_, **__):
        raise IntractableError("too rare")

    monkeypatch.setattr("causalcf.labels.elimination.MAX_CELLS", 1)
    monkeypatch.setattr("causalcf.answers.answer.sample_labels", refuse)
    found = answer(FakeRun(), Query({}, {"Bald": 1}), 5, 1, generator=seeded())
    assert found.sampled is None and "sampled" not in to_text(found) and found.seen["Bald"].after.hits == 5


class FortyLabels(FakeRun):
    """The complete graph over CelebA's attributes, a random network for each."""

    @property
    def scm(self):
        draw, mechanisms = seeded(), {}
        for i, node in enumerate(self.graph.nodes):
            shapes = (), (i,), (3, i), (3,), (3,)
            mechanisms[node] = NeuralMechanism(
                *(torch.randn(s, generator=draw, dtype=torch.float64) / 2 for s in shapes)
            )
        return LabelSCM(self.graph, mechanisms)


@pytest.mark.parametrize("mode", ["do", "observe"])
def test_forty_labels_are_answered_given_the_last_of_them(mode):
    run = FortyLabels(graph=load_graph("celeba-all"), side=40)
    found = answer(run, Query({"Young": 1}, {"Bald": 1}, mode), 20, 2, generator=seeded())
    assert "39 variables" in found.note and "39 variables" in to_text(found)
    assert found.seen["Young"].before.hits == found.seen["Bald"].after.hits == 20
    assert found.sampled["Young"][0].hits == found.sampled["Bald"][1].hits == 10_000
    free = run.scm.sample(60_000, generator=seeded(1))
    young, rates = free[free[:, 39] == 1].double().mean(0), found.sampled
    for name, rate in zip(run.graph.nodes, young.tolist(), strict=True):
        assert abs(rates[name][0].value - rate) < 5.5 * (0.25 / 10_000 + 0.25 / 20_000) ** 0.5, name


@pytest.mark.parametrize(
    ("query", "options", "error", "culprit"),
    [
        (Query({}, {"Smiling": 1}), {}, QueryError, "'Smiling'.*Young, Male, Bald"),
        (AGED, {"faces": 0}, CausalCFError, r"\bfaces\b.*\b0\b"),
        (AGED, {"draws": 0}, CausalCFError, r"\bdraws\b.*\b0\b"),
        (AGED, {"stickiness": 1.5}, CausalCFError, r"\bstickiness\b.*\b1\.5\b"),
        (AGED, {"noise_stickiness": float("nan")}, CausalCFError, r"\bnoise_stickiness\b.*\bnan\b"),
        (AGED.as_mode("observe"), {"stickiness": 1.0}, ImpossibleWorldError, "Young=0.*Young=1, Male=1, Bald=0"),
    ],
)
def test_what_cannot_be_answered(query, options, error, culprit):
    with pytest.raises(error, match=culprit):
        answer(FakeRun(), query, **options)


def test_words_say_what_was_asked_and_what_else_changed():
    text = to_text(answer(FakeRun(), Query({"Male": 1, "Young": 1}, {"Young": 0}), 200, 2, generator=seeded()))
    lines = text.splitlines()
    assert lines[0] == "Given a young man, what if he were old?"
    assert "given Male=1, Young=1; do Young=0; stickiness 1 (image noise 1); 200 faces, 2 draws each" in text
    assert "P(antecedent reachable) = 1.0000: an intervention sets it" in text
    assert "P(Young=0 | Male=1, Young=1) = 0.0000" in text
    row = next(line for line in lines if line.startswith("Young (antecedent)"))
    assert row.split()[2:6] == ["1.0000", "0.0000", "1.000", "[0.981,"]
    assert any("Bald 0.0195 -> 0.1126; Eyeglasses 0.0500 -> 0.2000" in line for line in lines)
    assert any(line.startswith("what else changes in the images, of 200: glasses (came ") for line in lines)
    assert "these faces" not in text and "Labeler" in text


def test_observed_answers_explain_both_exact_columns():
    text = to_text(
        answer(FakeRun(antecedent_classifier="a classifier"), AGED.as_mode("observe"), 10, 1, generator=seeded())
    )
    assert "exact, these faces" in text and "jointly" in text and "a separate classifier" in text


def test_faces_that_are_given_the_antecedent_are_said_to_be():
    found = answer(FakeRun(), Query({}, {"Young": 0}, "observe"), 10, 1, 1.0, generator=seeded())
    assert "drawn given the antecedent, too" in to_text(found) and "too" in to_dict(found)["note"]
    found = answer(FakeRun(), Query({}, {"Young": 0}, "observe"), 10, 1, 0.9, generator=seeded())
    assert "drawn given" not in to_text(found) and to_dict(found)["note"] == ""


def test_nothing_else_changes_where_nothing_can():
    text = to_text(answer(FakeRun(), Query({"Male": 0}, {"Mustache": 1}), 50, 1, generator=seeded()))
    assert "what else changes in the label model: nothing" in text
    assert "what else changes in the images, of 50: nothing" in text


def test_plain_values_are_json_with_stable_keys():
    told = to_dict(answer(FakeRun(), AGED, 10, 2, generator=seeded()))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert list(told) == [
        "question", "given", "antecedent", "mode", "stickiness", "noise_stickiness", "faces", "draws", "reachable",
        "base_rate", "judge", "caveat", "note", "labels",
    ]  # fmt: skip
    assert list(told["labels"]) == list(GRAPH.nodes) and (told["faces"], told["draws"]) == (10, 2)
    young = told["labels"]["Young"]
    assert young["exact"] == {"before": 1.0, "after": 0.0, "these_faces": 0.0}
    assert young["judged"]["after"] == {
        "hits": 0,
        "n": 10,
        "rate": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.2775, abs=1e-4),
    }
    assert (young["judged"]["gained"], young["judged"]["lost"]) == (0, 10)


def test_captions_tell_what_changed_and_what_was_asked_for_in_vain(monkeypatch, tmp_path):
    kept = {}
    monkeypatch.setattr("causalcf.answers.text.save_captioned", lambda path, rows, **more: kept.update(more, rows=rows))
    query = Query({"Male": 0, "Young": 1, "Bald": 0, "Eyeglasses": 0}, {"Mustache": 1})
    save_answer(tmp_path / "a.png", answer(FakeRun(), query, 3, 2, generator=seeded()), rows=2)
    assert kept["title"] == str(query) and list(kept["headings"]) == ["actual", "draw 1", "draw 2"]
    assert [len(row) for row in kept["rows"]] == [3, 3]
    actual, draw, _ = kept["rows"][0]
    assert list(actual.lines) == ["young, woman, not bald, no moustache, no glasses"]
    assert list(draw.lines) == ["young, woman, not bald, moustache, no glasses", "now: moustache"] and draw.marked == 1
    save_answer(tmp_path / "a.png", answer(FakeRun(blind=("Mustache",)), query, 1, 1, generator=seeded()))
    assert list(kept["rows"][0][1].lines[1:]) == ["nothing changed", "not seen: moustache"]

"""Answers about a photograph whose labels are uncertain. Oracle: its readings, each by what it makes likely."""

from types import SimpleNamespace

import pytest
import torch
from scipy.stats import binomtest

from causalcf.answers.photograph import READINGS, answer_photograph
from causalcf.data.faces import true_scm
from causalcf.errors import ImpossibleWorldError
from causalcf.language.query import Query
from causalcf.runs.counterfactual import CounterfactualWorlds, Worlds

ALPHA = 1e-5
SCM = true_scm()
NAMES = SCM.graph.nodes


def drawn(labels):
    """Images (..., 3, 64, 64) that show labels (..., d) in their first pixels."""
    images = torch.zeros(*labels.shape[:-1], 3, 64, 64)
    images[..., 0, 0, : len(NAMES)] = labels.float()
    return images


class Run(SimpleNamespace):
    """A run that draws labels as pixels, and reads them without error; of a photograph it reads `readings`."""

    graph, labels, recipe = SCM.graph, SCM, SimpleNamespace(partial=False)
    antecedent_classifier, caveat = None, ""

    def read_labels(self, images, given, generator):
        return self.readings, torch.ones(self.readings.shape)

    def abduct(self, images, labels, method, generator):
        made = drawn(labels)
        return Worlds(torch.zeros(len(labels), 1), labels, images, images - made)

    def counterfactual(self, worlds, stickiness, noise_stickiness, budget, draws, generator, **asked):
        labels = SCM.counterfactual(worlds.labels, **asked, stickiness=stickiness, draws=draws, generator=generator)
        return CounterfactualWorlds(worlds.noise[:, None].expand(-1, draws, -1), labels, drawn(labels))

    def judge(self, images):
        return images[:, 0, 0, : len(NAMES)]


def readings(**ones):
    """A hundred readings: all labels 0, but for the first so many of each that is named."""
    rows = torch.zeros(READINGS, len(NAMES), dtype=torch.int8)
    for name, count in ones.items():
        rows[:count, NAMES.index(name)] = 1
    return rows


def answered(rows, query, stickiness, seed=0):
    image = torch.zeros(3, 64, 64)
    draw = torch.Generator().manual_seed(seed)
    return answer_photograph(Run(readings=rows), image, query, stickiness=stickiness, generator=draw)


@pytest.mark.parametrize("stickiness", [0.53, 0.9])
def test_a_reading_counts_by_how_likely_it_makes_what_is_observed(stickiness):
    rows, antecedent = readings(Male=READINGS, Young=80), {"Bald": 1}
    found = answered(rows, Query({}, antecedent, "observe"), stickiness)
    ask = SCM.counterfactual_probabilities
    weights = ask(antecedent, rows, stickiness=stickiness)
    young = ask({"Young": 1}, rows, observe=antecedent, stickiness=stickiness)
    joint, equal = float((weights * young).sum() / weights.sum()), float(young.mean())
    assert found.expected["Young"] == pytest.approx(joint) and abs(joint - equal) > 0.02
    assert found.expected["Bald"] == pytest.approx(1)
    assert float(found.read[NAMES.index("Young")]) == pytest.approx(0.8)  # as it is read, whatever is asked
    hits = round(float(found.seen[NAMES.index("Young")]) * found.images)
    assert found.images == READINGS and binomtest(hits, READINGS, joint).pvalue > ALPHA
    assert binomtest(hits, READINGS, 1 - joint).pvalue < ALPHA


def test_readings_that_exclude_what_is_observed_are_left_out_unless_all_do():
    smiling = Query({}, {"Smiling": 1}, "observe")
    found = answered(readings(Smiling=97, Mouth_Slightly_Open=60), smiling, 1.0)
    assert found.expected["Smiling"] == pytest.approx(1) and found.seen[NAMES.index("Smiling")] == 1
    assert found.expected["Mouth_Slightly_Open"] == pytest.approx(60 / 97)
    with pytest.raises(ImpossibleWorldError, match=r"Smiling=1 cannot be observed.*stickiness"):
        answered(readings(), smiling, 1.0)


def test_before_and_after_are_probabilities():
    class Faint(Run):
        def judge(self, images):
            return 0.4 * super().judge(images)

    image, query = torch.ones(3, 64, 64), Query({}, {"Male": 1}, "do")
    found = answer_photograph(Faint(readings=readings(Male=READINGS)), image, query)
    for seen in (found.seen_before, found.seen, found.seen_bare):
        assert float(seen[NAMES.index("Male")]) == pytest.approx(0.4)


def test_under_do_all_readings_count_the_same():
    rows = readings(Male=READINGS, Bald=30)
    found = answered(rows, Query({}, {"Young": 0}, "do"), 1.0)
    exact = SCM.counterfactual_probabilities({"Bald": 1}, rows, do={"Young": 0})
    assert found.expected["Bald"] == pytest.approx(float(exact.mean()))


def test_what_is_shown_is_of_the_commonest_reading():
    rows = readings(Eyeglasses=20)  # the first reading is not the commonest
    found = answered(rows, Query({}, {"Young": 0}, "do"), 1.0)
    assert found.reconstruction[0, 0, NAMES.index("Eyeglasses")] == 0
    assert found.decibels == pytest.approx(100)  # all black, as the photograph

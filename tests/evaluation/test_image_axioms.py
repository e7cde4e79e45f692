"""Axioms on images whose labels stand in their pixels: what was not answered is told, nothing ends an evaluation."""

import json
from dataclasses import replace

import pytest
import torch
from helpers.artificial import NODES, Exact, IgnoresGraph, written

from causalcf.data.faces import true_scm
from causalcf.evaluation.approaches import Drawn
from causalcf.evaluation.axioms import FEW, axioms, composition, effectiveness, reversibility
from causalcf.evaluation.session import Session, Settings
from causalcf.labels.reference import Reference
from causalcf.statistics.rates import Rate

N = 300
D = len(NODES)
MANY = FEW // D + 1
REFERENCE = Reference(true_scm(), NODES, "truth")
CELLS = true_scm().sample(5000)


class Reader(Exact):
    """Its features are the pixels."""

    classifier = None


@pytest.fixture(autouse=True)
def features(monkeypatch):
    monkeypatch.setattr("causalcf.evaluation.axioms.judge_features", lambda _, images: images.flatten(1).double())


def asked(approach, n=N):
    """The approach's worlds, and its flips of all labels."""
    session = Session(approach, REFERENCE, Reader(), Settings(n, 0.05))
    return session.worlds()[0], {cause: session.flipped(cause) for cause in NODES}


def measured(approach, n=N):
    worlds, flips = asked(approach, n)
    return axioms(approach, Reader(), true_scm().graph, worlds, flips, CELLS, 0)


class Refuses(written(IgnoresGraph)):
    """Has no counterfactual for those made to wear a moustache, nor for those who lose one."""

    refused = "Mustache"

    def counterfactual(self, worlds, antecedent, generator):
        whole = super().counterfactual(worlds, antecedent, generator)
        some = self.kept(worlds, antecedent)
        return Drawn(
            whole.rows[some], whole.noise[some], whole.labels[some], whole.images[some], unreached=int((~some).sum())
        )

    def kept(self, worlds, antecedent):
        asked = antecedent.get(self.refused)
        return torch.ones(len(worlds), dtype=torch.bool) if asked is None else asked != 1


def test_an_approach_that_obeys_has_all_and_is_asked_about_as_many_faces_as_there_are():
    found = measured(written(IgnoresGraph)())
    flips = {"units": N, "answered": N * D, "asked": N * D}
    everyone = {"n": N * D, **flips}
    effective = found["effectiveness"]
    assert effective["all"].items() >= {"value": 1.0, "n": N * D * D, **flips}.items()
    assert effective["all"]["low"] == pytest.approx(Rate(N, N).interval[0])  # of faces, not of 24,300 labels
    assert all(one.items() >= everyone.items() for one in (effective["flipped"], *effective["labels"].values()))
    parts = effective["seen"], effective["unseen"]
    assert sum(part["n"] for part in parts) == N * D * D and {part["asked"] for part in parts} == {None}
    few = {"n": MANY * D, "units": MANY * D, "answered": MANY * D, "asked": MANY * D}
    assert all(found["reversibility"][key].items() >= few.items() for key in ("pixels", "labels"))
    assert found["composition"]["pixels"].items() >= {"value": 0.0, "n": FEW, "asked": FEW}.items()
    assert found["minimality"]["pixels"].items() >= everyone.items()
    assert found["minimality"]["non_descendants"].items() >= {"value": 0.0, "units": N}.items()
    assert found["diversity"].items() >= {"n": FEW // 4, "answered": FEW // 4, "asked": FEW // 4}.items()


def test_flips_that_were_not_reached_are_told_beside_those_that_were():
    worlds, flips = asked(Refuses())
    reached = int((worlds.labels[:, NODES.index("Mustache")] == 1).sum())
    description = {"answered": N * (D - 1) + reached, "asked": N * D}
    found = effectiveness(Refuses(), flips, CELLS, 0)
    assert all(
        one.items() >= description.items() for one in (found["all"], found["flipped"], *found["labels"].values())
    )

    class Unlabelled(Refuses):
        has_labels = False

    flips = {cause: replace(flip, labels=None) for cause, flip in flips.items()}
    found = effectiveness(Unlabelled(has_labels=False), flips, CELLS, 0)
    assert found["all"] == found["flipped"] and found["all"].items() >= description.items() and found["seen"] is None
    assert found["labels"]["Mustache"].items() >= {"answered": reached, "asked": N}.items()


def test_the_flip_alone_is_one_quantity_for_all_approaches():
    """All labels come out wrong but the one that was flipped."""

    class Scrambles(written(IgnoresGraph)):
        def counterfactual(self, worlds, antecedent, generator):
            labels = self.respond(worlds, antecedent, generator)
            (column,) = [NODES.index(name) for name in antecedent]
            wrong = 1 - labels
            wrong[:, column] = labels[:, column]
            return Drawn(torch.arange(len(labels)), worlds.noise, labels, self.generate(worlds.noise, wrong))

    _, flips = asked(Scrambles())
    found = effectiveness(Scrambles(), flips, CELLS, 0)
    assert found["all"]["value"] == pytest.approx(1 / D) and found["flipped"]["value"] == 1.0


def test_what_could_not_be_flipped_back_is_told():
    """Who lost a moustache gets none back."""
    _, flips = asked(Refuses())
    few = flips["Mustache"].few
    lost = MANY - len(few), int((few.actual.labels[:, NODES.index("Mustache")] == 1).sum())
    found = reversibility(Refuses(), Reader(), flips, 0.2, 0)
    assert lost[0] > 0 and found["labels"].items() >= {"n": MANY * D - sum(lost), "asked": MANY * D}.items()
    assert found["pixels"]["n"] == found["labels"]["n"] and found["labels"]["value"] == 1.0


def test_each_cause_is_flipped_back_on_other_faces():
    _, flips = asked(written(IgnoresGraph)())
    units = torch.cat([flip.few.drawn.rows for flip in flips.values()])
    assert len(units) == len(units.unique()) == MANY * D
    _, flips = asked(written(IgnoresGraph)(), n=5)  # fewer faces than are asked of each cause
    assert all(flip.few_asked == len(flip.few) == 5 for flip in flips.values())


def test_composition_and_diversity_tell_who_was_lost():
    class Half(written(IgnoresGraph)):
        def counterfactual(self, worlds, antecedent, generator):
            whole = super().counterfactual(worlds, antecedent, generator)
            some = torch.arange(3 if antecedent else 0, len(worlds), 1 if antecedent else 2)
            return Drawn(whole.rows[some], whole.noise[some], whole.labels[some], whole.images[some])

    worlds, flips = asked(Half())
    assert composition(Half(), worlds, 0)["pixels"].items() >= {"n": N // 2, "asked": N}.items()
    found = axioms(Half(), Reader(), true_scm().graph, worlds, flips, CELLS, 0)["diversity"]
    assert (
        found.items() >= {"n": FEW // 4 - 1, "units": FEW // 4 - 1, "answered": FEW // 4 - 1, "asked": FEW // 4}.items()
    )


def test_who_answers_nothing_is_measured_to_the_end():
    class Silent(written(IgnoresGraph)):
        def counterfactual(self, worlds, antecedent, generator):
            nobody = torch.zeros(0, dtype=torch.long)
            return Drawn(nobody, worlds.noise[:0], worlds.labels[:0], worlds.images[:0], unreached=len(worlds))

    found = measured(Silent())
    json.dumps(found, allow_nan=False)
    assert found["reversibility"]["labels"].items() >= {"value": None, "n": 0, "asked": MANY * D}.items()
    assert found["effectiveness"]["flipped"].items() >= {"value": None, "answered": 0, "asked": N * D}.items()
    assert found["diversity"].items() >= {"value": None, "n": 0, "asked": FEW // 4}.items()


def test_a_collapsed_generator_is_measured_to_the_end():
    """All images are one: there is no yardstick, and what is a share of it is null."""

    class Collapsed(written(IgnoresGraph)):
        def generate(self, noise, labels):
            return super().generate(noise, torch.zeros_like(labels))

    found = measured(Collapsed())
    json.dumps(found, allow_nan=False)
    assert found["diversity"]["value"] is None and found["diversity"]["n"] == FEW // 4
    assert found["minimality"]["pixels"]["value"] is found["reversibility"]["pixels"]["value"] is None
    assert found["minimality"]["pixels"]["answered"] == N * D
    assert found["composition"]["pixels"]["value"] == 0.0 and 0 < found["effectiveness"]["flipped"]["value"] < 1


@pytest.mark.parametrize("n", [2, 3, 7])
def test_few_faces_are_measured_to_the_end(n):
    json.dumps(measured(written(IgnoresGraph)(), n), allow_nan=False)


def test_a_flip_of_some_units_is_theirs():
    worlds, flips = asked(Refuses())
    whole = flips["Mustache"]
    some, places = whole.few, torch.isin(whole.rows, whole.few.drawn.rows)
    assert torch.equal(some.actual.labels, worlds.labels[some.drawn.rows])
    assert torch.equal(some.actual.images, worlds.images[some.drawn.rows])
    assert torch.equal(some.seen_after, whole.seen_after[places])
    assert torch.equal(some.drawn.labels, whole.labels[places])

"""Approaches whose generator is given some labels: the others are read from images; checked where they are known."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from scipy.stats import binomtest

from causalcf.data.faces import true_scm
from causalcf.errors import UnreachedError
from causalcf.evaluation.approaches import PartlyLabelledApproach, approaches_of
from causalcf.evaluation.flips import flip
from causalcf.labels import LabelSCM
from causalcf.labels.reference import Reference
from causalcf.runs.recipe import Recipe

ALPHA = 1e-5
LAW = true_scm()
NODES = ("Bald", "Young", "Male")
TABLES = {"Young": 0.7736, "Male": 0.4168}


@dataclass
class Toy:
    """Images hold the labels given and a noise; a man is bald where it lies under a bar that depends on his age."""

    stays: bool = True
    folder = SimpleNamespace(name="toy")
    graph = LAW.graph.with_nodes(["Young", "Male"])
    labels = LabelSCM.from_probabilities(graph, TABLES)
    recipe = Recipe(generator_labels=("Young", "Male"))

    def sample_noise(self, n, generator):
        return torch.rand(n, 2, generator=generator) * 2 - 1

    def generate(self, noise, labels):
        return torch.cat([noise, labels.to(noise)], 1)[:, :, None, None].expand(-1, -1, 1, 1).clone() / 2 + 0.5

    def see(self, images):
        noise, young, male = images[:, 0, 0, 0] * 2 - 1, images[:, 2, 0, 0] > 0.75, images[:, 3, 0, 0] > 0.75
        share = torch.where(young, 0.2, 0.6)
        u = noise / 2 + 0.5
        u = u if self.stays else torch.where(young, 1 - u, u)
        return torch.stack([male & (u < share), young, male], 1).to(torch.int8)


def approach(run, budget=60):
    return PartlyLabelledApproach("toy-do", "toy", run, NODES, "do", 1.0, "", run.see, budget)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_actual_people_are_as_given_whether_the_generator_or_the_image_says_so():
    asked = approach(Toy())
    worlds = asked.actual(500, {"Bald": 1, "Young": 1}, seeded())
    assert len(worlds) == 500 and worlds.labels.tolist() == [[1, 1, 1]] * 500
    young = asked.actual(4000, {"Male": 1}, seeded()).labels[:, 1]
    assert binomtest(int(young.sum()), 4000, 0.7736).pvalue > ALPHA
    with pytest.raises(UnreachedError, match=r"Bald=1, Male=0"):
        asked.actual(10, {"Bald": 1, "Male": 0}, seeded())


@pytest.mark.parametrize(("stays", "share"), [(True, 1.0), (False, 0.0)])
def test_the_same_person_is_followed_and_forbidden_moves_are_seen(stays, share):
    run = Toy(stays)
    asked = approach(run)
    worlds = asked.actual(300, {"Bald": 1, "Young": 1}, seeded())
    found = asked.counterfactual(worlds, {"Young": torch.zeros(300, dtype=torch.int8)}, seeded())
    assert torch.equal(found.noise, worlds.noise) and found.lost == ""
    seen = run.see(found.images)
    assert not seen[:, 1].any() and bool(seen[:, 2].all())
    # Bald at u < .2, or where nothing stays at u > .8, of which none are under .6.
    assert float(seen[:, 0].double().mean()) == share


def test_a_cause_that_is_not_given_is_said_and_loses_everybody():
    reference = Reference(LabelSCM.from_probabilities(
        LAW.graph.with_nodes(NODES), {**TABLES, "Bald": [[0.001, 0.1], [0.001, 0.02]]}), NODES, "fitted")  # fmt: skip
    run = Toy()
    asked = approach(run)
    worlds = asked.actual(50, {}, seeded())
    found = flip(asked, reference, run.see, worlds, run.see(worlds.images), "Bald")
    assert len(found) == 0
    units = found.drawn.units(50)
    assert units["unreached"] == 50 and units["told"] == "Bald cannot be set: the generator is given Young, Male alone"
    assert len(flip(asked, reference, run.see, worlds, run.see(worlds.images), "Young")) == 50


def test_the_kind_says_that_the_generator_is_given_some_labels_alone():
    judge = SimpleNamespace(facts=None)
    found, left_out = approaches_of(Toy(), "some", Reference(LAW, LAW.graph.nodes, "truth"), judge)
    assert [one.kind for one in found] == ["causalgan-partial-do"] and left_out == []
    assert approaches_of(Toy(), "some", Reference(LAW, LAW.graph.nodes, "truth"), judge, "observe")[0] == []

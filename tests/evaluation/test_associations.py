"""Associations of labels in real images: against a plain loop, where there is none, and of a known size."""

import math

import torch
from helpers.noise_oracles import ALPHA
from scipy.stats import binomtest, norm

from causalcf.evaluation.associations import association, associations

NODES = ("Glasses", "Male", "Smiling", "Young")


def drawn(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return (torch.rand(n, 4, generator=draw) < torch.tensor([0.2, 0.5, 0.4, 0.7])).to(torch.int8), draw


def test_it_is_the_weighted_mean_over_groups_of_equals():
    labels, draw = drawn(300)
    seen = torch.rand(300, 5, generator=draw)
    weights = torch.stack([torch.ones(300), torch.randint(3, (300,), generator=draw).float()])
    for cause in range(4):
        others = [i for i in range(4) if i != cause]
        for weight, found in zip(weights.double(), association(labels, seen, cause, weights), strict=True):
            total, sums = 0.0, torch.zeros(5).double()
            for group in labels[:, others].unique(dim=0):
                same = (labels[:, others] == group).all(1)
                one, none = (same & (labels[:, cause] == value) for value in (1, 0))
                a, b = float(weight[one].sum()), float(weight[none].sum())
                if a and b:
                    means = [(seen[rows].double() * weight[rows][:, None]).sum(0) for rows in (one, none)]
                    total, sums = total + a * b / (a + b), sums + a * b / (a + b) * (means[0] / a - means[1] / b)
            assert torch.allclose(found, sums / total)


def test_what_depends_on_the_other_labels_alone_has_none():
    """However strongly the cause goes with them: here everyone with glasses is old."""
    labels, _ = drawn(400)
    labels[labels[:, 3] == 1, 0] = 0
    seen = torch.stack([labels[:, 3], labels[:, 1] * labels[:, 2]], 1).double()
    assert association(labels, seen, 0, torch.ones(1, 400)).abs().max() < 1e-12
    crude = seen[labels[:, 0] == 1].mean(0) - seen[labels[:, 0] == 0].mean(0)
    assert crude[0] < -0.5  # the control: without groups


def test_nobody_to_compare_gives_no_figure():
    labels = torch.tensor([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=torch.int8)
    assert association(labels, labels.double(), 0, torch.ones(1, 4)).isnan().all()
    draw = torch.Generator().manual_seed(0)
    assert associations(labels, labels, ("A", "B"), [("A", "B")], draw) == []


def test_intervals_hold_the_truth_as_often_as_they_say():
    """A reading that is true with probability .3, and .25 more with glasses."""
    truth, held, excluded = 0.25, 0, 0
    for seed in range(200):
        labels, draw = drawn(300, seed)
        chance = torch.stack([0.3 + truth * labels[:, 0], torch.full((300,), 0.3)], 1)
        seen = torch.zeros(300, 4)
        seen[:, 1:3] = (torch.rand(300, 2, generator=draw) < chance).float()
        pairs = [("Glasses", "Male"), ("Glasses", "Smiling"), ("Glasses", "Young")]
        one, other, nothing = associations(labels, seen, NODES, pairs, draw)
        assert (one["cause"], one["effect"]) == ("Glasses", "Male") and nothing["value"] == 0
        held += one["low"] <= truth <= one["high"]
        excluded += other["low"] > 0 or other["high"] < 0
        reach = norm.ppf(1 - ALPHA / 400) * math.sqrt(0.25 / 40)  # some fifty people have glasses
        assert abs(one["value"] - truth) < reach
    assert binomtest(held, 200, 0.95).pvalue > ALPHA and binomtest(excluded, 200, 0.05).pvalue > ALPHA
    assert binomtest(held, 200, 0.68).pvalue < ALPHA  # the control

"""A run without labels is asked by exact rejection; checked where the posterior is known in closed form."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from scipy.stats import kstest

from causalcf.errors import RunError, UnreachedError
from causalcf.evaluation.approaches import UnlabelledApproach, esm_kernel, gaussian_kernel

ALPHA = 1e-5


@dataclass
class Toy:
    """Images are the noise itself; its classifier sees "high" where the first coordinate exceeds a threshold."""

    threshold: float = 0.0
    folder = SimpleNamespace(name="toy")

    @property
    def antecedent_classifier(self):
        return SimpleNamespace(select=lambda nodes: SimpleNamespace(labels=self.see))

    def see(self, images):
        return (images[:, 0, 0, :2] > torch.tensor([self.threshold, 0.0])).to(torch.int8)

    def sample_noise(self, n, generator):
        return torch.rand(n, 3, generator=generator) * 2 - 1

    def generate(self, noise):
        return noise[:, None, None, :].clone()


def approach(run, kernel, budget=60):
    return UnlabelledApproach("toy", "toy", run, ("high", "other"), "observe", 0.5, "", run.see, kernel, budget)


def ask(asked, n=4000, seed=0):
    draw = torch.Generator().manual_seed(seed)
    worlds = asked.actual(n, {}, draw)
    return worlds, asked.counterfactual(worlds, {"high": 1 - worlds.labels[:, 0]}, draw)


def test_the_antecedent_holds_and_the_posterior_is_the_known_one():
    worlds, found = ask(approach(Toy(), esm_kernel(0.5)))
    assert len(found.rows) == 4000 and found.unreached == 0
    high = found.noise[:, 0] > 0
    assert torch.equal(high, worlds.noise[:, 0] <= 0)
    # A coordinate that had to cross zero was redrawn: uniform on the other side. The others are sticky.
    assert kstest(found.noise[:, 0].abs().numpy(), "uniform").pvalue > ALPHA
    kept = (found.noise[:, 1] == worlds.noise[:, 1]).double().mean()
    assert abs(float(kept) - 0.5) < 4.5 * 0.5 / 4000**0.5
    assert kstest(found.noise[:, 0].abs().numpy(), lambda x: x**1.2).pvalue < ALPHA  # another law is told apart


def test_gaussian_steps_are_kept_only_where_the_antecedent_shows():
    worlds, found = ask(approach(Toy(), gaussian_kernel(0.5), budget=400), 500)
    assert torch.equal(found.noise[:, 0] > 0, worlds.noise[found.rows, 0] <= 0)
    assert len(found.rows) + found.unreached == 500


def test_units_beyond_the_budget_are_counted_and_the_others_are_kept():
    _, found = ask(approach(Toy(threshold=0.999), esm_kernel(0.9), budget=5), 1000)
    assert found.unreached > 0 and len(found.rows) + found.unreached == 1000
    assert torch.equal(found.images[:, 0, 0], found.noise)


def test_actual_worlds_are_as_given_or_an_error_says_how_many_were():
    worlds = approach(Toy(), esm_kernel(0.5)).actual(300, {"high": 1, "other": 0}, torch.Generator().manual_seed(0))
    assert len(worlds) == 300 and worlds.labels.tolist() == [[1, 0]] * 300
    with pytest.raises(UnreachedError, match=r"\btoy\b.*\bhigh=1\b.*\b300\b"):
        approach(Toy(threshold=2), esm_kernel(0.5)).actual(300, {"high": 1}, torch.Generator().manual_seed(0))


def test_without_a_classifier_there_is_nothing_to_observe_with():
    class Blind(Toy):
        antecedent_classifier = None

    with pytest.raises(RunError, match=r"\btoy\b.*\bclassifier\b"):
        ask(approach(Blind(), esm_kernel(0.5)), 10)

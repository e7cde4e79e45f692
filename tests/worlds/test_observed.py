"""Noise given an observed antecedent: every method against the exact posterior, and wrong kernels found out."""

import math

import numpy as np
import pytest
import torch
from helpers.noise_oracles import ALPHA, ATTRIBUTE, Linear, chi_square, paint, seeded
from scipy import stats

from causalcf.worlds.condition import Antecedent, Judge
from causalcf.worlds.conditional import Rejection
from causalcf.worlds.metropolis import Metropolis
from causalcf.worlds.observed import counterfactual_noise
from causalcf.worlds.posterior import Population, Posterior, Tempering
from causalcf.worlds.samplers import PRIORS, StickyKernel
from causalcf.worlds.smc import SMC

# Draws that are as good as independent: one from each chain; few out of a large population, from different families.
INDEPENDENT = {"rejection": Rejection(), "smc": SMC(particles=20_000), "mh": Metropolis(chains=600)}
N = 600
RUNS = 20
BUDGET = 10**7


def ask(toy, method, n=N, stickiness=0.5, seed=0, **options):
    return counterfactual_noise(
        toy.z,
        paint,
        toy.classify,
        {"A": 1},
        n,
        stickiness,
        method,
        attributes=ATTRIBUTE,
        batch=100_000,
        budget=BUDGET,
        generator=seeded(seed),
        **options,
    )


@pytest.mark.parametrize("method", INDEPENDENT)
@pytest.mark.parametrize("stickiness", [0.0, 0.5, 0.8])
def test_every_method_draws_from_the_exact_posterior(method, stickiness):
    toy = Linear()
    found = ask(toy, INDEPENDENT[method], stickiness=stickiness)
    assert min(toy.pvalues(found.noise, found.kept, stickiness)) > ALPHA
    assert (found.noise.double() @ torch.tensor(toy.weights) > toy.cut - 1e-6).all()
    assert torch.equal(found.kept & (found.noise == toy.z), found.kept)


HOLDS = {"z": (0.9, 0.9, 0.8), "cut": 1.6}  # an actual noise that satisfies a rare antecedent


@pytest.mark.parametrize("method", INDEPENDENT)
@pytest.mark.parametrize(("toy", "stickiness"), [(Linear(cut=-0.4), 0.8), (Linear(**HOLDS), 0.1)])
def test_an_antecedent_that_holds_already_keeps_the_actual_noise_as_often_as_it_should(method, toy, stickiness):
    found = ask(toy, INDEPENDENT[method], stickiness=stickiness)
    assert min(toy.pvalues(found.noise, found.kept, stickiness)) > ALPHA
    assert found.kept.all(1).any()


@pytest.mark.parametrize("method", INDEPENDENT)
@pytest.mark.parametrize(
    ("toy", "stickiness"), [(Linear(cut=1.2), 0.5), (Linear(cut=-0.4), 0.5), (Linear(**HOLDS), 0.01)]
)
def test_the_vector_as_one_variable(method, toy, stickiness):
    found = ask(toy, INDEPENDENT[method], stickiness=stickiness, per="vector")
    assert min(toy.pvalues(found.noise, found.kept, stickiness, "vector")) > ALPHA


class Soft:
    """L = sigmoid(sureness * (z_1 - cut)), z uniform on (-1, 1)^2; the second coordinate changes nothing."""

    z = torch.tensor([0.6, 0.3])
    cut, sureness = 0.9, 20.0

    def classify(self, images):
        return (((images[:, 0, 0, 0] * 2 - 1) - self.cut) * self.sureness).sigmoid()[:, None]

    def area(self, x):
        """The integral of L from -1 to x."""
        return (np.logaddexp(0, self.sureness * (x - self.cut)) - np.logaddexp(0, self.sureness * (-1 - self.cut))) / (
            self.sureness
        )

    def pvalues(self, found, s):
        at_z = 1 / (1 + math.exp(-self.sureness * (float(self.z[0]) - self.cut)))
        first = {True: s * at_z, False: (1 - s) * self.area(1.0) / 2}
        law = {(a, b): (first[a] * (s if b else 1 - s), 0.0) for a in (True, False) for b in (True, False)}
        ranks = self.area(found.noise[~found.kept[:, 0], 0].double().numpy()) / self.area(1.0)
        return chi_square(found.kept, law), stats.kstest(ranks, "uniform").pvalue


@pytest.mark.parametrize("method", INDEPENDENT)
def test_the_soft_likelihood(method):
    found = ask(Soft(), INDEPENDENT[method], stickiness=0.8, likelihood="soft")
    assert min(Soft().pvalues(found, 0.8)) > ALPHA
    assert (found.noise[:, 0] < Soft.cut).any()


def moved_from_exact_draws(toy, likelihood, stickiness=0.5, moves=15):
    """Exact draws by rejection, then Metropolis moves at the target: still exact if the move leaves it invariant."""
    start = ask(toy, "rejection", stickiness=stickiness, likelihood=likelihood)
    judge = Judge(paint, toy.classify, Antecedent(("A",), {"A": 1}), 100_000, BUDGET)
    posterior = Posterior(toy.z, StickyKernel(stickiness, PRIORS["uniform"], "dimension"), judge, likelihood)
    pairs = posterior.kernel.draw(N, toy.z, seeded(1))  # only its fresh values where the draw keeps z: any will do
    pairs = type(pairs)(start.kept, torch.where(start.kept, pairs.fresh, start.noise))
    now = Population(pairs, start.noise, posterior.judged(start.noise))
    for seed in range(moves):
        now, _ = posterior.move(now, posterior.path.goal, 1.5, seeded(seed))
    assert (now.noise != start.noise).any(1).float().mean() > 0.5
    return type(start)(now.noise, now.pairs.kept.expand_as(now.noise), start.diagnostics)


def test_moves_leave_the_posterior_invariant():
    toy = Linear()
    moved = moved_from_exact_draws(toy, "hard")
    assert min(toy.pvalues(moved.noise, moved.kept, 0.5)) > ALPHA
    assert min(Soft().pvalues(moved_from_exact_draws(Soft(), "soft"), 0.5)) > ALPHA


def wrong_stickiness(patch):
    right = StickyKernel.refresh

    def refresh(self, pairs, size, generator):
        return right(StickyKernel(0.2, self.prior, self.per), pairs, size, generator)

    patch.setattr(StickyKernel, "refresh", refresh)


def wrong_law(patch):
    right = StickyKernel.refresh

    def refresh(self, pairs, size, generator):
        return right(
            StickyKernel(self.stickiness, lambda n, k, g: torch.rand(n, k, generator=g) ** 0.25, self.per),
            pairs,
            size,
            generator,
        )

    patch.setattr(StickyKernel, "refresh", refresh)


@pytest.mark.parametrize("wrong", [wrong_stickiness, wrong_law])
def test_a_proposal_from_the_wrong_law_is_found_out(monkeypatch, wrong):
    wrong(monkeypatch)
    toy = Linear()
    moved = moved_from_exact_draws(toy, "hard")
    assert min(toy.pvalues(moved.noise, moved.kept, 0.5)) < ALPHA
    for method in ("smc", "mh"):
        found = ask(toy, INDEPENDENT[method])
        assert min(toy.pvalues(found.noise, found.kept, 0.5)) < ALPHA


def test_an_inverted_ratio_is_found_out(monkeypatch):
    def inverted(self, step, current, proposed, log_u):
        return log_u < step * (current - proposed)

    monkeypatch.setattr(Tempering, "accept", inverted)
    assert min(Soft().pvalues(moved_from_exact_draws(Soft(), "soft"), 0.5)) < ALPHA
    for method in ("smc", "mh"):
        found = ask(Soft(), INDEPENDENT[method], stickiness=0.8, likelihood="soft")
        assert min(Soft().pvalues(found, 0.8)) < ALPHA


def squared_errors(toy, method, runs, n):
    """Run by run: squared errors of the mean of `kept`, in its exact variance, and the sizes that were reported."""
    law = toy.masks(0.5)
    total = sum(p for p, _ in law.values())
    exact = sum(np.array(mask) * p / total for mask, (p, _) in law.items())[1]
    errors, sizes, estimates, ranks = [], [], [], []
    for seed in range(runs):
        found = ask(toy, method, n, seed=seed)
        errors.append((float(found.kept[:, 1].double().mean()) - exact) / math.sqrt(exact * (1 - exact)))
        sizes.append(found.diagnostics.effective_size)
        estimates.append(found.diagnostics.probability)
        ranks.append(np.mean(toy.ranks(found.noise, found.kept, law)))
    return np.array(errors), np.array(sizes), estimates, ranks


def test_a_whole_population_is_unbiased_and_worth_what_it_says():
    toy = Linear()
    errors, sizes, estimates, ranks = squared_errors(toy, SMC(particles=400), RUNS, 400)
    assert stats.ttest_1samp(errors, 0).pvalue > ALPHA
    assert stats.ttest_1samp(ranks, 0.5).pvalue > ALPHA
    assert stats.ttest_1samp(estimates, toy.probability(0.5)).pvalue > ALPHA
    assert stats.ttest_1samp(estimates, toy.probability(0.5) * 1.6).pvalue < ALPHA  # the test has power
    # Squared errors times the reported size are about chi-square: the size is no boast, and no gross understatement.
    assert stats.chi2.ppf(ALPHA, RUNS) < float((errors**2 * sizes).sum()) < stats.chi2.isf(ALPHA, RUNS)


def test_draws_that_share_ancestors_are_not_counted_as_independent():
    toy = Linear()
    errors, sizes, _, _ = squared_errors(toy, SMC(particles=200, most_moves=1), RUNS, 200)
    assert float((errors**2 * sizes).sum()) < stats.chi2.isf(ALPHA, RUNS)
    assert float((errors**2 * 200).sum()) > stats.chi2.isf(ALPHA, RUNS)  # 200 draws, but not worth 200


def test_draws_of_one_chain_are_not_counted_as_independent():
    toy = Linear()
    errors, sizes, _, _ = squared_errors(toy, Metropolis(chains=16, forgotten=0.7), RUNS, 160)
    assert float((errors**2 * sizes).sum()) < stats.chi2.isf(ALPHA, RUNS)
    assert sizes.mean() < 150


def test_the_probability_of_rejection_is_unbiased_although_it_stops_at_a_success():
    toy = Linear()
    found = [ask(toy, "rejection", 3, seed=seed).diagnostics for seed in range(300)]
    exact = toy.probability(0.5)
    assert stats.ttest_1samp([one.probability for one in found], exact).pvalue > ALPHA
    assert stats.ttest_1samp([one.acceptance for one in found], exact).pvalue < ALPHA  # 3 / proposals is too large
    assert ask(toy, "rejection", 1).diagnostics.probability is None

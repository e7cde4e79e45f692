"""The edges of `counterfactual_noise`: impossible, unreachable, several conditions, counting, and mistakes."""

import pytest
import torch
from helpers.noise_oracles import ATTRIBUTE, Linear, paint, seeded

from causalcf.errors import CausalCFError, ImpossibleWorldError, UnreachedError
from causalcf.worlds.metropolis import Metropolis, effective_size, intraclass_correlation
from causalcf.worlds.observed import METHODS, counterfactual_noise
from causalcf.worlds.smc import SMC, spread, systematic

TOY = Linear()


def ask(method="smc", condition=None, n=20, stickiness=0.5, **options):
    settings = {"attributes": ATTRIBUTE, "generator": seeded(), "z": TOY.z, "generate": paint, "classify": TOY.classify}
    settings |= options
    return counterfactual_noise(condition=condition or {"A": 1}, n=n, stickiness=stickiness, method=method, **settings)


@pytest.mark.parametrize("method", METHODS)
def test_all_noise_kept(method):
    with pytest.raises(ImpossibleWorldError, match=r"stickiness 1\b.*\bA=1\b"):
        ask(method, stickiness=1.0)
    found = ask(method, {"A": 0}, stickiness=1.0)
    assert torch.equal(found.noise, TOY.z.expand(20, 3)) and found.kept.all()
    assert found.diagnostics.evaluations == 1  # the actual image, once


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("per", ["dimension", "vector"])
def test_an_actual_noise_that_is_nearly_always_kept_stands_in_nobodys_way(method, per):
    found = ask(method, stickiness=0.97, per=per, n=8, budget=10**6)
    assert (TOY.classify(paint(found.noise)) > 0.5).all()


def corner(images):
    """Three attributes: each coordinate of the noise is above .5."""
    return ((images[:, 0, 0] - 0.75) * 40).sigmoid()


@pytest.mark.parametrize("method", METHODS)
def test_several_conditions_values_of_0_and_a_threshold(method):
    found = ask(
        method, {"X": 1, "Z": 0, "Y": 1}, attributes=["X", "Y", "Z"], classify=corner, threshold=0.9, budget=10**6
    )
    read = corner(paint(found.noise))
    assert len(found.noise) == 20
    assert (read[:, 0] > 0.9).all() and (read[:, 1] > 0.9).all() and (read[:, 2] < 0.1).all()


@pytest.mark.parametrize("method", METHODS)
def test_every_image_is_counted_and_the_budget_holds(method):
    shown = []

    def counted(noise):
        shown.append(len(noise))
        return paint(noise)

    told = []
    found = ask(method, generate=counted, batch=50, on_progress=lambda found, made: told.append((found, made)))
    diagnostics = found.diagnostics
    assert 12 <= sum(shown) - diagnostics.evaluations < 30  # looked at twice
    assert diagnostics.evaluations <= diagnostics.proposals <= 100_000 and max(shown) <= 50
    assert diagnostics.draws == len(found.noise) == 20 and 0 < diagnostics.effective_size <= 20
    assert told[-1][1] == diagnostics.evaluations and told[-1][0] >= 20
    assert [made for _, made in told] == sorted(made for _, made in told)
    assert diagnostics.method == method and 0 < diagnostics.acceptance <= 1
    again = ask(method, batch=7)
    assert torch.equal(found.noise, again.noise)  # neither chance nor the batch


@pytest.mark.parametrize(
    ("method", "budget", "culprit"),
    [
        ("rejection", 2000, r"\b\d+ of 1000\b.*\bA=1\b.*\b\d+\b.*\b0\.\d+"),
        ("rejection", 1, r"\b0 of 1000\b.*\bA=1\b.*\b0\b"),
        (
            SMC(),
            4000,
            r"\bA=1\b.*\b4000\b.*\b\d steps\b.*\b1000 particles\b.*\b0\.\d+",
        ),
        (SMC(), 200, r"\bA=1\b.*\b200\b.*\b1000 particles\b"),
        ("mh", 500, r"\b500\b.*\bA=1\b.*\b\d+ of 64 chains\b.*\b0\.5\b"),
        ("mh", 40, r"\b40\b.*\b64 chains\b"),
        (Metropolis(chains=10), 3000, r"\b3000\b.*\b\d+ of 1000\b"),
    ],
)
def test_a_budget_that_ends_says_how_far_it_came(method, budget, culprit):
    shown = []

    def counted(noise):
        shown.append(len(noise))
        return paint(noise)

    with pytest.raises(UnreachedError, match=culprit):
        ask(method, n=1000, budget=budget, generate=counted)
    assert sum(shown) < budget + 60  # and what is looked at twice


@pytest.mark.parametrize("method", METHODS)
def test_what_never_happens_is_an_error_and_never_an_empty_answer(method):
    with pytest.raises(UnreachedError, match="A=1"):
        ask(method, classify=lambda images: images.new_full((len(images), 1), 0.3), budget=20_000)


def test_a_classifier_of_hard_answers_leaves_nothing_to_climb_but_still_gives_right_ones():
    found = ask("smc", classify=lambda images: (TOY.classify(images) > 0.5).float(), n=50, budget=10**6)
    assert (TOY.classify(paint(found.noise)) > 0.5).all()
    assert found.diagnostics.families < 10  # few ancestors


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"method": "smcc"}, "method.*'smcc'.*'smc'"),
        ({"likelihood": "hrad"}, "likelihood.*'hrad'.*'hard'"),
        ({"condition": {"B": 1}}, "condition.*'B'"),
        ({"z": torch.zeros(2, 3)}, r"\bz\b.*\(2, 3\).*\(k,\)"),
        ({"stickiness": -1}, r"stickiness.*-1\b"),
        ({"n": 0}, r"\bn\b.*\b0\b"),
        ({"batch": 0}, r"batch.*\b0\b"),
        ({"budget": 0.5}, r"budget.*\b0\.5"),
        ({"prior": "unifrom"}, "prior.*'unifrom'.*'uniform'"),
        ({"per": "vectro"}, "per.*'vectro'.*'vector'"),
        ({"classify": lambda images: torch.zeros(len(images), 2)}, r"classify.*\(4, 2\).*\(4, 1\)"),
    ],
)
def test_mistakes_are_named(options, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        ask(**options)


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: SMC(particles=1), r"particles.*\b1\b"),
        (lambda: SMC(survival=1.0), r"survival.*\b1\.0"),
        (lambda: SMC(most_moves=0), r"most_moves.*\b0\b"),
        (lambda: Metropolis(chains=1), r"chains.*\b1\b"),
        (lambda: Metropolis(forgotten=0.0), r"forgotten.*\b0\.0"),
        (lambda: Metropolis(burn_in=0), r"burn_in.*\b0\b"),
    ],
)
def test_options_out_of_range_are_named(make, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        make()


def test_no_global_random_state_is_touched():
    before = torch.get_rng_state()
    for method in METHODS:
        ask(method, generator=None, n=3)
    assert torch.equal(before, torch.get_rng_state())


def test_resampling_gives_each_its_share_and_spreading_reaches_every_family():
    weights = torch.tensor([0.0, 1.0, 3.0, 0.0, 4.0], dtype=torch.float64)
    counts = systematic(weights, 80, seeded()).bincount(minlength=5)
    assert counts.tolist() == [0, 10, 30, 0, 40]
    families = torch.tensor([7] * 50 + [2] * 25 + [5] * 25)
    chosen = families[spread(families, 8, seeded())].tolist()
    assert sorted(chosen) == [2, 2, 5, 5, 7, 7, 7, 7] and chosen != sorted(chosen)


def test_intraclass_correlation_is_recovered():
    """A random-effects model with 100 families of 8 and correlation .5 in its second coordinate, none in its first."""
    draw = seeded(3)
    family = torch.arange(100).repeat_interleave(8)
    noise = torch.randn(800, 2, generator=draw)
    noise[:, 1] += torch.randn(100, generator=draw)[family]
    found = intraclass_correlation(family, noise)
    assert found == pytest.approx(0.5, abs=0.2)  # its standard error is .045
    assert effective_size(family, family, noise) == pytest.approx(800 / (1 + 7 * found))
    assert intraclass_correlation(family, noise[:, :1]) < 0.1
    assert intraclass_correlation(torch.zeros(800, dtype=torch.long), noise) == 1.0

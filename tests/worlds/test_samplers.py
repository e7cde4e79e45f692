"""Counterfactual noise without an antecedent: what each sampler keeps, and whether it keeps to the prior."""

import pytest
import torch
from helpers.noise_oracles import ALPHA, seeded
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from causalcf.errors import CausalCFError
from causalcf.worlds.samplers import esm_cf_sampler, gaussian_cf_sampler

Z = torch.zeros(3)


def cube(n, k, generator):
    return torch.rand(n, k, generator=generator) ** 3


PRIORS = {
    "uniform": (lambda n, k, g: torch.rand(n, k, generator=g) * 2 - 1, stats.uniform(-1, 2).cdf),
    "normal": (lambda n, k, g: torch.randn(n, k, generator=g), stats.norm.cdf),
    "cube": (cube, lambda x: x ** (1 / 3)),
}


@pytest.mark.parametrize("per", ["dimension", "vector"])
@pytest.mark.parametrize("prior", PRIORS)
def test_the_kernel_leaves_the_prior_invariant_and_is_reversible(prior, per):
    draw, cdf = PRIORS[prior]
    z = draw(4000, 3, seeded(1))
    moved = esm_cf_sampler(z, 1, 0.6, cube if prior == "cube" else prior, per, seeded(2))[:, 0]
    for column in range(3):
        assert stats.kstest(moved[:, column].numpy(), cdf).pvalue > ALPHA
    # Reversible: (z, z*) and (z*, z) have one law, so any skew statistic has mean 0.
    skew = (z**2 * moved - z * moved**2).sum(1).numpy()
    assert stats.ttest_1samp(skew, 0).pvalue > ALPHA


def test_the_gaussian_baseline_leaves_the_prior_behind():
    z = PRIORS["uniform"][0](4000, 1, seeded(1))
    moved = gaussian_cf_sampler(z, 1, 0.5, seeded(2))[:, 0]
    assert stats.kstest(moved[:, 0].numpy(), PRIORS["uniform"][1]).pvalue < ALPHA
    steps = (moved - z)[:, 0].numpy()
    assert stats.kstest(steps, stats.norm(0, 0.5).cdf).pvalue > ALPHA


@given(
    st.sampled_from([0.0, 1.0]) | st.floats(0.01, 0.99), st.sampled_from(["dimension", "vector"]), st.integers(0, 2**32)
)
def test_what_is_kept_is_kept_to_the_bit_as_often_as_it_should_be(stickiness, per, seed):
    z = torch.linspace(5, 6, 4)  # outside what the prior draws: whatever equals it was kept
    drawn = esm_cf_sampler(z, 200, stickiness, cube, per, seeded(seed))
    kept = drawn == z
    assert ((drawn < 1) | kept).all()
    if per == "vector":
        assert (kept.all(1) | ~kept.any(1)).all()
        kept = kept[:, :1]
    hits, tries = int(kept.sum()), kept.numel()
    assert stats.binomtest(hits, tries, stickiness).pvalue > ALPHA / 100  # 100 examples
    if stickiness in (0, 1):
        assert hits == stickiness * tries


def test_a_batch_of_noises_has_draws_of_each_in_its_own_dtype():
    z = torch.tensor([[10.0, 20.0], [30.0, 40.0]], dtype=torch.float64)
    for drawn in (esm_cf_sampler(z, 50, 0.5, cube, generator=seeded()), gaussian_cf_sampler(z, 50, 0.1, seeded())):
        assert drawn.shape == (2, 50, 2) and drawn.dtype == torch.float64
    assert torch.equal(gaussian_cf_sampler(z, 3, 0.0, seeded()), z[:, None].expand(2, 3, 2))
    drawn = esm_cf_sampler(z, 50, 0.5, cube, generator=seeded())
    kept = drawn == z[:, None]
    assert ((drawn < 1) | kept).all() and kept.any() and not kept.all()
    near = gaussian_cf_sampler(z, 50, 0.1, seeded())
    assert (near - z[:, None]).abs().max() < 1 and near.std(1).min() > 0.05
    assert torch.equal(drawn, esm_cf_sampler(z, 50, 0.5, cube, generator=seeded()))


def test_a_z_at_the_prior_s_bounds_is_taken():
    for z, prior in (
        (Z + 1, "uniform"),
        (Z - 1, "uniform"),
        (Z + 9, "normal"),
        (Z.half() - 1, "uniform"),
        (Z + 9, cube),
    ):
        assert torch.equal(esm_cf_sampler(z, 2, 1.0, prior), z.expand(2, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_noise_on_another_device_stays_there():
    z = torch.zeros(8, device="cuda")
    on_cpu = esm_cf_sampler(z.cpu(), 5, generator=seeded())
    assert torch.equal(esm_cf_sampler(z, 5, generator=seeded()).cpu(), on_cpu)
    there = torch.Generator("cuda").manual_seed(0)
    assert esm_cf_sampler(z, 5, generator=there).device == z.device
    assert gaussian_cf_sampler(z, 5, generator=there).device == z.device


def test_no_global_random_state_is_touched():
    before = torch.get_rng_state()
    esm_cf_sampler(torch.zeros(3), 2)
    gaussian_cf_sampler(torch.zeros(3), 2)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("call", "culprit"),
    [
        (lambda: esm_cf_sampler(Z, 2, 1.5), r"stickiness.*\b1\.5"),
        (lambda: esm_cf_sampler(Z, 2, float("nan")), r"stickiness.*\bnan\b"),
        (lambda: esm_cf_sampler(Z, 2, "often"), "stickiness.*'often'"),
        (lambda: esm_cf_sampler(Z, 2, prior="unifrom"), "prior.*'unifrom'.*'uniform'"),
        (lambda: esm_cf_sampler(Z, 2, per="dimensions"), "per.*'dimensions'.*'dimension'"),
        (lambda: esm_cf_sampler(Z, 0), r"\bn\b.*\b0\b"),
        (lambda: esm_cf_sampler(torch.zeros(2, 2, 2), 2), r"\bz\b.*\(2, 2, 2\).*\(b, k\)"),
        (lambda: esm_cf_sampler(torch.zeros(0), 2), r"\bz\b.*\(0,\)"),
        (lambda: esm_cf_sampler([0.0], 2), r"\bz\b.*\blist\b"),
        (lambda: esm_cf_sampler(torch.zeros(3, dtype=torch.int64), 2), r"\bz\b.*\btorch\.int64\b"),
        (lambda: esm_cf_sampler(Z / 0, 2), r"\bz\b.*finite"),
        (lambda: esm_cf_sampler(Z, 2, prior=lambda n, k, g: torch.zeros(n)), r"prior.*\(2,\)"),
        (lambda: esm_cf_sampler(Z, 2, prior=lambda n, k, g: torch.ones(n, k) / 0), "prior.*finite"),
        (lambda: esm_cf_sampler(Z - 1.5, 2), r"\bz\b.*\b1\.5\b.*'uniform'.*\"normal\""),
        (lambda: esm_cf_sampler(Z.double() + 1 + 1e-8, 2), r"\bz\b.*\b1\.00000001\b.*'uniform'"),
        (lambda: esm_cf_sampler(Z + 39, 2, prior="normal"), r"\bz\b.*\b39\b.*'normal'"),
        (lambda: gaussian_cf_sampler(Z, 2, -0.1), r"scale.*-0\.1"),
        (lambda: gaussian_cf_sampler(Z, 2, float("inf")), r"scale.*\binf\b"),
        (lambda: gaussian_cf_sampler(Z / 0, 2), r"\bz\b.*finite"),
    ],
)
def test_mistakes_are_named(call, culprit):
    with pytest.raises(CausalCFError, match=culprit):
        call()

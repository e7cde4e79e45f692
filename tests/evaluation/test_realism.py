"""Fréchet and kernel distance against closed forms, torchmetrics, invariances and simulated laws.

Samples of the kernel tests are drawn with replacement from finite populations, whose distance is a plain sum.
"""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import binomtest, ortho_group, ttest_1samp
from torch import nn

from causalcf.errors import CausalCFError
from causalcf.evaluation import measure, realism
from causalcf.evaluation.realism import frechet_distance, kernel_distance

ALPHA = 1e-5
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)


def normal(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape))


def with_moments(rng, n, mean, factor):
    """n rows whose mean is exactly `mean` and whose covariance is exactly factor factor'."""
    raw = rng.standard_normal((n, len(mean)))
    white = np.linalg.qr(raw - raw.mean(0))[0] * math.sqrt(n - 1)
    return torch.from_numpy(white @ factor.T + mean)


# --- Fréchet distance


@given(seeds, sizes)
def test_frechet_distance_is_the_formula_with_scipys_matrix_root(seed, f):
    rng = np.random.default_rng(seed)
    (mean_a, mean_b), (factor_a, factor_b) = rng.standard_normal((2, f)), rng.standard_normal((2, f, f)) + np.eye(f)
    cov_a, cov_b = factor_a @ factor_a.T, factor_b @ factor_b.T
    root = sqrtm(cov_a @ cov_b).real
    expected = np.square(mean_a - mean_b).sum() + np.trace(cov_a + cov_b - 2 * root)
    found = frechet_distance(with_moments(rng, 30, mean_a, factor_a), with_moments(rng, 17, mean_b, factor_b))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(seeds, st.lists(st.tuples(st.sampled_from([0.0, 1e-6, 1.0, 3.0]), st.floats(0, 5)), min_size=1, max_size=6))
def test_frechet_distance_of_independent_features_even_where_some_do_not_vary(seed, spreads):
    rng, (a, b) = np.random.default_rng(seed), np.array(spreads).T
    mean = np.zeros(len(spreads))
    found = frechet_distance(with_moments(rng, 20, mean, np.diag(a)), with_moments(rng, 9, mean, np.diag(b)))
    assert found == pytest.approx(np.square(a - b).sum(), rel=1e-9, abs=1e-12)


@given(seeds, sizes, st.integers(2, 12), st.integers(2, 12))
def test_frechet_distance_is_symmetric_zero_on_itself_and_blind_to_rotation(seed, f, n, m):
    """Also with fewer images than features, where the covariances are singular."""
    rng = np.random.default_rng(seed)
    a, b = normal(rng, n, f), 2 * normal(rng, m, f) + 1
    found = frechet_distance(a, b)
    turn = torch.from_numpy(np.atleast_2d(ortho_group.rvs(f, random_state=rng)) if f > 1 else -np.eye(1))
    assert found > 0 and frechet_distance(b, a) == pytest.approx(found, rel=1e-9)
    assert frechet_distance(a @ turn + 5, b @ turn + 5) == pytest.approx(found, rel=1e-9)
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * found, rel=1e-9)
    assert 0 <= frechet_distance(a, a[torch.from_numpy(rng.permutation(n))]) < 1e-24 * max(1, n * f)


def frechet_replications(shift, spread, n=1000, f=4, repeats=40):
    rng = np.random.default_rng(0)
    mean = torch.full((f,), shift / math.sqrt(f))
    return [frechet_distance(normal(rng, n, f), spread * normal(rng, n, f) + mean) for _ in range(repeats)]


def chance(n=1000, f=4):
    """The bias between samples of N(0, I), to first order: 2f/n of the means, |S_a - S_b|^2 / 4 of the rest."""
    return 2 * f / n + f * (f + 1) / (2 * n)


def test_frechet_distance_of_shifted_normals_is_the_shift_squared():
    """A wider second law adds f (1.3 - 1)^2 = .36, which the same test must see."""
    assert ttest_1samp(frechet_replications(2.0, 1.0), 4.0 + chance()).pvalue > ALPHA
    assert ttest_1samp(frechet_replications(2.0, 1.3), 4.0 + chance()).pvalue < ALPHA


def test_frechet_distance_is_biased_as_documented():
    found = frechet_replications(0.0, 1.0)
    assert ttest_1samp(found, chance()).pvalue > ALPHA
    assert ttest_1samp(found, 0.0).pvalue < ALPHA
    assert np.mean(frechet_replications(0.0, 1.0, n=50)) > 10 * np.mean(found)


class Same(nn.Module):
    """A feature extractor whose images are the features already."""

    num_features = 6

    def forward(self, features):
        return features


def test_frechet_distance_is_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    rng = np.random.default_rng(1)
    a, b = normal(rng, 80, 6), 1.5 * normal(rng, 50, 6) + 0.3
    other = FrechetInceptionDistance(feature=Same())
    other.set_dtype(torch.float64)
    other.update(a, real=True)
    other.update(b, real=False)
    assert frechet_distance(a, b) == pytest.approx(float(other.compute()), rel=1e-9)


# --- kernel distance


def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def all_pairs(x, y):
    """The biased estimate of the distance; of two populations, their distance itself."""
    return float(kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean())


def populations(shift):
    """400 skewed, non-negative rows as a ReLU leaves them, and the same rows with the first feature shifted."""
    a = (normal(np.random.default_rng(0), 400, 6) + 0.5).relu()
    return a, a + shift * torch.eye(6, dtype=torch.float64)[0]


def drawn(population, n, rng):
    return population[torch.from_numpy(rng.integers(0, len(population), n))]


def test_kernel_distance_is_torchmetrics():
    from torchmetrics.image.kid import KernelInceptionDistance

    rng = np.random.default_rng(1)
    a, b = normal(rng, 40, 6), 1.5 * normal(rng, 40, 6) + 0.3
    with pytest.warns(UserWarning, match="will save all extracted features"):
        other = KernelInceptionDistance(feature=Same(), subsets=1, subset_size=40)
    other.set_dtype(torch.float64)
    other.update(a, real=True)
    other.update(b, real=False)
    with torch.random.fork_rng():  # it shuffles by the global state
        mean, _ = other.compute()
    assert kernel_distance(a, b).value == pytest.approx(float(mean), rel=1e-9)


def by_loops(x, y):
    n, m = len(x), len(y)
    off = [float(k.sum() - k.diag().sum()) for k in (kernel(x, x), kernel(y, y))]
    return off[0] / (n * (n - 1)) + off[1] / (m * (m - 1)) - 2 * float(kernel(x, y).mean())


@given(seeds, sizes, st.integers(3, 9), st.integers(3, 9))
def test_kernel_distance_and_its_jackknife_by_leaving_rows_out(seed, f, n, m):
    rng = np.random.default_rng(seed)
    a, b = normal(rng, n, f), normal(rng, m, f) + 0.5
    without_a = [by_loops(torch.cat([a[:i], a[i + 1 :]]), b) for i in range(n)]
    without_b = [by_loops(a, torch.cat([b[:i], b[i + 1 :]])) for i in range(m)]
    error = math.sqrt((n - 1) * np.var(without_a) + (m - 1) * np.var(without_b))
    found = kernel_distance(a, b)
    assert found.value == pytest.approx(by_loops(a, b), rel=1e-8, abs=1e-8)
    expected = (found.value - 1.959964 * error, found.value + 1.959964 * error)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-5, abs=1e-8)


@given(seeds, st.integers(2, 5))
def test_kernel_distance_is_symmetric_and_blind_to_rotation_order_and_blocks(seed, f):
    rng = np.random.default_rng(seed)
    a, b = normal(rng, 9, f), normal(rng, 11, f) + 0.5
    turn = torch.from_numpy(ortho_group.rvs(f, random_state=rng))
    order = torch.from_numpy(rng.permutation(9))
    found = kernel_distance(a, b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("causalcf.evaluation.realism.BLOCK", 4)
        blocks = kernel_distance(a, b)
    for other in (kernel_distance(b, a), kernel_distance(a @ turn, b @ turn), kernel_distance(a[order], b), blocks):
        assert (other.value, other.low, other.high) == pytest.approx((found.value, found.low, found.high), abs=1e-8)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kernel_distance_is_unbiased_where_all_pairs_with_themselves_are_not(shift):
    rng, (first, second) = np.random.default_rng(2), populations(shift)
    samples = [(drawn(first, 20, rng), drawn(second, 30, rng)) for _ in range(1000)]
    truth = all_pairs(first, second)
    assert (truth == 0) == (shift == 0)
    assert ttest_1samp([kernel_distance(*pair).value for pair in samples], truth).pvalue > ALPHA
    assert ttest_1samp([all_pairs(*pair) for pair in samples], truth).pvalue < ALPHA


def subsets_interval(a, b, rng, subsets=50, size=50):
    """What is often printed: mean and standard error over random subsets, which share their images."""
    rows = [(rng.permutation(len(a))[:size], rng.permutation(len(b))[:size]) for _ in range(subsets)]
    found = [by_loops(a[i], b[j]) for i, j in rows]
    reach = 1.96 * np.std(found) / math.sqrt(subsets)
    return np.mean(found) - reach, np.mean(found) + reach


def test_kernel_intervals_cover_where_those_over_subsets_do_not():
    rng, (first, second) = np.random.default_rng(3), populations(1.0)
    truth, repeats = all_pairs(first, second), 300
    found, hits, subset_hits = [], 0, 0
    for _ in range(repeats):
        a, b = drawn(first, 150, rng), drawn(second, 200, rng)
        found.append(kernel_distance(a, b))
        hits += found[-1].low <= truth <= found[-1].high
        low, high = subsets_interval(a, b, rng)
        subset_hits += low <= truth <= high
    assert binomtest(hits, repeats, 0.95, alternative="less").pvalue > ALPHA
    assert binomtest(subset_hits, repeats, 0.95, alternative="less").pvalue < ALPHA
    error = np.mean([e.high - e.low for e in found]) / (2 * 1.96)
    assert 0.85 < error / np.std([e.value for e in found]) < 1.2  # nor wider than need be


def test_kernel_intervals_of_equal_laws_hold_zero_and_of_others_do_not():
    rng, (first, second) = np.random.default_rng(4), populations(1.0)
    equal = [kernel_distance(drawn(first, 150, rng), drawn(first, 200, rng)) for _ in range(300)]
    other = [kernel_distance(drawn(first, 150, rng), drawn(second, 200, rng)) for _ in range(300)]
    holds = [sum(e.low <= 0 <= e.high for e in many) for many in (equal, other)]
    assert binomtest(holds[0], 300, 0.95, alternative="less").pvalue > ALPHA
    assert binomtest(holds[1], 300, 0.95, alternative="less").pvalue < ALPHA
    assert any(e.value < 0 for e in equal)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_features_that_are_not_finite_are_refused(distance):
    with pytest.raises(CausalCFError, match=r"\bsecond\b.*features.*finite"):
        distance(torch.zeros(5, 2), torch.full((5, 2), math.nan))


class Photographs:
    """n images, each of one grey of its own."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def batch(self, rows):
        return rows.to(torch.uint8)[:, None, None, None].expand(-1, 3, 64, 64)


def evaluated(monkeypatch, data, held_out=None):
    """What is said of a run's realism, and the rows of real images on each side of each distance."""
    compared = []

    def distance(a, b):
        compared.append((a, b))
        return frechet_distance(a, b)

    monkeypatch.setattr(measure, "judge_features", lambda _, images: images[:, 0, 0, :4].double())
    for module in (measure, realism):
        monkeypatch.setattr(module, "frechet_distance", distance)
    monkeypatch.setattr(measure, "REAL", 50)

    def actual(n, given, generator):
        return SimpleNamespace(images=torch.rand(n, 3, 64, 64, generator=generator))

    def nothing(images):
        return torch.zeros(len(images), 1)

    judge = SimpleNamespace(classifier=SimpleNamespace(architecture=("toy", 1)), facts=nothing, probabilities=nothing)
    runs = {"run": SimpleNamespace(folder=Path("nowhere"))}
    asked = SimpleNamespace(
        inputs=SimpleNamespace(data=data, held_out=held_out, judge=judge, features=None, runs=runs),
        settings=SimpleNamespace(seed=0),
        approaches=(SimpleNamespace(run="run", actual=actual),),
    )
    return measure._realism(asked, measure.RealImages(asked), "run"), compared


@pytest.mark.parametrize(("images", "n"), [(80, 40), (81, 40), (200, 50), (6, 3)])
def test_where_nothing_is_held_out_halves_of_the_data_are_compared_with_as_many_images(monkeypatch, images, n):
    found, compared = evaluated(monkeypatch, Photographs(images))
    assert found["n"] == n and found["from"] == "images trained on"
    assert [len(side) for pair in compared for side in pair] == [n] * 4
    own, theirs = ({tuple(row) for row in side.tolist()} for side in compared[1])
    assert len(own) == len(theirs) == n and not own & theirs  # nobody stands on both sides


@pytest.mark.parametrize("images", [1, 3, 5])
def test_too_few_images_for_halves_are_no_error(monkeypatch, images):
    found, compared = evaluated(monkeypatch, Photographs(images))
    assert found["n"] == images // 2 and found["FD(judge)"] is None and found["KID(judge)"] is None and not compared


def test_held_out_images_are_not_halved(monkeypatch):
    found, compared = evaluated(monkeypatch, Photographs(90), Photographs(30))
    assert found["n"] == 30 and [len(side) for pair in compared for side in pair] == [30] * 4

"""SWD, power spectrum, spread, precision, recall, density and coverage: oracles, and copies that are wrong in one way.

Each measure must move on the copy that it is for, and stay where the copy is as good.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, wasserstein_distance
from torch.nn.functional import avg_pool2d, interpolate

from causalcf.errors import CausalCFError
from causalcf.evaluation.image_statistics import (
    BANDS,
    LEVELS,
    band_powers,
    laplacian_pyramid,
    sliced_wasserstein,
    spectrum_ratios,
    spread_ratio,
)
from causalcf.evaluation.realism import manifold

ALPHA = 1e-5
seeds = st.integers(0, 2**32 - 1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n, seed=0):
    """Smooth random images with some detail."""
    draw = seeded(seed)
    coarse, fine = torch.rand(n, 3, 5, 5, generator=draw), torch.rand(n, 3, 32, 32, generator=draw)
    smooth = interpolate(coarse, 64, mode="bicubic") + interpolate(fine - 0.5, 64, mode="bilinear") / 4
    return smooth.clamp(0, 1)


REAL, OTHERS = pictures(300), pictures(300, 1)
CHECKERS = (-1.0) ** (torch.arange(64)[:, None] + torch.arange(64))
WRONG = {
    "blurred": avg_pool2d(OTHERS, 3, 1, 1),
    "speckled": (OTHERS + 0.05 * torch.randn(OTHERS.shape, generator=seeded(2))).clamp(0, 1),
    "checkered": (OTHERS + 0.05 * CHECKERS).clamp(0, 1),
    "one mode": OTHERS[:1] + torch.randn(OTHERS.shape, generator=seeded(3)) * 1e-4,
}


# --- Laplacian pyramid and sliced Wasserstein distance


def up(images):
    """Burt and Adelson's expansion: zeros between the pixels, then the binomial filter, four times as strong."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    n, c, h, w = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), "edge")
    spread = np.zeros((n, c, 2 * h + 4, 2 * w + 4))
    spread[..., ::2, ::2] = padded
    rows = sum(2 * row[k] * spread[..., k : k + 2 * h, :] for k in range(5))
    return sum(2 * row[k] * rows[..., k : k + 2 * w] for k in range(5))


def test_a_pyramid_gives_the_images_back():
    fine, middle, coarse = (level.double().numpy() for level in laplacian_pyramid(REAL[:3]))
    assert [level.shape[-1] for level in (fine, middle, coarse)] == list(LEVELS)
    assert np.allclose(fine + up(middle + up(coarse)), REAL[:3].numpy(), atol=1e-5)


def test_a_plain_image_is_all_in_the_last_level():
    fine, middle, coarse = laplacian_pyramid(torch.full((1, 3, 64, 64), 0.3))
    assert fine.abs().max() < 1e-6 and middle.abs().max() < 1e-6
    assert torch.allclose(coarse, torch.tensor(0.3))


def test_other_sizes_are_refused():
    with pytest.raises(CausalCFError, match=r"32 pixels a side; expected 64"):
        laplacian_pyramid(torch.zeros(1, 3, 32, 32))


def test_the_distance_is_scipys_on_the_same_patches_and_directions():
    ours, theirs, found = REAL[:8], OTHERS[:8], sliced_wasserstein(REAL[:8], OTHERS[:8], seeded(5), 4, 6)
    draw = seeded(5)
    for side, a, b in zip(LEVELS, laplacian_pyramid(ours), laplacian_pyramid(theirs), strict=True):
        place = torch.randint(side - 6, (2, 32), generator=draw).tolist()
        at = list(enumerate(zip(*place, strict=True)))
        cut = [[level[i // 4, :, y : y + 7, x : x + 7].reshape(3, -1) for i, (y, x) in at] for level in (a, b)]
        mine, data = (torch.stack(part).double() for part in cut)
        mean, spread = data.mean((0, 2), keepdim=True), data.std((0, 2), keepdim=True)
        lines = torch.randn(6, 147, generator=draw).double()
        lines /= lines.norm(dim=1, keepdim=True)
        sides = [(((part - mean) / spread).flatten(1) @ lines.T).T.numpy() for part in (mine, data)]
        expected = 1000 * np.mean([wasserstein_distance(*pair) for pair in zip(*sides, strict=True)])
        assert found[side] == pytest.approx(expected, rel=1e-4)


def test_the_distance_moves_on_what_is_wrong_at_that_level():
    def distance(images):
        return sliced_wasserstein(images, REAL, seeded(), 16, 48)

    plain, wrong = distance(OTHERS), {name: distance(images) for name, images in WRONG.items()}
    assert sliced_wasserstein(REAL, REAL, seeded(), 8, 8) == dict.fromkeys(LEVELS, 0.0)
    assert all(value < 50 for value in plain.values())
    for name in ("blurred", "speckled", "checkered"):
        assert wrong[name][64] > 4 * plain[64], name
        assert wrong[name][16] < 2 * plain[16], name
    assert wrong["one mode"][16] > 4 * plain[16]


# --- power spectrum


@given(seeds, st.integers(1, 4))
def test_the_bands_hold_all_power_but_that_of_the_mean(seed, n):
    images = torch.rand(n, 3, 16, 16, generator=seeded(seed))
    radius = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.fftfreq(16))
    sizes = np.bincount(np.minimum((radius * 12).astype(int), 5).ravel(), minlength=BANDS) - np.eye(BANDS)[0]
    total = (band_powers(images).numpy() * sizes).sum(1)
    assert np.allclose(total, 256 * 256 * images.double().var((2, 3), correction=0).mean(1).numpy())


@pytest.mark.parametrize(("period", "band"), [(32, 0), (8, 1), (5, 2), (4, 3), (3, 4), (2, 5)])
def test_a_wave_is_in_its_band(period, band):
    wave = torch.cos(2 * math.pi * torch.arange(60) / period).expand(1, 3, 60, 60)
    powers = band_powers(wave)[0]
    assert powers.argmax() == band and powers[band] > 50 * powers.sum() / 64


def test_ratios_find_speckle_blur_and_a_lattice():
    plain = spectrum_ratios(OTHERS, REAL, seeded())
    assert all(one.low < 1.05 and one.high > 0.95 and one.low <= one.value <= one.high for one in plain)
    assert all(one.value == pytest.approx(4) for one in spectrum_ratios(2 * REAL, REAL, seeded()))
    speckled, blurred, checkered = (
        [one.value for one in spectrum_ratios(WRONG[name], REAL, seeded())]
        for name in ("speckled", "blurred", "checkered")
    )
    assert speckled[-1] > 2 and speckled[0] < 1.1
    assert blurred[-1] < 0.2 and blurred[0] > 0.8
    assert checkered[-1] > 3 and max(checkered[:-1]) < 1.5


def test_where_the_data_have_no_power_there_is_no_ratio():
    plain = torch.full((20, 3, 64, 64), 0.5)
    assert all(math.isnan(one.value) and one.to_dict()["low"] is None for one in spectrum_ratios(REAL, plain, seeded()))
    assert all(one.value == one.low == one.high == 0 for one in spectrum_ratios(plain, REAL, seeded()))


def test_intervals_of_ratios_cover_the_ratio_of_means():
    """Of many draws from one law, whose ratio is 1, nearly all intervals hold it; of another law, few do."""
    held = {1.0: 0, 1.3: 0}
    for size in held:
        for seed in range(40):
            draw = seeded(seed)
            a, b = torch.rand(60, 3, 16, 16, generator=draw), torch.rand(60, 3, 16, 16, generator=draw)
            one = spectrum_ratios(size**0.5 * a, b, draw, 400)[3]
            held[size] += one.low <= 1 <= one.high
    assert held[1.0] >= 28  # 38 expected; fewer by chance with probability below 1e-5
    assert held[1.3] < 20


# --- spread within a combination of labels


@given(seeds, st.floats(0.1, 3))
def test_the_spread_follows_the_distance_from_the_mean_of_the_combination(seed, factor):
    draw = seeded(seed)
    labels = torch.randint(0, 2, (40, 2), generator=draw)
    means = torch.rand(2, 2, 3, 64, 64, generator=draw)[labels[:, 0], labels[:, 1]]
    off = torch.randn(40, 3, 8, 8, generator=draw).repeat_interleave(8, 2).repeat_interleave(8, 3)
    of_cell = labels[:, 0] * 2 + labels[:, 1]
    for cell in range(4):
        off[of_cell == cell] -= off[of_cell == cell].mean(0)
    found = spread_ratio(means + factor * off, labels, means + off, labels)
    assert found == pytest.approx(factor, rel=1e-4)


def test_one_identity_a_combination_has_no_spread():
    labels = torch.arange(300)[:, None] % 2
    same = REAL[:2].repeat(150, 1, 1, 1)
    assert spread_ratio(same, labels, REAL, labels) == pytest.approx(0, abs=1e-6)
    assert 0.9 < spread_ratio(OTHERS, labels, REAL, labels) < 1.1
    assert spread_ratio(OTHERS[:1], labels[:1], REAL, labels) is None
    assert spread_ratio(OTHERS, labels, REAL, 2 + labels) is None
    assert spread_ratio(OTHERS, labels, REAL[:1].expand(300, -1, -1, -1), labels) is None


# --- precision, recall, density, coverage


@given(seeds, st.integers(5, 9), st.integers(5, 9), st.integers(1, 3))
def test_neighbours_are_counted_as_one_by_one(seed, n, m, k):
    draw = seeded(seed)
    ours, real = torch.randn(n, 2, generator=draw).double(), torch.randn(m, 2, generator=draw).double() + 0.5

    def reach(side):
        return [sorted((a - b).norm().item() for b in side)[k] for a in side]

    apart = [[(a - b).norm().item() for b in real] for a in ours]
    own, theirs, found = reach(ours), reach(real), manifold(ours, real, k)
    assert found.precision.hits == sum(any(apart[i][j] <= theirs[j] for j in range(m)) for i in range(n))
    assert found.recall.hits == sum(any(apart[i][j] <= own[i] for i in range(n)) for j in range(m))
    assert found.coverage.hits == sum(any(apart[i][j] <= theirs[j] for i in range(n)) for j in range(m))
    density = sum(apart[i][j] <= theirs[j] for i in range(n) for j in range(m)) / (k * n)
    assert found.density.value == pytest.approx(density)


def test_what_is_lost_or_added_is_told_apart():
    draw = seeded()
    real, same = torch.randn(400, 4, generator=draw).double(), torch.randn(400, 4, generator=draw).double()
    plain = manifold(same, real)
    assert min(plain.precision.value, plain.recall.value, plain.coverage.value) > 0.8
    lost = manifold(0.3 * same, real)  # only the middle is made
    assert lost.precision.value > 0.95 and lost.recall.value < 0.5 and lost.density.low > 1
    added = manifold(torch.cat([same[:200], 30 + same[200:]]), real)  # half of it is like nothing real
    assert added.precision.value < 0.6 and added.recall.value > 0.7
    alone = manifold(real[:1] + 1e-3 * same, real)
    assert alone.coverage.value < 0.1


def test_the_density_of_the_data_themselves_is_one():
    """Naeem et al. (2020), lemma: its expectation is 1 for equal laws; of another law it is not."""
    densities = {0.0: [], 0.5: []}
    for shift, found in densities.items():
        for seed in range(60):
            draw = seeded(seed)
            a, b = torch.randn(60, 3, generator=draw).double(), torch.randn(60, 3, generator=draw).double()
            found.append(manifold(a + shift, b).density.value)
    assert ttest_1samp(densities[0.0], 1).pvalue > ALPHA
    assert ttest_1samp(densities[0.5], 1).pvalue < ALPHA


def test_too_few_images_and_no_numbers_are_refused():
    with pytest.raises(CausalCFError, match=r"3 and 9 images; 3 neighbours take at least 4"):
        manifold(torch.zeros(3, 2).double(), torch.zeros(9, 2).double())
    with pytest.raises(CausalCFError, match="first set of features"):
        manifold(torch.full((5, 2), math.nan).double(), torch.zeros(9, 2).double())

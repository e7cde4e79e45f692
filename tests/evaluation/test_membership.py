"""Oracles: AUC by a loop over all pairs; distances by a loop; runs that know their data by heart, and that do not."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binom

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "membership.py"
_spec = importlib.util.spec_from_file_location("membership", SCRIPT)
membership = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(membership)
ALPHA = 1e-5


def test_auc_is_the_share_of_pairs_in_order():
    draw = np.random.default_rng(0)
    members, others = draw.integers(5, size=17).astype(float), draw.integers(5, size=23).astype(float)
    pairs = [(m < o) + (m == o) / 2 for m in members for o in others]
    assert membership.auc(members, others) == pytest.approx(sum(pairs) / len(pairs))


def test_the_nearest_is_found_as_seen_or_mirrored():
    draw = torch.Generator().manual_seed(0)
    photos, drawn = torch.rand(6, 3, 64, 64, generator=draw), torch.rand(9, 3, 64, 64, generator=draw)
    drawn[4] = photos[1].flip(2)
    distance, row = membership.nearest(membership.areas(photos), membership.areas(drawn))
    for i, photo in enumerate(photos):
        both = [
            min(
                float((seen.unfold(1, 4, 4).unfold(2, 4, 4).mean((3, 4)) - other).norm())
                for seen in (photo, photo.flip(2))
            )
            for other in drawn.unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5))
        ]
        assert row[i] == np.argmin(both) and float(distance[i]) == pytest.approx(min(both), abs=1e-3)
    assert row[1] == 4 and distance[1] < 1e-2


@pytest.mark.parametrize("by_heart", [False, True])
def test_a_run_that_knows_its_images_by_heart_is_found_out_and_another_is_not(by_heart):
    draw = torch.Generator().manual_seed(0)
    members, others, drawn = (torch.rand(n, 3, 64, 64, generator=draw) for n in (300, 300, 600))
    if by_heart:
        drawn[:150] = members[:150] + 0.01 * torch.randn(150, 3, 64, 64, generator=draw)
    near, far = (membership.nearest(membership.areas(side), membership.areas(drawn))[0] for side in (members, others))
    found = membership.found_at(near.numpy(), far.numpy()), membership.auc(near.numpy(), far.numpy())
    # By chance 1 % of the members are nearer than that; 5 % leave room for a quantile of only 300 others.
    by_chance = binom.isf(ALPHA, 300, 0.05) / 300
    spread = 4.4 * np.sqrt((300 + 300 + 1) / (12 * 300 * 300))  # of the AUC without a difference, at 1e-5
    if by_heart:
        assert found[0] == pytest.approx(0.5, abs=0.05) and found[1] > 0.5 + spread
    else:
        assert found[0] < by_chance and abs(found[1] - 0.5) < spread

"""Oracles: statsmodels-free Wilson in closed form, and toy generators that obey, ignore or confuse their labels."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch

from causalcf.statistics.rates import Rate

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "label_agreement.py"
_spec = importlib.util.spec_from_file_location("label_agreement", SCRIPT)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
agreement, one_flip_effectiveness, one_flips = (
    getattr(_module, name) for name in ("agreement", "one_flip_effectiveness", "one_flips")
)


def paint(noise, labels):
    images = torch.zeros(len(labels), 3, 4, 4)
    images[:, 0, 0, : labels.shape[1]] = labels.float()
    return images


def read_paint(images):
    return images[:, 0, 0, :3].to(torch.int8)


def test_wilson_in_closed_form():
    rate, z = Rate(7, 20), 1.959963984540054
    centre, spread = (7 + z * z / 2) / (20 + z * z), z / (20 + z * z) * math.sqrt(7 * 13 / 20 + z * z / 4)
    assert rate.interval == pytest.approx((centre - spread, centre + spread))
    assert str(Rate(0, 0)) == "no units" and math.isnan(Rate(0, 0).value)


CELLS = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0]])
LABELS = torch.tensor([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 0, 0]])


def test_only_flips_that_occur_in_the_data_are_asked():
    rows, flipped = one_flips(LABELS, 1, CELLS)
    assert rows.tolist() == [1, 2, 3] and flipped.tolist() == [[1, 1, 0], [1, 0, 0], [1, 1, 0]]
    assert len(one_flips(LABELS, 2, CELLS)[0]) == 0


def test_an_obedient_generator_scores_one_and_a_deaf_one_zero():
    noise = torch.zeros(4, 2)
    obedient = one_flip_effectiveness(paint, read_paint, "ABC", noise, LABELS, CELLS)
    assert [obedient[name].value for name in "AB"] == [1, 1] and obedient["C"].n == 0

    def deaf(noise, labels):
        return paint(noise, torch.tensor([[0, 1, 0]]).expand(len(labels), -1))

    heard = one_flip_effectiveness(deaf, read_paint, "ABC", noise, LABELS, CELLS)
    assert heard["B"].hits == 2 and heard["B"].n == 3  # right only where 1 was asked for
    rates = agreement("ABC", LABELS, read_paint(deaf(noise, LABELS)))
    assert [rates[name].hits for name in "ABC"] == [1, 1, 4]

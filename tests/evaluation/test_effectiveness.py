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
agreement, one_flip_effectiveness, one_flips, effectiveness_of_real = (
    getattr(_module, name) for name in ("agreement", "one_flip_effectiveness", "one_flips", "effectiveness_of_real")
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


def test_the_ceiling_is_what_a_loop_over_the_real_images_finds():
    draw = torch.Generator().manual_seed(0)
    labels, real = torch.randint(2, (60, 3), generator=draw), torch.randint(2, (300, 3), generator=draw)
    real = real[(real != torch.tensor([1, 1, 1])).any(1)]  # one combination has no image
    read = torch.where(torch.rand(real.shape, generator=draw) < 0.3, 1 - real, real)
    cells = torch.cartesian_prod(*[torch.tensor([0, 1])] * 3)
    found = effectiveness_of_real("ABC", labels, cells, real, read, draw)
    for column, name in enumerate("ABC"):
        rates = []
        for row in labels.tolist():
            row[column] = 1 - row[column]
            hits = [r[column] == w[column] for w, r in zip(real.tolist(), read.tolist(), strict=True) if w == row]
            rates += [sum(hits) / len(hits)] if hits else []
        assert found[name].value == pytest.approx(sum(rates) / len(rates))
        assert found[name].low < found[name].value < found[name].high
        assert found[name].low < 0.7 < found[name].high


def test_labels_without_real_images_of_their_flips_have_no_ceiling():
    real = torch.tensor([[0, 0, 0]])
    found = effectiveness_of_real("ABC", LABELS, CELLS, real, real, torch.Generator().manual_seed(0))
    assert found["A"].value == 1 and math.isnan(found["B"].value) and math.isnan(found["C"].value)

"""Oracle: the weights in closed form; frequencies by chi-square at alpha 1e-5, the natural law as negative control."""

import pytest
import torch
from scipy.stats import chisquare

from causalcf.data.faces.units import celeba_scm
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM
from causalcf.training.batches import LabelledDraw, WeightedDraw, rarest_label

ALPHA = 1e-5
N = 40_000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def p_value(drawn, law):
    counts = torch.bincount(drawn, minlength=len(law)).double()
    expected = law / law.sum() * len(drawn)
    assert counts[expected == 0].sum() == 0
    return chisquare(counts[expected > 0], expected[expected > 0]).pvalue


def test_weighted_draw_follows_its_weights_and_never_draws_weight_zero():
    weights = torch.tensor([0.0, 1.0, 3.0, 0.0, 6.0, 0.0])
    drawn = WeightedDraw(weights)(N, seeded())
    assert p_value(drawn, weights.double()) > ALPHA
    assert p_value(drawn[drawn != 1], torch.tensor([0.0, 0.0, 3.0, 0.0, 5.0, 0.0]).double()) < ALPHA


GRAPH = CausalGraph({"A": [], "B": ["A"]})
SCM = LabelSCM.from_probabilities(GRAPH, {"A": 0.5, "B": [0.2, 0.6]})
ROWS = torch.tensor([[0, 0]] * 90 + [[1, 0]] * 9 + [[1, 1]] * 1, dtype=torch.int8)  # (0, 1) never occurs


@pytest.mark.parametrize("balance", [0.0, 0.7, 1.0])
def test_a_cell_is_drawn_with_its_frequency_to_one_minus_balance(balance):
    rows = LabelledDraw(ROWS, SCM, balance).rows(N, seeded())
    cells = (ROWS[rows] * torch.tensor([2, 1])).sum(1)
    frequency = torch.tensor([0.9, 0.0, 0.09, 0.01], dtype=torch.float64)
    law = torch.where(frequency > 0, frequency ** (1 - balance), torch.zeros(4, dtype=torch.float64))
    assert p_value(cells, law) > ALPHA
    if balance:
        assert p_value(cells, frequency) < ALPHA


def test_generated_labels_follow_the_same_law_started_from_the_label_generator():
    asked = LabelledDraw(ROWS, SCM, 0.7).generated(N, seeded())
    cells = (asked * torch.tensor([2, 1])).sum(1)
    law = SCM.joint().flatten() * torch.tensor([0.9**-0.7, 0.0, 0.09**-0.7, 0.01**-0.7], dtype=torch.float64)
    assert p_value(cells, law) > ALPHA
    assert p_value(cells, law * torch.tensor([1, 1, 1, 1.5])) < ALPHA


def test_at_balance_zero_the_label_generators_own_law_unseen_cells_included():
    asked = LabelledDraw(ROWS, SCM, 0.0).generated(N, seeded())
    assert p_value((asked * torch.tensor([2, 1])).sum(1), SCM.joint().flatten()) > ALPHA


RAREST = torch.tensor([0.9, 0.01, 0.1, 0.01], dtype=torch.float64)  # P(A = 1) = 0.1, P(B = 1) = 0.01


@pytest.mark.parametrize("balance", [0.0, 0.8, 1.0])
def test_the_rarest_label_of_a_row_decides_how_often_it_is_drawn(balance):
    rows = LabelledDraw(ROWS, SCM, balance, "rarest").rows(N, seeded())
    drawn = (ROWS[rows] * torch.tensor([2, 1])).sum(1)
    frequency = torch.tensor([0.9, 0.0, 0.09, 0.01], dtype=torch.float64)
    assert p_value(drawn, frequency * RAREST**-balance) > ALPHA
    if balance:
        assert p_value(drawn, torch.where(frequency > 0, frequency ** (1 - balance), 0.0)) < ALPHA


def test_generated_labels_have_the_same_tilt_in_combinations_that_the_data_lacks_too():
    drawn = (LabelledDraw(ROWS, SCM, 0.8, "rarest").generated(N, seeded()) * torch.tensor([2, 1])).sum(1)
    law = SCM.joint().flatten() * RAREST**-0.8
    assert int((drawn == 1).sum()) > 100  # (0, 1) is in no row
    assert p_value(drawn, law) > ALPHA
    assert p_value(drawn, law * torch.tensor([1, 1, 1, 1.5])) < ALPHA


def test_a_label_that_never_varies_in_the_data_counts_as_seen_once():
    rows = torch.tensor([[0, 0], [0, 1], [0, 0], [0, 0]], dtype=torch.int8)
    combinations = torch.tensor([[0, 0], [0, 1], [1, 0]], dtype=torch.int8)
    assert rarest_label(combinations, rows).tolist() == [0.75, 0.25, 0.25]


def test_rare_labels_of_celeba_become_common():
    labels = celeba_scm().sample(20_000, generator=seeded())
    bald = list(celeba_scm().graph.nodes).index("Bald")
    drawn = labels[LabelledDraw(labels, celeba_scm(), 0.7).rows(20_000, seeded(1))]
    assert labels[:, bald].double().mean() < 0.03 < 0.1 < drawn[:, bald].double().mean()

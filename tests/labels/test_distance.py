"""Tables of label laws and distances: closed forms and the axioms."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from causalcf.errors import CausalCFError, IntractableError
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, empirical_joint, pairwise, total_variation
from causalcf.labels.distance import pairwise_of_scm


def distributions(k: int = 3):
    cells = st.lists(st.integers(0, 20), min_size=2**k, max_size=2**k).filter(sum)
    return cells.map(lambda c: torch.tensor(c, dtype=torch.float64).reshape((2,) * k) / sum(c))


@given(distributions(), distributions(), distributions())
def test_axioms(p, q, r):
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == pytest.approx(total_variation(q, p))
    assert 0 <= total_variation(p, q) <= 1
    assert total_variation(p, r) <= total_variation(p, q) + total_variation(q, r) + 1e-12
    assert float(stats.entropy(p.flatten(), q.flatten())) >= 2 * total_variation(p, q) ** 2 - 1e-12  # Pinsker


def test_mass_where_the_other_law_has_none_is_counted():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.0, 0.5])
    assert total_variation(p, q) == 0.5


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=1, max_size=30))
def test_empirical_tables_match_counting(rows):
    joint = empirical_joint(rows)
    for cell in np.ndindex(2, 2, 2):
        assert float(joint[cell]) == pytest.approx(rows.count(cell) / len(rows))
    array = np.array(rows, dtype=float)
    np.testing.assert_allclose(pairwise(joint).numpy(), array.T @ array / len(rows), atol=1e-12)


def test_refusals():
    with pytest.raises(IntractableError, match=r"\b2\^30\b"):
        empirical_joint(torch.zeros(3, 30))
    with pytest.raises(CausalCFError, match="no rows"):
        empirical_joint(torch.zeros(0, 3))
    with pytest.raises(CausalCFError, match=r"\(2,\).*\(4,\)"):
        total_variation(torch.ones(2) / 2, torch.ones(4) / 4)


def test_pairs_of_a_graph_with_too_many_labels_are_sampled():
    names = [f"X{i}" for i in range(30)]
    scm = LabelSCM.from_probabilities(CausalGraph({name: [] for name in names}), dict.fromkeys(names, 0.5))
    pairs = pairwise_of_scm(scm)
    off_diagonal = pairs[~torch.eye(30, dtype=torch.bool)]
    assert (off_diagonal - 0.25).abs().max() < 0.01 and (pairs.diagonal() - 0.5).abs().max() < 0.01  # 6 s.e. of 100,000

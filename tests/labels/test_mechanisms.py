"""The contract of every mechanism, and the closed forms of each kind."""

import re

import numpy as np
import pytest
import torch
from helpers.label_oracles import ALPHA
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from causalcf.errors import CausalCFError, ImpossibleWorldError
from causalcf.labels import NeuralMechanism, ResponseMechanism, TableMechanism
from causalcf.labels.evidence import cell_index, configurations


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def neural() -> NeuralMechanism:
    g = seeded(1)
    return NeuralMechanism(*(torch.randn(s, generator=g, dtype=torch.float64) for s in ((), (2,), (4, 2), (4,), (4,))))


MECHANISMS = {
    "table": TableMechanism([[0.1, 0.6], [0.35, 0.8]]),
    "neural": neural(),
    "response": ResponseMechanism((torch.rand(4, 64, generator=seeded(2)) < 0.4).to(torch.uint8)),
}
everyone = pytest.mark.parametrize("mechanism", MECHANISMS.values(), ids=MECHANISMS)
PAIRS = [(old, new, label) for old in range(4) for new in range(4) for label in (0, 1)]
N = 20_000


def rows(cell: int, n: int = N) -> torch.Tensor:
    return configurations(2)[cell].expand(n, 2)


@everyone
def test_noise_answers_with_the_stated_probability(mechanism):
    for cell in range(4):
        ones = int(mechanism.respond(rows(cell), mechanism.sample_noise(N, seeded(cell))).sum())
        p = float(mechanism.probability(rows(cell, 1)))
        assert stats.binomtest(ones, N, p).pvalue > ALPHA
        assert stats.binomtest(ones, N, p - 0.05 if p > 0.5 else p + 0.05).pvalue < ALPHA, "negative control"


@everyone
def test_abducted_noise_gives_the_label_back_and_moves_by_the_transition(mechanism):
    for old, new, label in PAIRS:
        labels = torch.full((N,), label, dtype=torch.int8)
        noise = mechanism.abduct(labels, rows(old), seeded(3))
        assert bool(((noise >= 0) & (noise < 1)).all())
        assert torch.equal(mechanism.respond(rows(old), noise), labels)
        r = float(mechanism.transition(labels[:1], rows(old, 1), rows(new, 1)))
        ones = int(mechanism.respond(rows(new), noise).sum())
        if r in (0.0, 1.0):
            assert ones == r * N
        else:
            assert stats.binomtest(ones, N, r).pvalue > ALPHA


@everyone
def test_transition_is_consistent_with_the_probabilities(mechanism):
    """Composition r(b | pa, pa) = b, and the law of total probability over the old label."""
    cells = torch.tensor([[old, new] for old in range(4) for new in range(4)])
    old, new = configurations(2)[cells[:, 0]], configurations(2)[cells[:, 1]]
    zero, one = torch.zeros(16, dtype=torch.int8), torch.ones(16, dtype=torch.int8)
    p, q = mechanism.probability(old), mechanism.probability(new)
    mixed = (1 - p) * mechanism.transition(zero, old, new) + p * mechanism.transition(one, old, new)
    torch.testing.assert_close(mixed, q, rtol=0, atol=1e-14)
    assert bool((mechanism.transition(zero, old, old) == 0).all() and (mechanism.transition(one, old, old) == 1).all())


@everyone
def test_abduction_given_a_random_label_is_the_prior_of_the_noise(mechanism):
    """The kernel's invariance: noise -> label -> abducted noise is uniform again."""
    parents = rows(1)
    labels = mechanism.respond(parents, mechanism.sample_noise(N, seeded(4)))
    noise = mechanism.abduct(labels, parents, seeded(5)).numpy()
    assert stats.kstest(noise, "uniform").pvalue > ALPHA
    assert stats.kstest(mechanism.abduct(torch.ones_like(labels), parents, seeded(5)).numpy(), "uniform").pvalue < ALPHA


@everyone
def test_state_round_trip(mechanism):
    again = type(mechanism).from_state(mechanism.to_state())
    assert torch.equal(again.probability(configurations(2)), mechanism.probability(configurations(2)))
    noise = mechanism.sample_noise(1000, seeded(6))
    assert torch.equal(again.respond(rows(2, 1000), noise), mechanism.respond(rows(2, 1000), noise))


@given(st.floats(0, 1), st.floats(0, 1))
def test_threshold_transition_closed_form(p, q):
    mechanism = TableMechanism([p, q])
    old, new = torch.tensor([[0], [0]]), torch.tensor([[1], [1]])
    r = mechanism.transition(torch.tensor([0, 1]), old, new).tolist()
    assert r[0] == (max(q - p, 0) / (1 - p) if p < 1 else q)
    assert r[1] == (min(q / p, 1) if p > 0 else q)


def test_neural_probability_closed_form():
    m, x = neural(), 2.0 * configurations(2).double() - 1
    logit = m.bias + x @ m.linear + torch.tanh(x @ m.hidden.T + m.shift) @ m.output
    np.testing.assert_allclose(m.probability(configurations(2)).numpy(), 1 / (1 + np.exp(-logit.numpy())), rtol=1e-14)


def test_extreme_probabilities_never_give_the_impossible_label():
    mechanism = TableMechanism([0.0, 1.0])
    parents = torch.tensor([[0], [1]]).repeat(5000, 1)
    noise = mechanism.sample_noise(10_000, seeded(7))
    assert torch.equal(mechanism.respond(parents, noise).long(), parents[:, 0])
    nearly = TableMechanism([1.0 - 2.0**-53, 1.0])  # abduction must stay below one
    u = nearly.abduct(torch.zeros(1000), torch.zeros(1000, 1), seeded(8))
    assert bool((nearly.respond(torch.ones(1000, 1), u) == 1).all())
    with pytest.raises(ImpossibleWorldError, match=r"\brow 1\b.*\b0\b"):
        mechanism.abduct(torch.tensor([0, 0]), torch.tensor([[0], [1]]), seeded())
    response = ResponseMechanism(torch.tensor([[0, 0]]))
    with pytest.raises(ImpossibleWorldError, match=r"\blabel 1\b"):
        response.abduct(torch.tensor([1]), torch.zeros(1, 0), seeded())


def test_malformed_tables_are_refused():
    for table, culprit in [
        ([0.1, 0.2, 0.3], r"table.*\(3,\)"),
        ([0.1, 1.1], r"value 1\.1\b"),
        (-0.1, r"value -0\.1\b"),
    ]:
        with pytest.raises(CausalCFError, match=culprit):
            TableMechanism(table)
    for shape in ((3, 8), (2, 6)):
        with pytest.raises(CausalCFError, match=re.escape(str(shape))):
            ResponseMechanism(torch.zeros(shape))


@given(st.integers(0, 8))
def test_cells_are_numbered_in_c_order(k):
    cells = configurations(k)
    assert torch.equal(cell_index(cells), torch.arange(2**k))
    grid = np.stack(np.unravel_index(np.arange(2**k), (2,) * k), 1) if k else np.zeros((1, 0))
    assert np.array_equal(cells.numpy(), grid)


def large(seed: int, parents: int, hidden: int, scale: float) -> NeuralMechanism:
    g, shapes = seeded(seed), ((), (parents,), (hidden, parents), (hidden,), (hidden,))
    return NeuralMechanism(*(scale * torch.randn(shape, generator=g, dtype=torch.float64) for shape in shapes))


@given(
    seed=st.integers(0, 10**6),
    parents=st.integers(0, 39),
    hidden=st.integers(0, 24),
    scale=st.sampled_from([0.01, 0.3, 3.0]),
    n=st.integers(1, 300),
)
def test_a_network_answers_in_float32_what_it_would_in_float64(seed, parents, hidden, scale, n):
    mechanism, g = large(seed, parents, hidden, scale), seeded(seed)
    rows = torch.randint(0, 2, (n, parents), generator=g, dtype=torch.int8)
    p = mechanism.probability(rows)
    for apart in (1e-4, 1e-7, 1e-10):  # noise so near to the threshold that float32 cannot tell the sides apart
        below, above = (p - apart).clamp(min=0), (p + apart).clamp(max=1 - 2**-53)
        assert torch.equal(mechanism.respond(rows, below), (below < p).to(torch.int8))
        assert torch.equal(mechanism.respond(rows, above), (above < p).to(torch.int8))


def test_float32_alone_would_not_tell_them_apart():
    mechanism, rows = large(0, 30, 24, 0.3), torch.randint(0, 2, (5000, 30), generator=seeded(1), dtype=torch.int8)
    p, (hidden, shift, output, slack) = mechanism.probability(rows), mechanism._single
    reached = torch.addmm(shift, hidden, rows.T.float())
    off = (torch.sigmoid(output @ torch.cat([reached[:-1].sigmoid(), reached[-1:]])) - p).abs()
    assert 1e-10 < float(off.max()) < slack < 1e-2


def test_a_network_answers_alike_where_float32_products_are_rounded():
    mechanism, rows = large(0, 30, 24, 0.3), torch.randint(0, 2, (500, 30), generator=seeded(1), dtype=torch.int8)
    p = mechanism.probability(rows)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert bool(mechanism.respond(rows, p - 1e-10).all()) and not bool(mechanism.respond(rows, p + 1e-10).any())
    finally:
        torch.set_float32_matmul_precision(before)

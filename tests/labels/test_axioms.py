"""Composition, effectiveness, reversibility of label counterfactuals (Galles and Pearl, 1998), and who promises what.

Given the noise, every mechanism is a function of its parents, so all three hold to the bit: for threshold noise on a
table or a network (fitted by likelihood), and for the response pools of an adversarial label generator. What differs:

- Threshold noise is monotone: an intervention that makes a label likelier never loses it. A response pool keeps the
  coupling its network has learned, which may lose it; labels alone do not determine the coupling.
- Nobody returns from a counterfactual with certainty knowing its labels alone: they tell less than the noise did. What
  holds is reversibility in law, wherever the antecedent is all of an ancestral set (a root, for instance), so that
  setting it and seeing it are the same.
"""

import numpy as np
import pytest
import torch
from helpers.label_oracles import cases
from hypothesis import given
from hypothesis import strategies as st

from causalcf.data.faces.units import celeba_scm
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, ResponseMechanism, fit_label_scm
from causalcf.labels.evidence import configurations

UNITS = 64
KINDS = ["threshold", "neural", "response", "adversarial"]
STICKINESS = st.sampled_from([0.0, 0.53, 1.0])
every_kind = pytest.mark.parametrize("kind", KINDS)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def adversarial() -> LabelSCM:
    """A Causal Controller after a few steps: nothing learned yet, which the axioms must not depend on."""
    graph = CausalGraph({"A": [], "B": ["A"], "C": ["A", "B"], "D": ["C", "A"]})
    rows = (torch.rand(200, 4, generator=seeded()) < 0.4).to(torch.int8)
    return fit_label_scm(graph, rows, method="adversarial", generator=seeded(1), steps=3, progress=False)


def drawn(data, kind: str, adversarial: LabelSCM) -> LabelSCM:
    return adversarial if kind == "adversarial" else data.draw(cases(6, 3, kinds=(kind,), grain=4)).scm


def columns(data, scm: LabelSCM, labels: torch.Tensor, least: int = 0) -> dict[str, torch.Tensor]:
    """Some labels' columns, one value for each unit."""
    names = data.draw(st.lists(st.sampled_from(scm.graph.nodes), unique=True, min_size=least))
    return {name: labels[:, scm.graph.nodes.index(name)] for name in names}


def coins(data) -> torch.Generator:
    return seeded(data.draw(st.integers(0, 2**31)))


@every_kind
@given(data=st.data())
def test_composition(kind, adversarial, data):
    """Setting labels to what they are changes nothing: on the noise to the bit, on the labels with probability one."""
    scm, g = drawn(data, kind, adversarial), coins(data)
    noise = scm.sample_noise(UNITS, g)
    labels = scm.respond(noise)
    null = columns(data, scm, labels)
    assert torch.equal(scm.respond(noise, do=null), labels)
    abducted = scm.abduct(labels, g)
    assert torch.equal(scm.respond(abducted, do=null), labels)
    itself = dict(zip(scm.graph.nodes, labels.unbind(1), strict=True))
    sure = scm.counterfactual_probabilities(itself, labels, do=null, stickiness=1.0)
    torch.testing.assert_close(sure, torch.ones(UNITS, dtype=torch.float64), rtol=0, atol=1e-12)


@every_kind
@given(data=st.data(), s=STICKINESS)
def test_effectiveness(kind, adversarial, data, s):
    """What is set holds, at any stickiness, and what is not below it stays where all noise is kept."""
    scm, g = drawn(data, kind, adversarial), coins(data)
    noise = scm.sample_noise(UNITS, g)
    labels, wanted = scm.respond(noise), torch.randint(0, 2, (UNITS, len(scm.graph)), generator=g, dtype=torch.int8)
    do = columns(data, scm, wanted, least=1)
    moved = scm.respond(noise, do=do)
    below = set(do).union(*(scm.graph.descendants(name) for name in do))
    for i, name in enumerate(scm.graph.nodes):
        if name in do:
            assert torch.equal(moved[:, i], do[name])
        elif name not in below:
            assert torch.equal(moved[:, i], labels[:, i])
    sure = scm.counterfactual_probabilities(do, labels, do=do, stickiness=s)
    torch.testing.assert_close(sure, torch.ones(UNITS, dtype=torch.float64), rtol=0, atol=1e-12)


@every_kind
@given(data=st.data())
def test_reversibility_given_the_noise(kind, adversarial, data):
    """If Y is y under do(x, w) and W is w under do(x, y), then Y is y and W is w under do(x)."""
    scm, g = drawn(data, kind, adversarial), coins(data)
    nodes = scm.graph.nodes
    noise = scm.sample_noise(4 * UNITS, g)
    value = torch.randint(0, 2, (4 * UNITS, len(nodes)), generator=g, dtype=torch.int8)
    x = columns(data, scm, value)
    rest = [name for name in nodes if name not in x]
    w = {name: value[:, nodes.index(name)] for name in rest[: len(rest) // 2]}
    y = {name: value[:, nodes.index(name)] for name in rest[len(rest) // 2 :]}
    shown = holds(scm, noise, {**x, **w}, y) & holds(scm, noise, {**x, **y}, w)
    assert bool(holds(scm, noise, x, {**w, **y})[shown].all())
    settled = scm.respond(noise, do=x)  # the premise holds for the solution itself, so it is never empty
    w, y = ({name: settled[:, nodes.index(name)] for name in part} for part in (w, y))
    assert bool((holds(scm, noise, {**x, **w}, y) & holds(scm, noise, {**x, **y}, w)).all())


def holds(scm: LabelSCM, noise: torch.Tensor, do: dict[str, torch.Tensor], seen: dict[str, torch.Tensor]):
    labels = scm.respond(noise, do=do)
    hit = torch.ones(len(noise), dtype=torch.bool)
    for name, value in seen.items():
        hit &= labels[:, scm.graph.nodes.index(name)] == value
    return hit


@every_kind
@given(data=st.data(), s=STICKINESS)
def test_reversibility_in_law_for_ancestral_antecedents(kind, adversarial, data, s):
    """P(l | x) P(l* under do(x*) | l) = P(l* | x*) P(l under do(x) | l*): there and back weigh the same."""
    scm = drawn(data, kind, adversarial)
    nodes = scm.graph.nodes[:5]
    if len(nodes) < len(scm.graph):  # the first nodes in causal order are a model of their own
        first = CausalGraph({node: list(scm.graph.parents(node)) for node in nodes})
        scm = LabelSCM(first, {node: scm.mechanisms[node] for node in nodes})
    above = nodes[: data.draw(st.integers(1, len(nodes)))]
    cells, law = configurations(len(nodes)), scm.joint().reshape(-1)
    ends = [data.draw(st.sampled_from(range(2 ** len(above)))) for _ in range(2)]
    x, x_star = (configurations(len(above))[end] for end in ends)
    rows, star = ((cells[:, : len(above)] == end).all(1) & (law > 0) for end in (x, x_star))
    if not bool(rows.any() and star.any()):
        return
    there = flow(scm, cells[rows], law[rows], above, x_star, cells[star], s)
    back = flow(scm, cells[star], law[star], above, x, cells[rows], s)
    np.testing.assert_allclose(there, back.T, atol=1e-12)
    assert there.sum() == pytest.approx(1.0, abs=1e-12)


def flow(scm, cells, law, above, value, targets, s) -> np.ndarray:
    """P(cell | its antecedent) P(target under do(above = value) | cell), one row for each cell."""
    do = dict(zip(above, value.tolist(), strict=True))
    columns = [
        scm.counterfactual_probabilities(dict(zip(scm.graph.nodes, t, strict=True)), cells, do=do, stickiness=s)
        for t in targets.tolist()
    ]
    return (law / law.sum())[:, None].numpy() * torch.stack(columns, 1).numpy()


def test_labels_alone_do_not_lead_back_with_certainty():
    """A young man, not bald, made old and young again: as before given his noise, with .9836 given his labels."""
    scm = celeba_scm()
    unit = {"Young": 1, "Male": 1, "Bald": 0}
    old, young = {"Young": 0, "Male": 1}, {"Young": 1, "Male": 1}
    labels = scm.sample(500, given=unit, generator=seeded())
    noise = scm.abduct(labels, seeded(1))
    assert torch.equal(scm.respond(noise, do=young), labels)
    assert not torch.equal(scm.respond(noise, do=old)[:, 1:], labels[:, 1:]), "the way there does change some"
    bald = scm.counterfactual_probability({"Bald": 1}, unit, do=old)
    back = sum(
        share * scm.counterfactual_probability({"Bald": 0}, {**unit, "Young": 0, "Bald": value}, do=young)
        for value, share in ((0, 1 - bald), (1, bald))
    )
    p, q = 0.01945852901, 0.112627876206
    there = (q - p) / (1 - p)
    assert bald == pytest.approx(there, abs=1e-9) and back == pytest.approx(1 - there * p / q, abs=1e-9)
    assert back == pytest.approx(0.9836, abs=5e-5)


@pytest.mark.parametrize("kind", ["threshold", "neural"])
@given(data=st.data())
def test_threshold_noise_never_loses_a_label_that_became_likelier(kind, data):
    scm = data.draw(cases(4, 3, kinds=(kind,), grain=8)).scm
    for mechanism in scm.mechanisms.values():
        cells = configurations(mechanism.n_parents)
        old, new = (part.reshape(-1) for part in torch.meshgrid(*[torch.arange(len(cells))] * 2, indexing="ij"))
        u = mechanism.sample_noise(len(old), coins(data))
        p, q = mechanism.probability(cells[old]), mechanism.probability(cells[new])
        before, after = mechanism.respond(cells[old], u), mechanism.respond(cells[new], u)
        assert bool((after >= before)[q >= p].all())
        kept = mechanism.transition(torch.ones(len(old)), cells[old], cells[new])
        assert bool((kept[(q >= p) & (p > 0)] == 1).all())


def test_response_pools_keep_whatever_coupling_they_have():
    """As likely under both parents' values, and never the same: no threshold on P(B=1 | parents) could say so."""
    opposed = ResponseMechanism(torch.tensor([[0, 1], [1, 0]]))
    zero, one = torch.tensor([[0]]), torch.tensor([[1]])
    assert opposed.probability(zero) == opposed.probability(one) == 0.5
    assert opposed.transition(torch.tensor([1]), zero, one) == 0

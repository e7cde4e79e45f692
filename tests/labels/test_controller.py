"""The adversarial fit: it learns, it is told apart from chance, and its pool stands for its noise."""

import itertools

import pytest
import torch
from helpers.celeba_table import celeba_table, needs_celeba
from helpers.label_oracles import ALPHA, chi_square
from scipy import stats

from causalcf.errors import IntractableError
from causalcf.graph.files import load_graph
from causalcf.graph.graph import CausalGraph
from causalcf.labels import LabelSCM, ResponseMechanism, empirical_joint, fit_label_scm, total_variation
from causalcf.labels.adversarial import (
    Controller,
    ControllerOptions,
    Critic,
    cube_penalty,
    fit_controller,
    noise_pool,
    pool_law,
    straight_through,
    train_controller,
)
from causalcf.labels.counterfactuals import parent_indices
from causalcf.labels.evidence import configurations

GRAPH = CausalGraph({"Young": [], "Male": [], "Bald": ["Male", "Young"]})
TRUTH = LabelSCM.from_probabilities(GRAPH, {"Young": 0.77, "Male": 0.42, "Bald": [[0.1, 0.02], [0.6, 0.25]]})
PARENTS = parent_indices(GRAPH)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quick(**options) -> ControllerOptions:
    return ControllerOptions(**{"steps": 800, "progress": False, **options})


def test_learns_a_small_law():
    target = TRUTH.joint()
    reports: dict[str, float] = {}
    for name, steps in (("untrained", 1), ("trained", 800)):
        controller = train_controller(PARENTS, target, quick(steps=steps, target_tvd=0.005), seeded(1))
        reports[name] = total_variation(pool_law(controller, noise_pool(10, 2**12, seeded(2))), target)
    assert reports["trained"] < 0.02
    assert reports["untrained"] > 0.2, "negative control"


def test_cannot_learn_what_its_graph_forbids():
    """Without edges the best law is a product: the controller has no hidden common cause to cheat with."""
    correlated = torch.tensor([[0.5, 0.0], [0.0, 0.5]], dtype=torch.float64)
    target = torch.stack([correlated, 0 * correlated])
    controller = train_controller([(), (), ()], target, quick(steps=300, target_tvd=0.0), seeded(3))
    law = pool_law(controller, noise_pool(10, 2**10, seeded(4)))
    grid = torch.linspace(0, 1, 201, dtype=torch.float64)
    first, second = torch.meshgrid(grid, grid, indexing="ij")
    cells = [(1 - first) * (1 - second) - 0.5, (1 - first) * second, first * (1 - second), first * second - 0.5]
    best = float(torch.stack(cells).abs().sum(0).min() / 2)  # of all products of two labels: sqrt(2) - 1
    assert total_variation(law, target) >= best - 0.005  # the grid's own resolution
    assert best > 0.4
    one = [law.sum([j for j in range(3) if j != i]) for i in range(3)]
    torch.testing.assert_close(law, one[0][:, None, None] * one[1][:, None] * one[2], rtol=0, atol=1e-12)


def test_same_interface_same_seed_and_untouched_global_state():
    labels = TRUTH.sample(2000, generator=seeded())
    before = torch.get_rng_state()
    options = {"method": "adversarial", "steps": 20, "progress": False}
    first = fit_label_scm(GRAPH, labels, generator=seeded(5), **options)
    again = fit_label_scm(GRAPH, labels, generator=seeded(5), **options)
    other = fit_label_scm(GRAPH, labels, generator=seeded(6), **options)
    assert torch.equal(before, torch.get_rng_state())
    assert all(isinstance(m, ResponseMechanism) for m in first.mechanisms.values())
    assert all(torch.equal(m.bits, again.mechanisms[n].bits) for n, m in first.mechanisms.items())
    assert not all(torch.equal(m.bits, other.mechanisms[n].bits) for n, m in first.mechanisms.items())
    restored = LabelSCM.from_state(first.to_state())
    assert torch.equal(restored.sample(50, generator=seeded()), first.sample(50, generator=seeded()))


def test_stops_as_soon_as_the_target_is_met(capsys):
    target = TRUTH.joint()
    options = {"steps": 10_000, "target_tvd": 0.9, "check_every": 1}
    train_controller(PARENTS, target, quick(**options, progress=True), seeded(1))
    shown = capsys.readouterr()
    assert "TVD 0." in shown.err and "/10000" in shown.err and shown.out == ""


def test_pool_stands_for_the_continuous_noise():
    """The pool's integration error on the networks' own probabilities, against 2^18 plain random draws of z."""
    controller = Controller(PARENTS, seeded(7))
    draws = 2.0 * torch.rand(2**18, 10, generator=seeded(8)) - 1.0
    plain = torch.cat([bits.double().mean(1) for bits in controller.bits(draws)])
    pooled = torch.cat([bits.double().mean(1) for bits in controller.bits(noise_pool(10, 2**14, seeded(9)))])
    coarse = torch.cat([bits.double().mean(1) for bits in controller.bits(noise_pool(10, 2**6, seeded(9)))])
    # Plain draws are off by at most 4.5 * .5 / 2^9 = .0044 with probability 1 - 1e-5; plain 2^14 by another .018.
    assert float((pooled - plain).abs().max()) < 0.0044 + 0.004
    assert float((coarse - plain).abs().max()) > 0.0044 + 0.004, "negative control: 64 points do not do"


def test_counterfactuals_use_the_networks_own_noise():
    """Two routes: the mechanism's exact transition, and the networks rerun on the z that gave the facts."""
    controller, pool = Controller(PARENTS, seeded(7)), noise_pool(10, 2**14, seeded(9))
    bits = controller.bits(pool)
    scm = LabelSCM(GRAPH, {n: ResponseMechanism(b) for n, b in zip(GRAPH.nodes, bits, strict=True)})
    z = 2.0 * torch.rand(2**15, 10, generator=seeded(10)) - 1.0
    fresh, cells, checked = controller.bits(z)[2], configurations(2), 0  # cells: Male, Young
    for old, new, label in itertools.product(range(4), range(4), (0, 1)):
        kept = fresh[old] == label
        facts = {"Male": int(cells[old, 0]), "Young": int(cells[old, 1]), "Bald": label}
        if int(kept.sum()) < 1000 or old == new:
            continue
        exact = scm.counterfactual_probability(
            {"Bald": 1}, facts, do={"Male": int(cells[new, 0]), "Young": int(cells[new, 1])}
        )
        ones = int(fresh[new][kept].sum())
        # The pool stands for the continuous noise to .004: the nearest share within that must explain the draws.
        nearest = min(max(ones / int(kept.sum()), exact - 0.004), exact + 0.004)
        assert stats.binomtest(ones, int(kept.sum()), min(max(nearest, 0.0), 1.0)).pvalue > ALPHA
        p, q = (
            scm.probability({"Bald": 1}, do={"Male": int(c[0]), "Young": int(c[1])}) for c in (cells[old], cells[new])
        )
        threshold = min(q / p, 1.0) if label else max(q - p, 0.0) / (1 - p)
        checked += abs(threshold - exact) > 0.1
    assert checked >= 2, "negative control: a threshold on the same probabilities answers otherwise"


def test_exact_law_of_hard_labels_matches_sampled_networks():
    controller = Controller(PARENTS, seeded(11))
    n = 20_000
    labels = torch.zeros(n, 3, dtype=torch.int64)
    for i, above in enumerate(PARENTS):  # each node with a z of its own, its parents' hard labels
        z = 2.0 * torch.rand(n, 10, generator=seeded(20 + i)) - 1.0
        bits = controller.bits(z)[i]
        cell = torch.zeros(n, dtype=torch.int64)
        for parent in above:
            cell = 2 * cell + labels[:, parent]
        labels[:, i] = bits[cell, torch.arange(n)]
    law = pool_law(controller, noise_pool(10, 2**14, seeded(12)))
    assert chi_square(empirical_joint(labels).numpy() * n, law.numpy() * n) > ALPHA
    other = pool_law(Controller(PARENTS, seeded(13)), noise_pool(10, 2**14, seeded(12)))
    assert chi_square(empirical_joint(labels).numpy() * n, other.numpy() * n) < ALPHA, "negative control"


def test_straight_through_is_hard_forwards_and_soft_backwards():
    logit = torch.tensor([[-2.0, -0.1, 0.1, 3.0]], requires_grad=True)
    out = straight_through(logit)
    out.sum().backward()
    torch.testing.assert_close(out.detach(), torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    width = 0.3 * float(logit.detach().std())
    soft = torch.sigmoid(logit.detach() / width)
    torch.testing.assert_close(logit.grad, soft * (1 - soft) / width)


def test_gradient_reaches_every_weight_of_both_networks():
    controller, critic = Controller(PARENTS, seeded(14)), Critic(3, seeded(15))
    z = 2.0 * torch.rand(64, 10, generator=seeded(16)) - 1.0
    cells = 2.0 * configurations(3).float() - 1.0
    (controller.soft_joint(z) * critic(cells).detach()).sum().backward()
    (critic(cells) * torch.linspace(-1, 1, 8)).sum().backward()
    for name, weight in [*controller.named_parameters(), *critic.named_parameters()]:
        # The critic's last bias shifts all scores alike and carries no gradient in a difference of two laws.
        assert weight.grad is not None and bool(weight.grad.isfinite().all()), name
    assert all(bool((w.grad != 0).any()) for w in controller.parameters())


def test_cube_penalty_in_closed_form():
    weights = torch.full((8,), 1 / 8)
    linear = configurations(3).float() @ torch.tensor([1.0, 2.0, 3.0])
    # Each of the three directions has four edges, each weighted 2 * (1 + .1) / 8 with the floor.
    assert float(cube_penalty(linear, weights)) == pytest.approx(4 * 2 * 1.1 / 8 * (1 + 4 + 9), rel=1e-6)
    assert float(cube_penalty(torch.full((8,), 5.0), weights)) == 0.0


def test_graphs_too_large_are_refused():
    for d, width, culprit in ((13, 1, r"\b2\^13\b.*'graph'.*\b12\b"), (12, 11, r"'A11'.*\b11\b.*\b10\b")):
        names = [f"A{i}" for i in range(d)]
        graph = CausalGraph({name: names[max(0, i - width) : i] for i, name in enumerate(names)})
        with pytest.raises(IntractableError, match=culprit):
            fit_controller(graph, torch.zeros(4, d), steps=1)


@pytest.mark.slow
@needs_celeba
@pytest.mark.parametrize(("name", "limit"), [("celeba", 0.16), ("celeba-complete", 0.02)])
def test_celeba(name, limit):
    graph, table = load_graph(name), celeba_table()
    scm = fit_label_scm(graph, table, method="adversarial", generator=seeded(), progress=False)
    data = empirical_joint(torch.stack([torch.from_numpy(table[node]) for node in graph.nodes], 1))
    assert total_variation(data, scm.joint()) <= limit

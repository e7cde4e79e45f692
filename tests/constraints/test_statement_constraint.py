"""What telling does to a generator: nothing while statements hold, else the loss's own gradient, up to a share."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from helpers.constraint_toys import OLD_MAN, Generator, Reader, about_smiles, telling

from causalcf.constraints.constraint import norm
from causalcf.errors import RunError
from causalcf.language.statement import Statement

NOTHING = torch.zeros(0, 4), torch.zeros(0, 3, 2, 2)


class Half(Reader):
    """Sees every label with probability one half."""

    def logits(self, images):
        return images.flatten(1)[:, :3] * 0


def told_once(record, net, gan=1.0):
    """The gradient that telling adds to one that was there."""
    net.weight.grad = torch.full_like(net.weight, gan)
    record(net, 0, *NOTHING)
    return net.weight.grad - gan


def test_a_statement_that_holds_leaves_the_gradient_as_it_is_to_the_bit():
    holds = telling({"a": about_smiles()}, keep=0, calibration=0)
    holds.classifier = Half()
    assert torch.equal(told_once(holds, Generator(7)), torch.zeros(7, 12, dtype=torch.float64))
    assert holds.last == {"a": 0}
    missed = telling({"a": replace(about_smiles(), modal="would")}, keep=0, calibration=0)
    assert told_once(missed, Generator(7)).abs().max() > 0


@pytest.mark.parametrize(("contrast", "calibration"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_gradient_is_the_losses_own_as_finite_differences_have_it(contrast, calibration):
    statement = Statement({"Young": 1}, {"Young": 0}, "would", {"Male": 1})
    net = Generator(7, seed=3)
    found = told_once(telling({"a": statement}, decay=0, contrast=contrast, calibration=calibration), net)

    def weighed(weight):
        fresh = telling({"a": statement}, decay=0, contrast=contrast, calibration=calibration)
        question = fresh.questions[0]
        other = Generator(7)
        other.weight = torch.nn.Parameter(weight)
        group = fresh.source.draw(question, fresh.size, fresh.random)
        return {name: loss.item() for name, loss in fresh._losses(other, question, group).items()}

    at = weighed(net.weight.detach())
    factor = {name: max(0.0, loss - 0.01) for name, loss in at.items()}  # multipliers start at 0, damping is 1
    assert any(factor.values())
    step = 1e-6
    for i, j in ((0, 0), (2, 5), (6, 11)):
        moved = [net.weight.detach().clone() for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        up, down = (weighed(weight) for weight in moved)
        slope = sum(factor[name] * (up[name] - down[name]) for name in at) / (2 * step)
        assert found[i, j].item() == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_the_gradient_is_no_longer_than_a_share_of_what_is_there():
    statement = {"a": replace(about_smiles(), modal="would")}
    free, bound = (told_once(telling(statement, share=share), Generator(7)) for share in (1e9, 0.01))
    there = torch.ones(7, 12, dtype=torch.float64).norm()
    assert norm([bound]).item() == pytest.approx(0.01 * there.item())
    assert norm([free]) > norm([bound])
    assert torch.nn.functional.cosine_similarity(free.flatten(), bound.flatten(), 0).item() == pytest.approx(1)


def test_no_gradient_at_all_stays_none():
    record, net = telling({"a": about_smiles()}), Generator(7)
    net.weight.grad = torch.zeros_like(net.weight)
    record._descend(net, net.weight.sum() * 0)
    assert torch.equal(net.weight.grad, torch.zeros_like(net.weight))


def test_each_term_changes_the_gradient():
    said = {"a": OLD_MAN}
    whole = told_once(telling(said), Generator(7))
    without = [
        telling(said, keep=0),
        telling(said, contrast=0),
        telling(said, calibration=0),
    ]
    for other in without:
        assert not torch.equal(told_once(other, Generator(7)), whole)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_statement_told_again_and_again_comes_true(labelled):
    record = telling({"a": Statement({}, {"Young": 0}, "likely", {"Bald": 1})}, labelled, size=64)
    net = Generator(7 if labelled else 4)
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    shares = []
    for step in range(300):
        net.weight.grad = torch.full_like(net.weight, 1e-9)
        noise = torch.rand(64, 4, generator=record.random) * 2 - 1
        images = torch.zeros(64, 3, 2, 2) if labelled else net(noise, noise[:, :0]).detach()
        record(net, step, noise, images)
        optimiser.step()
        shares.append(record.record()["a"].get("q"))
    found = [share for share in shares if share is not None]
    assert found[0] < 0.65 and found[-1] > 0.67


@pytest.mark.parametrize("labelled", [True, False])
def test_restored_it_goes_on_to_the_bit(labelled):
    def steps(record, net, first, last):
        for step in range(first, last):
            net.weight.grad = torch.ones_like(net.weight)
            noise = torch.rand(32, 4, generator=torch.Generator().manual_seed(step)) * 2 - 1
            record(net, step, noise, net(noise, torch.zeros(32, 3 if labelled else 0)).detach())
            net.weight.data -= 0.01 * net.weight.grad

    inputs = 7 if labelled else 4
    whole, net = telling({"a": OLD_MAN}, labelled), Generator(inputs)
    steps(whole, net, 0, 12)
    first, parts = telling({"a": OLD_MAN}, labelled), Generator(inputs)
    steps(first, parts, 0, 5)
    second = telling({"a": OLD_MAN}, labelled)
    second.restore(first.state())
    steps(second, parts, 5, 12)
    assert torch.equal(net.weight, parts.weight)
    assert whole.multipliers.values == second.multipliers.values


def test_another_classifier_does_not_go_on():
    record = telling({"a": OLD_MAN})
    with pytest.raises(RunError, match="classifier"):
        record.restore({**record.state(), "classifier": "another"})


def test_what_is_told_wins_over_the_label_model():
    """A false "would" is calibrated to the bound of what it asks, not back to what the label model says."""
    record = telling({"a": replace(OLD_MAN, modal="would")}, keep=0, contrast=0, decay=0)
    question = record.questions[0]
    after = torch.zeros(8, 3, dtype=torch.float64)
    wanted = torch.full((8,), 0.3, dtype=torch.float64)

    def loss(bald):
        after[:, record.costs.targets.nodes.index("Bald")] = bald
        return record.costs._statement("a", question, after, after, wanted).item()

    assert loss(0.95) == pytest.approx(0, abs=1e-9)
    assert loss(0.3) > 0.5


def test_giving_up_the_antecedent_costs_where_the_consequent_would_be_free():
    record = telling({"a": replace(OLD_MAN, modal="might not")}, contrast=0, decay=0)
    question, facts = record.questions[0], torch.tensor([[1, 1, 0]] * 8, dtype=torch.int8)
    after = torch.tensor([[0.02, 0.98, 0.0]] * 8, dtype=torch.float64)  # Young, Male, Bald: still old men
    given_up = torch.tensor([[0.6, 0.98, 0.0]] * 8, dtype=torch.float64)  # young again
    held, lost = (record.costs(question, None, read, facts)[f"{question.name}: kept"] for read in (after, given_up))
    assert lost > held + 0.1


def test_images_beyond_the_range_are_read_as_they_are_shown():
    """CausalBEGAN's generator has no tanh; a run cuts its images to [0, 1]."""
    constraint = telling({"a": about_smiles()})
    bright, edge = (constraint._classify(torch.full((2, 3, 2, 2), value, dtype=torch.float64)) for value in (3.0, 1.0))
    assert torch.equal(bright, edge)
    assert not torch.equal(edge, constraint._classify(torch.full((2, 3, 2, 2), 0.5, dtype=torch.float64)))


def test_a_smooth_reading_does_not_see_the_finest_pattern():
    """Oracle: a pattern of period 2 in rows or columns is flat after weights 1, 2, 1; a step is kept."""
    told = telling({"old": OLD_MAN})
    seen = []
    told.classifier = SimpleNamespace(logits=lambda images: seen.append(images) or images.new_zeros(len(images), 3))
    flat, rows = torch.zeros(1, 3, 8, 8), torch.tensor([0.2, -0.2]).repeat(4)
    step = torch.where(torch.arange(8) < 4, -0.5, 0.5).expand(1, 3, 8, 8)
    images = torch.cat([flat, flat + rows, flat + rows[:, None], step])
    for smooth, least in ((True, 0.0), (False, 0.09)):
        told.smooth = smooth
        told._classify(images)
        moved = (seen[-1] - 0.5).abs()
        assert moved[0].max() < 1e-6 and least <= moved[1:3].max() < least + 0.011
        assert moved[3, :, :, [0, 7]].min() > 0.24

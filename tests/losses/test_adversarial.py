"""Oracles: closed forms of each objective at known logits, and finite differences for the penalties' gradients."""

import math

import pytest
import torch
from torch import nn

from causalcf.errors import RecipeError
from causalcf.losses.adversarial import OBJECTIVES, objective, squared_gradient_norm

ZERO = torch.zeros(3, dtype=torch.float64)
TWO = torch.full((3,), 2.0, dtype=torch.float64)
LOG2 = math.log(2)


def value(terms):
    return sum(float(term.mean()) for term in terms.values())


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("non-saturating", math.log1p(math.exp(-2)) + LOG2, LOG2),
        ("hinge", 0 + 1, 0.0),
        ("least-squares", 1.0, 1.0),
        ("wgan-gp", -2.0, 0.0),
        ("relativistic", math.log1p(math.exp(-2)), math.log1p(math.exp(2))),
    ],
)
def test_values_at_real_logit_two_and_fake_logit_zero(name, discriminator, generator):
    loss = objective(name)
    assert value(loss.discriminator(TWO, ZERO)) == pytest.approx(discriminator, abs=1e-12)
    assert value(loss.generator(TWO, ZERO)) == pytest.approx(generator, abs=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_terms_are_unreduced_and_pull_both_players_apart(name):
    loss = objective(name)
    fake = torch.tensor([-0.4, 0.1, 0.3], dtype=torch.float64, requires_grad=True)
    real = torch.tensor([0.2, -0.3, 0.5], dtype=torch.float64)
    mine, theirs = loss.discriminator(real, fake), loss.generator(real, fake)
    assert all(term.shape == (3,) for term in {**mine, **theirs}.values())
    (down,) = torch.autograd.grad(sum(t.sum() for t in mine.values()), fake)
    (up,) = torch.autograd.grad(sum(t.sum() for t in theirs.values()), fake)
    if name == "least-squares":  # pulls fakes to 0 and to 1: against each other only in between
        down, up = down[1:], up[1:]
    assert (down > 0).all() and (up < 0).all()


@pytest.mark.parametrize("name", ["wgan-gp", "relativistic"])
def test_a_constant_added_to_every_logit_changes_nothing_of_a_loss_without_bound(name):
    # A loss that has no bound would drive the constant to infinity: there are more fakes than real images.
    offset = torch.zeros((), dtype=torch.float64, requires_grad=True)
    loss, real, fake = objective(name), TWO + offset, ZERO + offset
    losses = [*loss.discriminator(real, fake).values(), loss.on_fake(real, -TWO + offset)]
    (slope,) = torch.autograd.grad(sum(term.sum() for term in losses), offset)
    assert slope.item() == 0


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.shares_pass])
def test_a_shared_pass_needs_a_slope_at_every_fake_logit(name):
    logits = torch.linspace(-30, 30, 61, dtype=torch.float64, requires_grad=True)
    for real in (logits.detach(), logits.detach().flip(0)):
        terms = objective(name).discriminator(real, logits)
        (slope,) = torch.autograd.grad(sum(term.sum() for term in terms.values()), logits)
        assert (slope > 0).all()


def test_hinge_has_none_beyond_its_margin_and_says_so():
    logits = torch.tensor([-1.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(objective("hinge").discriminator(logits.detach(), logits)["fake"].sum(), logits)
    assert slope.item() == 0 and not objective("hinge").shares_pass


class Linear(nn.Module):
    """A judge with a known gradient: w everywhere."""

    def __init__(self, norm):
        super().__init__()
        self.w = nn.Parameter(torch.full((3, 2, 2), norm / math.sqrt(12), dtype=torch.float64))

    def forward(self, images, labels):
        return (images * self.w).flatten(1).sum(1)


def pairs():
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(2, 4, 3, 2, 2, generator=draw, dtype=torch.float64)
    labels = torch.zeros(4, 1)
    return (images[0], labels), (images[1], labels), draw


def test_squared_gradient_norm_of_a_linear_judge():
    (images, labels), _, _ = pairs()
    images.requires_grad_()
    judge = Linear(norm=3.0)
    assert squared_gradient_norm(judge(images, labels), images).tolist() == pytest.approx([9.0] * 4)


def test_wgan_penalty_is_ten_times_the_squared_distance_of_the_norm_from_one():
    real, fake, draw = pairs()
    terms = objective("wgan-gp").penalty(Linear(norm=3.0), real, fake, draw)
    assert terms["gradient_penalty"].tolist() == pytest.approx([40.0] * 4)


def test_penalty_gradients_by_the_weights():
    (images, _), _, draw = pairs()
    images.requires_grad_()
    weight = torch.randn(3, 2, 2, generator=draw, dtype=torch.float64, requires_grad=True)

    def penalty(w):
        return squared_gradient_norm(torch.tanh((images * w).flatten(1).sum(1)), images).sum()

    assert torch.autograd.gradcheck(penalty, (weight,))


def test_an_unknown_objective_names_the_nearest():
    with pytest.raises(RecipeError, match=r"'hinges'.*'hinge'"):
        objective("hinges")

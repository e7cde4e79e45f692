"""Images under a condition: the right law, exactly n of them, whatever the batch, and a budget that holds."""

import pytest
import torch
from helpers.noise_oracles import ALPHA, ATTRIBUTE, Linear, paint, seeded
from scipy import stats

from causalcf.errors import CausalCFError, UnreachedError
from causalcf.worlds.conditional import BLOCK, sample_where
from causalcf.worlds.samplers import PRIORS


def left_right(images):
    """Two attributes: the first and the second coordinate of the noise that the image shows are positive."""
    return ((images[:, 0, 0, :2] - 0.5) * 20).sigmoid()


TWO = {"attributes": ("Left", "Right"), "noise_dim": 2}


def test_noise_follows_its_prior_given_the_condition():
    toy = Linear(cut=1.0)
    found = sample_where(paint, toy.classify, {"A": 1}, 2000, attributes=ATTRIBUTE, noise_dim=3, generator=seeded())
    kept = torch.zeros(2000, 3, dtype=torch.bool)
    assert toy.pvalues(found.noise, kept, 0.0)[1] > ALPHA
    assert stats.binomtest(2000, found.proposals, toy.probability(0.0)).pvalue > ALPHA
    # Control: the same test sees a cut that lies elsewhere.
    elsewhere = Linear(cut=1.03)
    assert elsewhere.pvalues(found.noise, kept, 0.0)[1] < ALPHA


@pytest.mark.parametrize("condition", [{"Left": 1}, {"Left": 0}, {"Left": 1, "Right": 0}, {"Right": 0, "Left": 0}])
def test_exactly_n_images_that_satisfy_all_conditions(condition):
    found = sample_where(paint, left_right, condition, 37, generator=seeded(), **TWO)
    assert len(found.noise) == len(found.images) == len(found.probabilities) == 37
    for name, value in condition.items():
        column = TWO["attributes"].index(name)
        assert ((found.noise[:, column] > 0) == bool(value)).all()
    assert torch.equal(found.images, paint(found.noise))
    assert torch.allclose(found.probabilities, left_right(found.images))


def test_draws_do_not_depend_on_the_batch():
    settings = dict(condition={"Left": 1, "Right": 1}, n=700, **TWO)
    first = sample_where(paint, left_right, batch=256, generator=seeded(5), **settings)
    assert first.proposals > BLOCK
    for batch in (13, 5000):
        again = sample_where(paint, left_right, batch=batch, generator=seeded(5), **settings)
        assert torch.equal(first.noise, again.noise) and torch.equal(first.images, again.images)
        assert first.proposals == again.proposals
    # The acceptance rate is that of the noises looked at, recounted here.
    stream = seeded(5)
    noise = torch.cat([PRIORS["uniform"](BLOCK, 2, stream) for _ in range(5)])[: first.proposals]
    hits = (noise > 0).all(1)
    assert int(hits.sum()) == 700 and bool(hits[-1]) and first.acceptance == 700 / first.proposals


def test_progress_counts_what_is_found_and_made():
    told = []
    found = sample_where(
        paint,
        left_right,
        {"Left": 1},
        100,
        batch=16,
        generator=seeded(),
        on_progress=lambda found, made: told.append((found, made)),
        **TWO,
    )
    assert told[-1] == (100, found.evaluations) and told == sorted(told) and len(told) > 5
    assert [made for _, made in told] == [16 * (i + 1) for i in range(len(told))]


def test_the_budget_holds_and_its_error_tells_the_rate():
    shown = []

    def counted(noise):
        shown.append(len(noise))
        return paint(noise)

    def never(images):
        return left_right(images) * 0 + 0.2

    with pytest.raises(UnreachedError, match=r"0 of 5 images with Left=1 among the 1500 .* rate of 0;"):
        sample_where(counted, never, {"Left": 1}, 5, batch=200, budget=1500, generator=seeded(), **TWO)
    assert sum(shown) == 1500
    with pytest.raises(
        UnreachedError, match=r"(\d+) of 400 images .* among the 600 .* an acceptance rate of 0\.4|0\.5"
    ):
        sample_where(paint, left_right, {"Left": 1}, 400, budget=600, generator=seeded(), **TWO)


def test_a_threshold_and_a_prior_of_ones_own():
    def right_half(n, k, generator):
        return torch.rand(n, k, generator=generator)

    found = sample_where(paint, left_right, {"Left": 0}, 20, threshold=0.3, prior=right_half, generator=seeded(), **TWO)
    assert (found.noise > 0).all() and (found.probabilities[:, 0] < 0.7).all()
    assert (found.probabilities[:, 0] > 0.5).any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"condition": {"Lefft": 1}}, "condition: unknown attribute 'Lefft'; did you mean 'Left'?"),
        ({"condition": {"Left": 2}}, "expected 0 or 1"),
        ({"condition": {"Left": [0, 1]}}, "one value, 0 or 1, for all draws"),
        ({"condition": {}}, "condition is empty"),
        ({"attributes": "Left"}, "attributes is the string 'Left'"),
        ({"attributes": ("Left", "Left")}, "attributes name 'Left' twice"),
        ({"attributes": ("Left", "Right", "Up")}, "classify gave (256, 2); it must give (256, 3)"),
        ({"threshold": 1.0}, "threshold is 1.0"),
        ({"budget": 0}, "budget is 0"),
        ({"batch": 2.5}, "batch is 2.5"),
        ({"n": True}, "n is True"),
        ({"prior": "gauss"}, "unknown prior 'gauss'"),
        ({"generate": lambda noise: noise}, "generate gave (256, 2) for 256 noises"),
        ({"generate": lambda noise: paint(noise)[:-1]}, "generate gave (255, 3, 1, 2) for 256 noises"),
        ({"generate": lambda noise: paint(noise) * 2 - 1}, "they must lie in [0, 1] (of a tanh output"),
        ({"generate": lambda noise: paint(noise) * float("nan")}, "generate gave images from nan"),
        ({"classify": lambda images: left_right(images).logit()}, "they must be probabilities (of a logit"),
        ({"classify": lambda images: left_right(images) * float("nan")}, "classify gave values from nan"),
    ],
)
def test_mistakes_are_named(change, sentence):
    asked = {"generate": paint, "classify": left_right, "condition": {"Left": 1}, "n": 3, **TWO, **change}
    with pytest.raises(CausalCFError) as caught:
        sample_where(generator=seeded(), **asked)
    assert sentence in str(caught.value)

"""Images under a condition: the right law, exactly n of them, whatever the batch, and a budget that holds."""

import pytest
import torch
from helpers.noise_oracles import ALPHA, ATTRIBUTE, Linear, paint, seeded
from scipy import stats

from causalcf.errors import CausalCFError, UnreachedError
from causalcf.worlds.condition import TWICE
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

    with pytest.raises(UnreachedError, match=r"\b0 of 5\b.*\bLeft=1\b.*\b1500\b.*\b0\b"):
        sample_where(counted, never, {"Left": 1}, 5, batch=200, budget=1500, generator=seeded(), **TWO)
    assert sum(shown) == 1500 + 3 * TWICE + TWICE  # before the work, and of its first batch
    with pytest.raises(UnreachedError, match=r"\b\d+ of 400\b.*\bLeft=1\b.*\b600\b.*\b0\.[45]"):
        sample_where(paint, left_right, {"Left": 1}, 400, budget=600, generator=seeded(), **TWO)


def test_a_threshold_and_a_prior_of_ones_own():
    def right_half(n, k, generator):
        return torch.rand(n, k, generator=generator)

    found = sample_where(paint, left_right, {"Left": 0}, 20, threshold=0.3, prior=right_half, generator=seeded(), **TWO)
    assert (found.noise > 0).all() and (found.probabilities[:, 0] < 0.7).all()
    assert (found.probabilities[:, 0] > 0.5).any()


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"condition": {"Lefft": 1}}, "condition.*'Lefft'.*'Left'"),
        ({"condition": {"Left": 2}}, "condition.*Left=2"),
        ({"condition": {"Left": [0, 1]}}, "condition.*Left.*one value"),
        ({"condition": {}}, "condition.*empty"),
        ({"attributes": "Left"}, "attributes.*'Left'.*list of names"),
        ({"attributes": ("Left", "Left")}, "attributes.*'Left'.*twice"),
        ({"attributes": ("Left", "Right", "Up")}, r"classify.*\(4, 2\).*\(4, 3\)"),
        ({"threshold": 1.0}, r"threshold.*\b1\.0"),
        ({"budget": 0}, r"budget.*\b0\b"),
        ({"batch": 2.5}, r"batch.*\b2\.5"),
        ({"n": True}, r"\bn\b.*\bTrue\b"),
        ({"prior": "gauss"}, "prior.*'gauss'"),
        ({"generate": lambda noise: noise}, r"generate.*\(4, 2\).*\b4\b"),
        ({"generate": lambda noise: paint(noise)[:-1]}, r"generate.*\(3, 3, 1, 2\).*\b4\b"),
        ({"generate": lambda noise: paint(noise) * 2 - 1}, r"generate.*\[0, 1\].*\btanh\b"),
        ({"generate": lambda noise: paint(noise) * float("nan")}, r"generate.*\bnan\b"),
        ({"classify": lambda images: left_right(images).logit()}, r"classify.*\blogit\b"),
        ({"classify": lambda images: left_right(images) * float("nan")}, r"classify.*\bnan\b"),
    ],
)
def test_mistakes_are_named(change, culprit):
    asked = {"generate": paint, "classify": left_right, "condition": {"Left": 1}, "n": 3, **TWO, **change}
    with pytest.raises(CausalCFError, match=culprit):
        sample_where(generator=seeded(), **asked)

"""Running means, against the sums written out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from causalcf.constraints.costs import RunningMeans

groups = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=5), min_size=1, max_size=6)


def feed(means, values):
    values = torch.tensor(values, dtype=torch.float64)
    return means("q", values.sum(), torch.tensor(float(len(values)), dtype=torch.float64))


@given(groups, st.floats(0, 0.95))
def test_the_value_is_the_fading_mean_of_all_units(seen, decay):
    means = RunningMeans(decay)
    found = [feed(means, group) for group in seen][-1]
    weights = [decay ** (len(seen) - 1 - i) for i in range(len(seen))]
    total = sum(w * sum(group) for w, group in zip(weights, seen, strict=True))
    assert found.item() == pytest.approx(total / sum(w * len(g) for w, g in zip(weights, seen, strict=True)))
    assert means.value("q").item() == pytest.approx(found.item())


def test_the_gradient_is_this_groups_own():
    means = RunningMeans(0.9)
    feed(means, [0.0, 1.0, 1.0])
    values = torch.tensor([0.2, 0.4], dtype=torch.float64, requires_grad=True)
    means("q", values.sum(), torch.tensor(2.0, dtype=torch.float64)).backward()
    assert values.grad.tolist() == [0.5, 0.5]


def test_nothing_counted_is_zero_and_no_state_is_shared():
    means = RunningMeans()
    assert means("a", torch.zeros(2), torch.zeros(2)).tolist() == [0, 0]
    assert means.value("b") is None


def test_restored_means_go_on_as_they_would_have():
    first, second = RunningMeans(), RunningMeans()
    feed(first, [0.1, 0.9])
    second.restore(first.state())
    assert feed(first, [0.5]) == feed(second, [0.5])

"""Labels sampled by several processes: whose shares together do not depend on how many they are."""

import pytest
import torch

from causalcf.distributed.labels import sample_share
from causalcf.errors import CausalCFError
from causalcf.graph import CausalGraph
from causalcf.labels import LabelSCM

SCM = LabelSCM.from_probabilities(
    CausalGraph({"Young": [], "Bald": ["Young"], "Hat": ["Bald"]}),
    {"Young": 0.7, "Bald": [0.4, 0.1], "Hat": [0.2, 0.6]},
)


def together(monkeypatch, processes, n=50_001, **asked):
    """All rows in order, from the shares of so many processes; none of which may overlap."""
    monkeypatch.setattr("causalcf.distributed.labels.size", lambda: processes)
    blocks = {}
    for number in range(processes):
        monkeypatch.setattr("causalcf.distributed.labels.rank", lambda number=number: number)
        share = sample_share(SCM, n, block=700, **asked)
        assert not blocks.keys() & share.keys()
        blocks |= share
    rows = torch.cat([blocks[start] for start in sorted(blocks)])
    assert rows.shape == (n, 3) and all(blocks[start].equal(rows[start : start + 700]) for start in blocks)
    return rows


def test_the_union_is_the_same_for_any_number_of_processes(monkeypatch):
    one, two, three = (together(monkeypatch, processes) for processes in (1, 2, 3))
    assert torch.equal(one, two) and torch.equal(one, three)


def test_rows_follow_the_law_and_blocks_differ(monkeypatch):
    rows = together(monkeypatch, 2, given={"Hat": 1}, seed=3)
    exact = SCM.probability({"Bald": 1}, given={"Hat": 1})
    assert abs(rows[:, 1].double().mean() - exact) < 4 * (exact * (1 - exact) / len(rows)) ** 0.5
    assert (rows[:, 2] == 1).all() and not torch.equal(rows[:700], rows[700:1400])
    assert not torch.equal(rows, together(monkeypatch, 2, given={"Hat": 1}, seed=4))


@pytest.mark.parametrize(("wrong", "name"), [({"n": -1}, "n"), ({"seed": -1}, "seed"), ({"block": 0}, "block")])
def test_numbers_that_are_too_small_are_refused(wrong, name):
    with pytest.raises(CausalCFError, match=f"^{name}"):
        sample_share(SCM, **{"n": 3, **wrong})

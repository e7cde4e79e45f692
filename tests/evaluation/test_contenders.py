"""The names that runs are asked by: those of runs that were told statements are apart from those that were not."""

from types import SimpleNamespace

import pytest
from helpers.artificial import NODES

from causalcf.data.faces import true_scm
from causalcf.evaluation.approaches import approaches_of
from causalcf.labels.reference import Reference
from causalcf.runs.recipe import Recipe

REFERENCE = Reference(true_scm(), NODES, "truth")
JUDGE = SimpleNamespace(facts=None)


def kinds(approach, statements=None, *asking):
    run = SimpleNamespace(recipe=Recipe(approach=approach, statements=statements))
    found, left_out = approaches_of(run, "some", REFERENCE, JUDGE, *asking)
    return [one.kind for one in found], left_out


@pytest.mark.parametrize(
    ("approach", "description", "untold"),
    [
        ("dcgan", ["dcgan-statements-gaussian", "dcgan-statements-esm"], ["dcgan-gaussian", "dcgan-esm"]),
        ("causalgan", ["causalgan-statements-do", "causalgan-statements-esm"], ["causalgan-do", "causalgan-esm"]),
        ("conditional", ["conditional-statements-do"], ["conditional-do"]),
    ],
)
def test_runs_that_were_told_statements_have_kinds_of_their_own(approach, description, untold):
    assert kinds(approach, "celeba") == (description, []) and kinds(approach) == (untold, [])


def test_what_is_left_out_is_named_by_its_kind():
    assert kinds("causalgan", "celeba", "do", 1.0)[1] == [
        "causalgan-statements-esm is left out: by do at stickiness 1 it is causalgan-statements-do"
    ]
    assert kinds("dcgan", "celeba", "do")[1][1].startswith("dcgan-statements-esm is left out: it is asked by")

"""Labels sampled by several processes, each its share: together the same rows, however many they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..arguments import check_count
from ..labels import LabelSCM
from ..seeds import generator_of
from .group import rank, size

BLOCK = 65_536  # rows drawn from one seed


def sample_share(
    scm: LabelSCM,
    n: int,
    do: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    seed: int = 0,
    block: int = BLOCK,
) -> dict[int, Tensor]:
    """This process's share of n rows of labels.

    Rows come in blocks, each drawn by a generator of its own, and processes take the blocks in turn. So all rows are
    independent, none is drawn twice, and all of them together depend on the seed and on the size of a block alone.

    Args:
        scm: the label model, the same in all processes.
        n: rows in all, at least 0.
        do, given: as in `LabelSCM.sample`, of single values.
        seed: at least 0; another seed gives other rows.
        block: rows of a block, at least 1.

    Returns:
        First row of each block of this process -> its rows, int8 in the order of the graph's nodes.

    Raises:
        CausalCFError: as in `LabelSCM.sample`, or a number that is too small.

    Source: defined here.

    Example:
        >>> from causalcf.graph import CausalGraph
        >>> scm = LabelSCM.from_probabilities(CausalGraph({"Young": []}), {"Young": 0.75})
        >>> {start: len(rows) for start, rows in sample_share(scm, 10, block=4).items()}
        {0: 4, 4: 4, 8: 2}
    """
    check_count("n", n, least=0)
    check_count("seed", seed, least=0)
    check_count("block", block)
    starts = range(0, n, block)[rank() :: size()]
    return {
        start: scm.sample(min(block, n - start), do, given, generator_of("labels", seed, start // block))
        for start in starts
    }

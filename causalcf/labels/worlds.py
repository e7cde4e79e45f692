"""Label worlds as networks of conditionals: the actual world, and the actual with the counterfactual beside it.

With U*_i = U_i with probability s and else redrawn, independently for each node (the extended structural model of
Lucas and Kemp, 2015), the pair of worlds factorises over the graph:

    P(v, v*) = prod_i P(v_i | pa_i) [s r_i(v*_i | v_i, pa_i, pa*_i) + (1 - s) P(v*_i | pa*_i)],

r_i being the mechanism's transition and a do replacing node i's bracket. So each counterfactual is an exact query on
a network of twice the size. Variables are numbered: node i is i in the actual world and d + i in the counterfactual.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch

from .elimination import Conditional

if TYPE_CHECKING:
    from ..graph import CausalGraph
    from .mechanisms import Mechanism


def parent_indices(graph: CausalGraph) -> list[tuple[int, ...]]:
    """For each node, the positions of its parents in `graph.nodes`."""
    position = {node: i for i, node in enumerate(graph.nodes)}
    return [tuple(position[p] for p in graph.parents(node)) for node in graph.nodes]


def actual_world(
    parents: Sequence[tuple[int, ...]], mechanisms: Sequence[Mechanism], do: set[int]
) -> list[Conditional]:
    """The world's conditionals in topological order, without the nodes that are set by do."""
    return [Conditional(i, parents[i], m.probability, m.respond) for i, m in enumerate(mechanisms) if i not in do]


def twin_world(
    parents: Sequence[tuple[int, ...]], mechanisms: Sequence[Mechanism], do: set[int], stickiness: float
) -> tuple[list[Conditional], list[int]]:
    """Both worlds in one network.

    At s=1 the nodes that no do reaches are the same in both worlds, so they are not copied.

    Returns:
        The conditionals in topological order, and each node's counterfactual variable.
    """
    d = len(mechanisms)
    star: list[int] = []
    copies: list[Conditional] = []
    for i, mechanism in enumerate(mechanisms):
        above = tuple(star[p] for p in parents[i])
        if stickiness == 1 and i not in do and above == parents[i]:
            star.append(i)
            continue
        star.append(d + i)
        if i in do:
            continue
        if stickiness == 0:
            copies.append(Conditional(d + i, above, mechanism.probability, mechanism.respond))
        else:
            copies.append(Conditional(d + i, (i, *parents[i], *above), partial(_sticky, mechanism, stickiness)))
    return actual_world(parents, mechanisms, set()) + copies, star


def _sticky(mechanism: Mechanism, stickiness: float, rows: torch.Tensor) -> torch.Tensor:
    """P(v*=1 | v, pa, pa*) of one node, the columns in this order."""
    p = mechanism.n_parents
    label, old, new = rows[:, 0], rows[:, 1 : 1 + p], rows[:, 1 + p :]
    r = mechanism.transition(label, old, new)
    return r if stickiness == 1 else stickiness * r + (1.0 - stickiness) * mechanism.probability(new)

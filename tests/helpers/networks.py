"""Label models for the bridges to other tools."""

import torch

from causalcf.graph import CausalGraph, load_graph
from causalcf.labels import LabelSCM
from causalcf.labels.mechanisms import ResponseMechanism, TableMechanism

BALD = ("Young", "Male"), [[0.00027, 0.11263], [0.00013, 0.01946]]
EDGES = (0.0, 0.25, 0.5, 1.0)  # probabilities that ties and certainties come from


def bald():
    return LabelSCM.from_probabilities(load_graph("celeba-bald"), {"Young": 0.7736, "Male": 0.4168, "Bald": BALD})


def random_model(listing, seed, responses=True):
    draw = torch.Generator().manual_seed(seed)
    graph, mechanisms = CausalGraph(listing), {}
    for node in graph.nodes:
        p = len(graph.parents(node))
        if responses and torch.rand((), generator=draw) < 0.3:
            bits = torch.randint(0, 2, (2**p, 8), generator=draw, dtype=torch.uint8)
            mechanisms[node] = ResponseMechanism(bits)
        else:
            table = torch.rand((2,) * p, generator=draw, dtype=torch.float64)
            even = torch.rand((2,) * p, generator=draw) < 0.4
            choice = torch.tensor(EDGES, dtype=torch.float64)[torch.randint(0, 4, (2,) * p, generator=draw)]
            mechanisms[node] = TableMechanism(torch.where(even, choice, table))
    return LabelSCM(graph, mechanisms)
